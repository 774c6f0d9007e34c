"""Convolutions with batch normalization, as training needs them, and as one for inference."""

from collections.abc import Iterator

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mono_depth_ros.core.network.compact_depth import CompactDepth, plain_convolution


def normalized_convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int
) -> nn.Module:
    """Return a convolution followed by batch normalization."""
    convolution = plain_convolution(inputs, outputs, kernel, stride, groups)
    convolution.register_parameter('bias', None)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


def fused(network: CompactDepth) -> CompactDepth:
    """Return the network, which is in evaluation, with its normalization merged away."""
    plain = CompactDepth(network.is_metric)
    state = network.state_dict()
    for name, convolution, norm in _normalized(network):
        for entry in [key for key in state if key.startswith(f'{name}.')]:
            del state[entry]
        merged = fuse_conv_bn_eval(convolution, norm).state_dict()
        state |= {f'{name}.{entry}': value for entry, value in merged.items()}
    plain.load_state_dict(state)
    return plain.eval()


def _normalized(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Yield the convolutions that normalization follows, by the name of both together."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and isinstance(module[-1], nn.BatchNorm2d):
            yield name, module[0], module[1]

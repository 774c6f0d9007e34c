"""Convolutions with batch normalization, as training needs them, and as one for inference."""

from collections.abc import Iterable, Iterator, Mapping

import torch
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


@torch.no_grad()
def unfuse(
    network: CompactDepth, weights: Mapping[str, torch.Tensor], images: Iterable[torch.Tensor]
) -> None:
    """Give a network with normalization weights of one without, so that training goes on there.

    What its convolutions say of some images becomes the statistics of the normalization, and its
    gain and offset undo them: it gives the same as the other network, in training nearly so.

    Args:
        network: Of the candidates; left in evaluation.
        weights: As `training.export` writes them.
        images: Batches (B, 3, H, W), normalized.

    Raises:
        RuntimeError: They are those of another network.
    """
    CompactDepth(network.is_metric).load_state_dict(dict(weights))
    pairs = list(_normalized(network))
    network.load_state_dict(
        {name: weights.get(name, own) for name, own in network.state_dict().items()}
    )
    for name, convolution, norm in pairs:
        convolution.weight.copy_(weights[f'{name}.weight'])
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0)
        norm.weight.fill_((1 + norm.eps) ** 0.5)
        norm.bias.copy_(weights[f'{name}.bias'])
    said: dict[nn.Module, list[torch.Tensor]] = {}
    hooks = [
        convolution.register_forward_hook(
            lambda module, _, out: said.setdefault(module, []).append(
                torch.stack((out.mean((0, 2, 3)), out.square().mean((0, 2, 3))))
            )
        )
        for _, convolution, _ in pairs
    ]
    network.eval()
    for batch in images:
        network(batch)
    for hook in hooks:
        hook.remove()
    for _, convolution, norm in pairs:
        mean, square = torch.stack(said[convolution]).mean(dim=0)
        variance = (square - mean.square()).clamp(min=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)


def _normalized(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Yield the convolutions that normalization follows, by the name of both together."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Sequential) and isinstance(module[-1], nn.BatchNorm2d):
            yield name, module[0], module[1]

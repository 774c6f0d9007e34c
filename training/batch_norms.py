"""Convolutions with batch normalization, as training needs them, and as one for inference."""

import torch
from torch import nn

from mono_depth_ros.core.network.compact_depth import CompactDepth, plain_convolution


def normalized_convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int
) -> nn.Module:
    """Return a convolution followed by batch normalization."""
    convolution = plain_convolution(inputs, outputs, kernel, stride, groups)
    convolution.register_parameter('bias', None)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


def fused(network: CompactDepth) -> CompactDepth:
    """Return the network for inference: the same output, without normalization."""
    plain = CompactDepth(network.is_metric)
    state = network.state_dict()
    for name, module in network.named_modules():
        if not isinstance(module, nn.Sequential) or not isinstance(module[-1], nn.BatchNorm2d):
            continue
        for entry in [key for key in state if key.startswith(f'{name}.')]:
            del state[entry]
        state[f'{name}.weight'], state[f'{name}.bias'] = _merged(module[0], module[1])
    plain.load_state_dict(state)
    return plain.eval()


def _merged(convolution: nn.Module, norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight and bias of a convolution and the normalization that follows it."""
    assert isinstance(convolution, nn.Conv2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * gain[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.detach().float(), bias.detach().float()

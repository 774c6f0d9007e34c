"""Convolutions that learn in bfloat16, where a processor has instructions for it."""

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import nn

from mono_depth_ros.core.network.compact_depth import CompactDepth, padded_kernel

Pair = tuple[int, int]


def mixed_network() -> CompactDepth:
    """Return the embedded network; under `torch.autocast` all but its head is in bfloat16."""
    network = CompactDepth(convolution=mixed_convolution)
    head = FloatConvolution(network.head.in_channels, 1, 3, padding=1)
    head.load_state_dict(network.head.state_dict())
    network.head = head
    return network


def mixed_convolution(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int
) -> nn.Module:
    """Return a convolution that is in bfloat16 under `torch.autocast`."""
    return MixedConvolution(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


class MixedConvolution(nn.Conv2d):
    """As `plain_convolution`; its gradients are each in the precision that is the faster one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H / stride, W / stride)."""
        stride, padding = cast(Pair, self.stride), cast(Pair, self.padding)
        kernel = self.weight if stride[0] == 1 else padded_kernel(self.weight)
        if not torch.is_autocast_enabled(x.device.type):
            return F.conv2d(x, kernel, self.bias, stride, padding, groups=self.groups)
        x = x.bfloat16()
        return cast(
            torch.Tensor,
            _Convolve.apply(x, kernel, self.bias, stride, padding, self.groups),  # type: ignore[no-untyped-call]
        )


class FloatConvolution(nn.Conv2d):
    """A convolution in float, whatever `torch.autocast` says: its output is compared."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H, W)."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        kernel: torch.Tensor,
        bias: torch.Tensor,
        stride: Pair,
        padding: Pair,
        groups: int,
    ) -> torch.Tensor:
        ctx.save_for_backward(x, kernel)
        ctx.how = stride, padding, groups
        return F.conv2d(x, kernel.to(x.dtype), bias.to(x.dtype), stride, padding, groups=groups)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        x, kernel = ctx.saved_tensors
        stride, padding, groups = ctx.how
        # oneDNN has no fast bfloat16 gradient of these: 2 to 5 times the time of float.
        is_slow = groups > 1 and (stride[0] > 1 or kernel.shape[-1] > 3)
        kind = torch.float32 if is_slow else x.dtype
        of_x, of_kernel, of_bias = torch.ops.aten.convolution_backward(
            gradient.to(kind),
            x.to(kind),
            kernel.to(kind),
            [len(kernel)],
            stride,
            padding,
            (1, 1),
            False,
            (0, 0),
            groups,
            [ctx.needs_input_grad[0], True, True],
        )
        of_x = None if of_x is None else of_x.to(x.dtype)
        return of_x, of_kernel.float(), of_bias.float(), None, None, None

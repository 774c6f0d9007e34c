"""A small convolutional network for canonical inverse depth, with attention at its coarsest level.

An encoder of inverted residual blocks (Sandler et al., MobileNetV2, 2018) with large kernels where
the map is small, attention over all of the image at 1/32, and a decoder that adds the levels up
(Lin et al., feature pyramid networks, 2017). The output is f / (S Z): focal length over the
shorter side over depth, which does not change when an image is resized; with f known it is metric.
"""

import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = (24, 40, 80, 160, 256)
DEPTHS = (1, 2, 3, 6, 2)
KERNELS = (3, 3, 5, 5, 7)
DECODER = 56


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Module:
    """Return a convolution with batch normalization, which can be fused."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class InvertedResidual(nn.Module):
    """Widen by a factor of three, filter each channel, narrow again."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = 3 * inputs
        self.widen = convolution(inputs, hidden, 1)
        self.filter = convolution(hidden, hidden, kernel, stride, groups=hidden)
        self.narrow = convolution(hidden, outputs, 1)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        y = self.narrow(F.relu(self.filter(F.relu(self.widen(x)))))
        return x + y if self.is_residual else y


class GlobalAttention(nn.Module):
    """A transformer block over the coarsest map, which places are told apart in by sines."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.before = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.between = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.ReLU(), nn.Linear(2 * channels, channels)
        )
        self.heads = heads

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (B, N, C) from (B, N, C)."""
        batch, count, _ = tokens.shape
        qkv = self.qkv(self.before(tokens))
        q, k, v = qkv.view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(tokens.shape)
        tokens = tokens + self.out(mixed)
        return tokens + self.mlp(self.between(tokens))


def positions(height: int, width: int, channels: int, device: torch.device) -> torch.Tensor:
    """Return (N, C): sines of the place in the image, whose edges are at 0 and 1."""
    v = (torch.arange(height, device=device) + 0.5) / height
    u = (torch.arange(width, device=device) + 0.5) / width
    rates = torch.pi * 2.0 ** torch.arange(channels // 4 // 8, device=device).repeat_interleave(8)
    phases = torch.arange(8, device=device).repeat(channels // 4 // 8) / 8
    row = v[:, None] * rates + phases
    column = u[:, None] * rates + phases
    rows = torch.cat([row.sin(), row.cos()], 1)[:, None].expand(-1, width, -1)
    columns = torch.cat([column.sin(), column.cos()], 1)[None].expand(height, -1, -1)
    return torch.cat([rows, columns], 2).reshape(height * width, channels)


class CompactDepth(nn.Module):
    """Canonical inverse depth from RGB; height and width are multiples of 32.

    Args:
        widths: Channels at 1/2, 1/4 ... 1/32; the last one is a multiple of 32.
        depths: Blocks at each.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.register_buffer('mean', torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.stem = convolution(3, widths[0], 3, 2)
        self.stages = nn.ModuleList()
        inputs = widths[0]
        for level, (width, depth, kernel) in enumerate(zip(widths, depths, KERNELS, strict=True)):
            first = InvertedResidual(inputs, width, kernel, 2 if level else 1)
            more = [InvertedResidual(width, width, kernel, 1) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(first, *more))
            inputs = width
        self.attention = nn.ModuleList(GlobalAttention(widths[-1]) for _ in range(3))
        self.laterals = nn.ModuleList(convolution(width, DECODER, 1) for width in widths[1:])
        self.merges = nn.ModuleList(InvertedResidual(DECODER, DECODER, 3, 1) for _ in widths[1:])
        self.to_fine = convolution(DECODER, widths[0], 1)
        self.head = nn.Sequential(
            InvertedResidual(widths[0], widths[0], 3, 1), nn.Conv2d(widths[0], 1, 3, padding=1)
        )

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Return f / (S Z) (B, H, W), positive, from RGB (B, 3, H, W) in 0..1."""
        x = F.relu(self.stem((rgb - self.mean) / self.std))
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        levels[-1] = self._attend(levels[-1])
        fine, *coarse = levels
        y = self.merges[-1](self.laterals[-1](coarse[-1]))
        for number in range(len(coarse) - 2, -1, -1):
            level = coarse[number]
            up = F.interpolate(y, size=level.shape[-2:], mode='bilinear')
            y = self.merges[number](up + self.laterals[number](level))
        y = F.interpolate(self.to_fine(y), size=fine.shape[-2:], mode='bilinear') + fine
        y = F.interpolate(self.head(y), size=rgb.shape[-2:], mode='bilinear')
        return 0.5 * F.softplus(y[:, 0].float())

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + positions(height, width, channels, x.device).to(x.dtype)
        for block in self.attention:
            tokens = block(tokens)
        return tokens.transpose(1, 2).reshape(batch, channels, height, width)

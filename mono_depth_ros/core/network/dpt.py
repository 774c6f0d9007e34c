"""The dense prediction head DPT (Ranftl et al., 2021) in the form Depth Anything uses."""

import torch
import torch.nn.functional as F
from torch import nn

from .dinov2 import PATCH_PX


def _resize(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(x, size, mode='bilinear', align_corners=True)


class ResidualConvUnit(nn.Module):
    """Two 3x3 convolutions with a skip: (B, F, H, W) -> same.

    What a convolution made is changed in place, here and below: on a CPU, memory fresh from the
    system costs as much as the arithmetic on it.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the unit."""
        out: torch.Tensor = self.conv2(F.relu_(self.conv1(F.relu(x))))
        return out.add_(x)


class FusionBlock(nn.Module):
    """Merge a coarser path with the features of this level and enlarge the result."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(features, features, 1)
        self.resConfUnit1 = ResidualConvUnit(features)
        self.resConfUnit2 = ResidualConvUnit(features)

    def forward(
        self, level: torch.Tensor, coarser: torch.Tensor | None, size: tuple[int, int]
    ) -> torch.Tensor:
        """Return (B, F, *size).

        The 1x1 convolution commutes with bilinear resizing (both linear, resizing weights sum to
        one), so it runs before the enlargement, on a quarter of the pixels.
        """
        merged = level if coarser is None else self.resConfUnit1(level).add_(coarser)
        return _resize(self.out_conv(self.resConfUnit2(merged)), size)


class Scratch(nn.Module):
    """The convolutional part of the head; named after the entry in the official checkpoints."""

    def __init__(self, channels: tuple[int, ...], features: int, hidden: int) -> None:
        super().__init__()
        for level, width in enumerate(channels, start=1):
            conv = nn.Conv2d(width, features, 3, padding=1, bias=False)
            self.add_module(f'layer{level}_rn', conv)
        for level in range(1, 5):
            self.add_module(f'refinenet{level}', FusionBlock(features))
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 1, 1),
        )

    def forward(self, levels: list[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return (B, 1, *size) before the last activation; `levels` run from fine to coarse."""
        narrowed = [self.get_submodule(f'layer{n}_rn')(x) for n, x in enumerate(levels, start=1)]
        path: torch.Tensor | None = None
        for level in (4, 3, 2, 1):
            here = narrowed[level - 1]
            finer = narrowed[level - 2]
            # Not shape[-2:], of which an exporter would record the numbers.
            target = (finer.size(-2), finer.size(-1))
            if level == 1:
                target = (2 * here.size(-2), 2 * here.size(-1))
            path = self.get_submodule(f'refinenet{level}')(here, path, target)
        out: torch.Tensor = self.output_conv2(_resize(self.output_conv1(path), size))
        return out


class DptHead(nn.Module):
    """Turn four levels of patch tokens into one map; see `Preset` for the sizes."""

    def __init__(self, dim: int, features: int, channels: tuple[int, ...], hidden: int) -> None:
        super().__init__()
        self.projects = nn.ModuleList(nn.Conv2d(dim, width, 1) for width in channels)
        self.resize_layers = nn.ModuleList(
            (
                nn.ConvTranspose2d(channels[0], channels[0], 4, 4),
                nn.ConvTranspose2d(channels[1], channels[1], 2, 2),
                nn.Identity(),
                nn.Conv2d(channels[3], channels[3], 3, 2, 1),
            )
        )
        self.scratch = Scratch(channels, features, hidden)

    def forward(self, tokens: list[torch.Tensor]) -> torch.Tensor:
        """Return (B, 1, 14 rows, 14 cols) from four (B, C, rows, cols)."""
        rows, cols = tokens[0].size(-2), tokens[0].size(-1)
        levels = [
            resize(project(x).contiguous(memory_format=torch.channels_last))
            for x, project, resize in zip(tokens, self.projects, self.resize_layers, strict=True)
        ]
        out: torch.Tensor = self.scratch(levels, (PATCH_PX * rows, PATCH_PX * cols))
        return out

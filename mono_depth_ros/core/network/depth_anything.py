"""Depth Anything (Yang et al., 2024): presets and the whole network."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from .dinov2 import DinoV2
from .dpt import DptHead
from .preprocessing import Sampling


@dataclass(frozen=True)
class Preset:
    """The size of a network.

    Attributes:
        name: The `encoder` parameter that selects it.
        dim: Channels of a token.
        depth: Transformer blocks.
        heads: Attention heads.
        features: Channels of the head's fused paths.
        channels: Channels of the head's four levels, fine to coarse.
        feature_blocks: Blocks the head takes its features from, counted from 0.
        input_size: Shorter side the weights were trained for [px].
        gated: Whether blocks use SwiGLU.
        hidden: Channels before the last convolution of the head.
    """

    name: str
    dim: int
    depth: int
    heads: int
    features: int
    channels: tuple[int, int, int, int]
    feature_blocks: tuple[int, int, int, int]
    input_size: int = 518
    gated: bool = False
    hidden: int = 32

    @property
    def grid(self) -> int:
        """Side of the position grid [patches]."""
        return self.input_size // 14

    @property
    def last_blocks(self) -> tuple[int, ...]:
        """The last four blocks, which Depth Anything V1 takes its features from."""
        return tuple(range(self.depth - 4, self.depth))


PRESETS = {
    preset.name: preset
    for preset in (
        Preset('vits', 384, 12, 6, 64, (48, 96, 192, 384), (2, 5, 8, 11)),
        Preset('vitb', 768, 12, 12, 128, (96, 192, 384, 768), (2, 5, 8, 11)),
        Preset('vitl', 1024, 24, 16, 256, (256, 512, 1024, 1024), (4, 11, 17, 23)),
        Preset('vitg', 1536, 40, 24, 384, (1536,) * 4, (9, 19, 29, 39), gated=True),
    )
}


class DepthAnything(nn.Module):
    """The network from normalized image to prediction.

    Args:
        preset: Its size.
        v1: Whether features come from the last four blocks, as in version 1.
        max_depth: Depth at which the metric head saturates [m]; None for a relative network.

    Attributes:
        input_size: Shorter side the weights were trained for [px].
        sampling: How an image becomes the input.
        is_metric: Whether the output is depth [m].
        needs_camera: False, as it does not tell meters by the focal length.
    """

    sampling = Sampling()
    needs_camera = False

    def __init__(
        self, preset: Preset, *, v1: bool = False, max_depth: float | None = None
    ) -> None:
        super().__init__()
        self.input_size = preset.input_size
        self.max_depth = max_depth
        self.is_metric = max_depth is not None
        blocks = preset.last_blocks if v1 else preset.feature_blocks
        self.pretrained = DinoV2(
            preset.dim, preset.depth, preset.heads, preset.gated, preset.grid, blocks
        )
        self.depth_head = DptHead(preset.dim, preset.features, preset.channels, preset.hidden)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return relative inverse depth, or depth [m] if the head is metric.

        Args:
            image: (B, 3, H, W) ImageNet-normalized RGB, H and W multiples of 14.

        Returns:
            (B, H, W), not negative.
        """
        out: torch.Tensor = self.depth_head(self.pretrained(image))[:, 0]
        if self.max_depth is None:
            return F.relu(out)
        return out.sigmoid() * self.max_depth

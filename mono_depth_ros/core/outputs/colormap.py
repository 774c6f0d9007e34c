"""Depth in colors of a fixed range, so that a color means the same depth in every frame.

Turbo (Mikhailov, 2019), warm = near, black = unknown.
"""

import math
from functools import lru_cache

import cv2
import numpy as np
import torch

from .output_settings import ColormapSettings

_HALF_LEVEL = 1.5  # drawn in the middle color; official relative networks span about 0..10


def paint_depth(depth: torch.Tensor, settings: ColormapSettings) -> torch.Tensor:
    """Return (H, W, 3) uint8 BGR of depth (H, W) [m], logarithmic from near to far."""
    near, far = math.log(settings.near), math.log(settings.far)
    return _paint((far - depth.log()) / (far - near))


def paint_relative(relative_inverse_depth: torch.Tensor) -> torch.Tensor:
    """Return (H, W, 3) uint8 BGR of relative inverse depth (H, W)."""
    return _paint(relative_inverse_depth / (relative_inverse_depth + _HALF_LEVEL))


def _paint(level: torch.Tensor) -> torch.Tensor:
    index = (1 + 254 * level.clamp(0, 1)).round_().nan_to_num_(0).to(torch.int32)
    return _colors(level.device).index_select(0, index.flatten()).view(*index.shape, 3)


@lru_cache(maxsize=4)
def _colors(device: torch.device) -> torch.Tensor:
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0]
    bgr[0] = 0
    return torch.from_numpy(bgr.copy()).to(device)

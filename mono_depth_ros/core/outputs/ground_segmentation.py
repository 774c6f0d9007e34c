"""Which pixels show the ground: a surface that grows from below the camera outwards.

Points are sorted into sectors around the camera and rings of growing width. From ring to ring the
height of the ground may change by the steepest slope, so ramps are ground; what is higher than
that stands on it, and what is lower is a hole or a step down. Behind what is not ground, the
ground goes on at the height that it had.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ..camera.pinhole import PinholeCamera
from ..scale.tilt import Vector
from .ground_plane import GroundPlane, across
from .output_settings import GroundSettings

_SAMPLES = 40_000
_SECTORS = 64
_RINGS = 110
_NEAR_M, _GROWTH = 0.8, 1.045
"""Ring k ends at 0.8 m (1.045^k - 1): 4 cm wide at the camera, 17 cm at 3 m, the last at 100 m."""
_MAX_GAP_M = 0.3
"""Over a wider gap without points the ground may not climb further."""


@dataclass(frozen=True, eq=False)
class GroundView:
    """What a camera's rays are to the ground, whatever the depth.

    Attributes:
        drop: (H, W), the way down for each meter of depth.
        along: (H, W) twice, the way ahead and left along the ground for each meter of depth.
        step: Every how many pixels a sample lies, in both directions.
        sample_drop: (h, w), of the samples.
        sample_spread: (h, w), the way along the ground for each meter of depth.
        first_cell: (h, w) int64, of the sample's sector.
    """

    drop: torch.Tensor
    along: tuple[torch.Tensor, torch.Tensor]
    step: int
    sample_drop: torch.Tensor
    sample_spread: torch.Tensor
    first_cell: torch.Tensor


@lru_cache(maxsize=2)
def ground_view(camera: PinholeCamera, down: Vector, device: torch.device) -> GroundView:
    """Return the view of a camera for which `down` is down, the unit vector in its frame."""
    rays = camera.rays(device)
    step = max(1, round(math.sqrt(camera.width * camera.height / _SAMPLES)))
    samples = (slice(step // 2, None, step), slice(step // 2, None, step))
    axes = GroundPlane(down, 0.0, '').horizontal
    along = across(axes[0], rays), across(axes[1], rays)
    drop = across(down, rays)
    ahead, left = along[0][samples], along[1][samples]
    azimuth = torch.atan2(left, ahead)
    low, high = azimuth.aminmax()
    sector = ((azimuth - low) * (_SECTORS / (high - low).clamp(min=1e-6))).long()
    first_cell = sector.clamp_(max=_SECTORS - 1) * _RINGS
    spread = torch.hypot(ahead, left)
    return GroundView(drop, along, step, drop[samples], spread, first_cell)


def heights_above_plane(
    depth: torch.Tensor, camera: PinholeCamera, plane: GroundPlane
) -> torch.Tensor:
    """Return (H, W) float32 [m] above the plane of depth (H, W) [m], NaN where that is."""
    return plane.height_m - depth * ground_view(camera, plane.down, depth.device).drop


def heights_above_ground(
    depth: torch.Tensor, camera: PinholeCamera, plane: GroundPlane, settings: GroundSettings
) -> torch.Tensor:
    """Return (H, W) float32 [m], the height of every pixel above the ground below it.

    Args:
        depth: (H, W) float32 [m], NaN unknown.
        camera: Of that size.
        plane: Where the ground is expected; near the camera it is there.
        settings: The steepest slope, and how uneven the ground is.
    """
    view = ground_view(camera, plane.down, depth.device)
    half, step = view.step // 2, view.step
    z = depth[half::step, half::step]
    ring = (z * view.sample_spread).div_(_NEAR_M).log1p_().div_(math.log(_GROWTH))
    ring = ring.nan_to_num_(0.0).clamp_(0, _RINGS - 1)
    cell = (view.first_cell + ring.long()).flatten()
    heights = (plane.height_m - z * view.sample_drop).flatten()
    surface = torch.from_numpy(_grow(_shown(cell, heights), settings))
    below = surface.to(z.device).flatten()[cell].view(z.shape)
    above = plane.height_m - depth * view.drop
    return above.sub_(_enlarged(below, above.shape))


def _shown(cell: torch.Tensor, heights: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return (2, sectors, rings): mean and lowest of the heights in each cell, NaN for none."""
    known = heights.isfinite().nonzero()[:, 0]
    cell, heights = cell[known], heights[known]
    lowest = torch.full((_SECTORS * _RINGS,), torch.inf, device=cell.device)
    count, total = torch.zeros_like(lowest), torch.zeros_like(lowest)
    lowest.scatter_reduce_(0, cell, heights, 'amin')
    count.index_add_(0, cell, torch.ones_like(heights))
    total.index_add_(0, cell, heights)
    shown = torch.stack((total / count, lowest)).cpu().numpy()
    return shown.reshape(2, _SECTORS, _RINGS)


def _grow(shown: npt.NDArray[np.float32], settings: GroundSettings) -> npt.NDArray[np.float32]:
    """Return (sectors, rings) the height of the ground [m], from what `_shown` returns."""
    slope = math.tan(math.radians(settings.max_slope_deg))
    # Whole rings are contiguous.
    means, lowest = np.ascontiguousarray(shown.transpose(0, 2, 1))
    is_empty = np.isnan(means)
    ground, gap = np.zeros(_SECTORS, np.float32), np.zeros(_SECTORS, np.float32)
    surface = np.empty((_RINGS, _SECTORS), np.float32)
    last = int(np.flatnonzero(~is_empty.all(axis=1)).max(initial=0))
    for k in range(last + 1):
        width = _NEAR_M * (_GROWTH - 1) * _GROWTH**k
        gap += width
        np.minimum(gap, max(_MAX_GAP_M, width), out=gap)
        reach = slope * gap
        allowed = reach + settings.tolerance
        error = means[k] - ground
        error = np.where(np.abs(error) <= allowed, error, lowest[k] - ground)
        change = np.minimum(np.maximum(error, -reach), reach)
        ground = np.where(np.abs(error) <= allowed, ground + change, ground)
        gap *= is_empty[k]
        surface[k] = ground
    surface[last + 1 :] = ground
    return np.ascontiguousarray(_median_of_neighbors(surface).T)


def _median_of_neighbors(surface: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (rings, sectors): of each sector and the ones beside it, the middle height."""
    left, right = surface[:, [0, *range(_SECTORS - 1)]], surface[:, [*range(1, _SECTORS), -1]]
    low, high = np.minimum(left, right), np.maximum(left, right)
    middle: npt.NDArray[np.float32] = np.maximum(low, np.minimum(high, surface))
    return middle


def _enlarged(values: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Return values (h, w) at a size (H, W), by OpenCV on a CPU, where it takes a fifth."""
    if values.device.type == 'cpu':
        return torch.from_numpy(cv2.resize(values.numpy(), (size[1], size[0])))
    return F.interpolate(values[None, None], size, mode='bilinear')[0, 0]

"""Clearing cloud: ends of rays known to be free, for a consumer that clears its map."""

import math
from dataclasses import dataclass

import torch

from ..camera.pinhole import PinholeCamera
from ..settings import Settings, setting


@dataclass(frozen=True)
class ClearingSettings(Settings):
    """Settings of the clearing cloud."""

    range: float = setting(
        5.0, 'Rays are clamped to this length.', unit='m', minimum=0.1, maximum=1000.0
    )
    spacing_deg: float = setting(
        0.8,
        "Maximum angle between rays; at the costmap's raytrace range it should span less than one "
        'cell. A ray needs known depth in every pixel that it covers and ends at the nearest.',
        unit='deg',
        minimum=0.01,
        maximum=20.0,
    )
    far_inverse_depth: float = setting(
        0.05,
        'Relative network with a current scale: pixels of lower inverse depth, including negative '
        'values such as sky, are free up to clearing.range.',
        unit='1/m',
        minimum=0.0,
        maximum=10.0,
    )

    def stride_px(self, camera: PinholeCamera) -> int:
        """Return the distance between two rays [px], at least 1."""
        focal_px = min(camera.fx, camera.fy)
        return max(1, int(focal_px * math.tan(math.radians(self.spacing_deg))))


def clearing_points(
    inverse_depth: torch.Tensor,
    rays: torch.Tensor,
    camera: PinholeCamera,
    settings: ClearingSettings,
    depth_range: tuple[float, float],
    far_below: float,
) -> torch.Tensor:
    """Return (N, 3) float32 [m], the ends of rays known to be free, in the optical frame.

    A consumer such as Nav2's VoxelLayer clears the cells between the camera and each point, so a
    ray has a point only if every pixel of a square around it is known. It ends at the nearest
    surface in the square, which may be the floor, or at `range`.

    Args:
        inverse_depth: (H, W) float32 [1/m], NaN unknown, edges among them.
        rays: (2, H, W) float32, x/z and y/z.
        camera: Of the rays.
        settings: Of the cloud.
        depth_range: Nearest and farthest known depth [m].
        far_below: Inverse depth [1/m] below which a pixel is certainly far; -inf for none.
    """
    near, far = depth_range
    is_known = (inverse_depth * far >= 1) | (inverse_depth < far_below)
    is_known &= inverse_depth * near <= 1
    side = min(settings.stride_px(camera), *inverse_depth.shape)
    rows, columns = (length // side for length in inverse_depth.shape)
    squares = torch.where(is_known, inverse_depth, torch.nan)[: rows * side, : columns * side]
    # The maximum with NaN is NaN.
    nearest = squares.reshape(rows, side, columns, side).amax(dim=(1, 3))
    first, last = slice(0, None, side), slice(side - 1, None, side)
    ray = (rays[:, first, first][:, :rows, :columns] + rays[:, last, last]) / 2
    length = (1 + ray.square().sum(0)).sqrt()
    z = torch.maximum(nearest, length / settings.range).reciprocal()
    ends = torch.stack((ray[0] * z, ray[1] * z, z), dim=-1).flatten(0, 1)
    return ends[z.isfinite().flatten()]

"""Clearing cloud: ends of rays known to be free, for a consumer that clears its map."""

import torch

from ..camera.pinhole import PinholeCamera
from .output_settings import ClearingSettings


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

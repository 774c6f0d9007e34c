"""Specks: points above the ground that stand alone in their cell, as wrong matches leave them."""

import torch

from ..cpu_pixels import places
from .ground_segmentation import GroundView

_CELL_M = 0.05
"""Of Nav2's usual local costmap."""
_SIDE = 512
"""Cells along a side of the square around the camera; those at its border hold what is farther."""


def without_specks(
    depth: torch.Tensor, is_above: torch.Tensor, view: GroundView, min_cell_points: int
) -> torch.Tensor:
    """Return depth (H, W) [m] of what is above the ground, NaN elsewhere and at specks.

    Specks are the pixels in whose 5 cm cell of the ground plane fewer than `min_cell_points`
    stand, at whatever height. 0 or 1 keeps all. docs/nav2.md has the measurements.

    Args:
        depth: (H, W) float32 [m], NaN unknown.
        is_above: (H, W) bool.
        view: Of the camera to the ground.
        min_cell_points: Of a cell.
    """
    above = torch.where(is_above, depth, torch.nan)
    if min_cell_points <= 1:
        return above
    # index_select is several times as fast as a mask.
    pixels = places(is_above.flatten())
    z = depth.flatten().index_select(0, pixels).div_(_CELL_M)
    ahead, left = (
        axis.flatten().index_select(0, pixels).mul_(z).add_(_SIDE / 2).clamp_(0, _SIDE - 1)
        for axis in view.along
    )
    cell = ahead.floor_().mul_(_SIDE).add_(left.floor_()).to(torch.int32)
    is_speck = (cell.bincount(minlength=_SIDE * _SIDE) < min_cell_points).index_select(0, cell)
    above.view(-1)[pixels[is_speck]] = torch.nan
    return above

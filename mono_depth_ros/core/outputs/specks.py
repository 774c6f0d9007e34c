"""Specks: points above the ground that stand alone in their cell, as wrong matches leave them."""

import torch

from .ground_segmentation import GroundView

_CELL_M = 0.05
"""Of Nav2's usual local costmap."""
_SIDE = 1024
"""Cells along a side of the area around the camera; what is outside is kept."""


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
    pixels = is_above.flatten().nonzero()[:, 0]
    z = depth.flatten()[pixels]
    ahead, left = (
        (z * axis.flatten()[pixels] / _CELL_M).floor_().add_(_SIDE // 2).clamp_(-1, _SIDE)
        for axis in view.along
    )
    is_inside = (ahead >= 0) & (ahead < _SIDE) & (left >= 0) & (left < _SIDE)
    cell = torch.where(is_inside, ahead * _SIDE + left, _SIDE * _SIDE).long()
    count = cell.bincount(minlength=_SIDE * _SIDE + 1)
    count[_SIDE * _SIDE] = min_cell_points
    above.view(-1)[pixels[count[cell] < min_cell_points]] = torch.nan
    return above

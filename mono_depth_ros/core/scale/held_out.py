"""How well measurements tell those of other places: cross-validation of the corrections."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from .correction_field import Residuals
from .diffusion import Floats

_BLOCK = 4  # cells along a side
_MOST_ERROR = 0.7  # of ln inverse depth: twice as far
_HELD = 1e-6  # precision of a correction of 0, where nothing is left that tells one


class HeldOut(NamedTuple):
    """Errors of the field in cells whose own measurements were left out of it.

    Attributes:
        variance: (N,) of ln inverse depth, the noise of the measurements taken off.
        distance: (N,) to the next cell that was not left out, in widths of the grid.
    """

    variance: Floats
    distance: Floats


def held_out(residuals: Residuals) -> HeldOut | None:
    """Return what the field misses where it is not measured; None if there is but one place.

    The grid is a checkerboard of blocks. Those of one color are told by those of the other, as
    what lies between measurements is told by these, and are compared with what was measured there.
    """
    is_anchor = residuals.is_anchor
    is_black = _checkerboard(residuals.grid.size)
    if not (is_anchor & is_black).any() or not (is_anchor & ~is_black).any():
        return None
    total, moment = residuals.moments()
    field, distance = np.zeros_like(total), np.zeros_like(total)
    for kept in (is_black, ~is_black):
        told = residuals.grid.diffuse(np.where(kept, total, 0) + np.float32(_HELD), moment * kept)
        field = np.where(kept, field, told)
        distance = np.where(kept, distance, anchor_distance(is_anchor & kept))
    error = residuals.log_ratio - field.ravel()[residuals.cell]
    excess = np.square(error.clip(-_MOST_ERROR, _MOST_ERROR)) - residuals.variance
    mean = residuals.summed(residuals.weight * np.maximum(excess, 0))[is_anchor]
    return HeldOut(mean / residuals.weight_sums[is_anchor], distance[is_anchor])


def anchor_distance(is_anchor: npt.NDArray[np.bool_]) -> Floats:
    """Return the distance of each cell (h, w) to the next that is one, in widths of the grid."""
    free = (~is_anchor).astype(np.uint8)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float32)
    return np.asarray(distance / np.float32(free.shape[1]))


def _checkerboard(size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    rows, columns = (np.arange(length) // _BLOCK for length in size)
    is_odd: npt.NDArray[np.bool_] = (rows[:, None] + columns) % 2 == 1
    return is_odd

"""How well measurements tell those of other places: cross-validation of the corrections."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .correction_field import Residuals
from .diffusion import Floats

# Chosen with the constants of cell_variances.py.
_PLACE = 4  # cells along a side
_MOST_ERROR = 0.7  # of ln inverse depth: twice as far; what is left of outliers ends there
_FAR = 0.35  # widths of the grid
_WALK_ENDS = 2.9  # against the conductance between cells
_WALKS = 0.15  # their share of what is untold


class HeldOut(NamedTuple):
    """Errors of the field in cells whose own measurements were left out of it.

    Attributes:
        variance: (N,) of ln inverse depth; of each measurement what exceeds its noise, 0 if less.
        untold: (N,) as of `untold`, by the measurements that were not left out.
        places: Number of the squares of `_PLACE` cells that hold measurements.
    """

    variance: Floats
    untold: Floats
    places: int


def untold(residuals: Residuals, kept: npt.NDArray[np.bool_]) -> Floats:
    """Return the share of its variance that the network has in each cell (h, w).

    0 at measurements, 1 far away. A part of it grows with the square of the distance to the next
    measurement. The other is the square of the share of random walks that end on their way before
    they meet one: edges keep them from it.

    Args:
        residuals: Of measurements.
        kept: (h, w), the cells whose measurements count, of those that are anchors.
    """
    distance = residuals.grid.distance(residuals.is_anchor & kept)
    total = residuals.moments[0] * kept
    ended = 1 - residuals.grid.diffuse(total + np.float32(_WALK_ENDS), total)
    far = np.minimum(distance / _FAR, 1)
    share: Floats = (1 - _WALKS) * np.square(far) + _WALKS * np.square(ended.clip(0, 1))
    return share


def held_out(residuals: Residuals) -> HeldOut | None:
    """Return what the field misses where it is not measured; None if all is in one place.

    Places that hold measurements are of two colors. Those of one color are told by those of the
    other, as what lies between measurements is, and are compared with what was measured there.
    """
    is_anchor = residuals.is_anchor
    height, width = is_anchor.shape
    squares = is_anchor.reshape(height // _PLACE, _PLACE, width // _PLACE, _PLACE)
    is_place = np.asarray(squares.any(axis=(1, 3)))
    if is_place.sum() < 2:
        return None
    is_black = np.kron(_is_second(is_place), np.ones((_PLACE, _PLACE), np.bool_))
    total, moment = residuals.moments
    field, share = np.zeros_like(total), np.zeros_like(total)
    for kept in (is_black, ~is_black):
        field = np.where(kept, field, residuals.grid.diffuse(total * kept, moment * kept))
        share = np.where(kept, share, untold(residuals, kept))
    error = residuals.log_ratio - field.ravel()[residuals.cell]
    excess = np.square(error.clip(-_MOST_ERROR, _MOST_ERROR)) - residuals.variance
    mean = residuals.summed(residuals.weight * np.maximum(excess, 0))[is_anchor]
    variance = mean / residuals.weight_sums[is_anchor]
    return HeldOut(variance, share[is_anchor], int(is_place.sum()))


def _is_second(is_place: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return (rows, columns): every second place along a path there and back.

    So that where all squares are places it is a checkerboard, and where few are, as of a sensor
    with 4x4 zones, each color has its half of them.
    """
    path = is_place.copy()
    path[1::2] = path[1::2, ::-1]
    is_second: npt.NDArray[np.bool_] = path & (np.cumsum(path).reshape(path.shape) % 2 == 0)
    is_second[1::2] = is_second[1::2, ::-1]
    return is_second

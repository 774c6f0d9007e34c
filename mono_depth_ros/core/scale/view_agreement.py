"""Whether what a source measures is of the camera's view: evidence over many different views.

A fit of scale and shift to a LiDAR that is turned by 90 degrees, to mirrored points or to those of
a second ago often succeeds: floors are near at the bottom of any view. What then does not go
together is what varies from left to right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .correspondences import Correspondences, FloatArray
from .opposite_sign import OPPOSITE

# Of drives 100 to 103, with the embedded network: a LiDAR, a laser, landmarks and depth images.
_COLUMNS, _ROWS = 24, 18
_IN_A_ROW = 4
_LEAST_CELLS = 8
_LEAST_SPREAD = 0.1  # of ln depth within rows, below which a view tells nothing
_SAME_VIEW = 0.8  # correlation of two predictions above which they are of one view
_MEMORY = 40.0  # views
_FEWEST = 8
_DEVIATION = 0.3  # of the correlation from view to view, at least
_TOO_LOW = 0.4
"""Right sensors have 0.66 to 0.89 in the mean of such a drive and 0.42 to 0.97 in real images,
those turned by 90 or 180 degrees, mirrored or a second late -0.42 to 0.39 but for one."""


@dataclass(frozen=True, eq=False)
class RowProfile:
    """Where things are near and far within the rows of one image, by the cells of a grid.

    Attributes:
        cell: (N,) indices of the cells that hold points, of those rows that have enough.
        prediction: (N,) ranks less the mean of their row, as the network says.
        measured: (N,) the same, as measured.
        spread: Standard deviation of the measured ln depth within rows.
    """

    cell: np.ndarray
    prediction: FloatArray
    measured: FloatArray
    spread: float

    @property
    def correlation(self) -> float:
        """Rank correlation of prediction and measurement within rows, -1..1."""
        return _correlation(self.prediction, self.measured)

    def is_like(self, other: 'RowProfile') -> bool:
        """Say whether the network sees about the same as in another image."""
        _, here, there = np.intersect1d(self.cell, other.cell, return_indices=True)
        if len(here) < _LEAST_CELLS:
            return False
        return _correlation(self.prediction[here], other.prediction[there]) > _SAME_VIEW


class ViewAgreement:
    """Adds up how well one source agrees with the prediction, over views that differ."""

    def __init__(self) -> None:
        self._last: RowProfile | None = None
        self._sums = np.zeros(3)  # of 1, of the correlation, of its square

    def add(self, points: Correspondences) -> None:
        """Take in what was measured of an image, unless that is the view of the one before."""
        profile = row_profile(points)
        if profile is None or profile.spread < _LEAST_SPREAD:
            return
        if self._last is not None and profile.is_like(self._last):
            return
        self._last = profile
        found = profile.correlation
        self._sums = self._sums * (1 - 1 / _MEMORY) + (1, found, found * found)

    @property
    def objection(self) -> str:
        """Why the source is not of the camera's view, '' if it may be."""
        count, total, square = self._sums.tolist()
        if count < _FEWEST:
            return ''
        mean = total / count
        deviation = max(_DEVIATION, math.sqrt(max(0.0, square / count - mean * mean)))
        if mean < OPPOSITE or mean + 2 * deviation / math.sqrt(count) > _TOO_LOW:
            return ''  # a prediction of the opposite sign has no fit, which says why
        return (
            f'in {count:.0f} different views what is measured near and far from left to right is '
            f'not what the network sees there (rank correlation {mean:.2f}); look at the pose of '
            'the sensor, its stamps, mirrored or swapped axes, and the prediction'
        )


class ViewAgreements:
    """Those of every source of one camera."""

    def __init__(self) -> None:
        self._by_source: dict[str, ViewAgreement] = {}

    def objections(self, measured: Mapping[str, Correspondences]) -> dict[str, str]:
        """Take in what the sources measured of an image; return what speaks against some."""
        found: dict[str, str] = {}
        for source, points in measured.items():
            agreement = self._by_source.setdefault(source, ViewAgreement())
            agreement.add(points)
            if agreement.objection:
                found[source] = agreement.objection
        return found


def row_profile(points: Correspondences) -> RowProfile | None:
    """Return that of an image, None if too few cells of a row are measured."""
    column, row = (
        np.minimum((share * count).astype(int), count - 1)
        for share, count in zip(points.position.T, (_COLUMNS, _ROWS), strict=True)
    )
    cell = row * _COLUMNS + column
    count = np.bincount(cell, minlength=_ROWS * _COLUMNS)
    in_row = (count.reshape(_ROWS, _COLUMNS) > 0).sum(axis=1)
    chosen = np.flatnonzero((count > 0) & np.repeat(in_row >= _IN_A_ROW, _COLUMNS))
    if len(chosen) < _LEAST_CELLS:
        return None
    values = _ranks(points.prediction), _ranks(points.measured), np.log(points.measured)
    means = (np.bincount(cell, v, len(count))[chosen] / count[chosen] for v in values)
    prediction, measured, log = (_less_row_mean(m, chosen // _COLUMNS, in_row) for m in means)
    return RowProfile(chosen, prediction, measured, float(log.std()))


def _less_row_mean(values: FloatArray, row: np.ndarray, in_row: np.ndarray) -> FloatArray:
    mean = np.bincount(row, values, len(in_row)) / np.maximum(in_row, 1)
    less: FloatArray = values - mean[row]
    return less


def _ranks(values: FloatArray) -> FloatArray:
    """Return (N,) in 0..1: whatever grows with depth is the same."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values)] = np.linspace(0, 1, len(values))
    return ranks


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two rows without a mean, 0 where one does not vary."""
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0

"""Whether what a source measures is of the camera's view: evidence over many different views.

A fit of scale and shift to a LiDAR that is turned by 90 degrees, to mirrored points or to those of
a second ago often succeeds: floors are near at the bottom of any view. What then does not go
together is what varies from left to right.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from .correspondences import Correspondences, FloatArray
from .opposite_sign import OPPOSITE
from .other_views import OTHER_VIEWS, agreements, ranks, view_grid

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
_FEWEST_OTHERS = 5
_OTHER_DEVIATION = 0.25  # of a gain from view to view, at least
_CERTAIN = 3.0  # standard errors
_LEAST_GAIN = 0.1
_GOOD = 0.9  # Fisher's z of the other view
"""No other view fits right sensors by more than 0.5 standard errors in 24 such rounds; what fits a
wrong one has 0.9 to 2.3, and 0.1 to 0.8 what is better by chance."""
_FROZEN = 3  # images
_REMEDY = (
    'look at camera_info, the registration or the pose of the sensor, its stamps, mirrored or '
    'swapped axes, and the prediction'
)


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

    def sees_as(self, other: 'RowProfile') -> bool:
        """Say whether the network sees about the same as in another image."""
        return self._is_alike(other, self.prediction, other.prediction)

    def measures_as(self, other: 'RowProfile') -> bool:
        """Say whether about the same was measured as of another image."""
        return self._is_alike(other, self.measured, other.measured)

    def _is_alike(self, other: 'RowProfile', ours: FloatArray, theirs: FloatArray) -> bool:
        _, here, there = np.intersect1d(self.cell, other.cell, return_indices=True)
        if len(here) < _LEAST_CELLS:
            return False
        return _correlation(ours[here], theirs[there]) > _SAME_VIEW


class ViewAgreement:
    """Adds up how well one source agrees with the prediction, over views that differ."""

    def __init__(self) -> None:
        self._grid: FloatArray | None = None  # of the image before
        self._at_first: RowProfile | None = None  # when that image was first seen
        self._frozen = 0
        self._last: RowProfile | None = None
        self._of_rows = Mean(1)
        self._gains = Mean(len(OTHER_VIEWS))
        self._of_others = Mean(len(OTHER_VIEWS))

    def add(self, grid: FloatArray, points: Correspondences) -> None:
        """Take in what was measured of an image, unless that is the view of the one before.

        Args:
            grid: The prediction, see `view_grid`.
            points: Of the source.
        """
        profile = row_profile(points)
        if profile is None or profile.spread < _LEAST_SPREAD:
            return
        if self._grid is None or not np.array_equal(grid, self._grid):
            self._grid, self._at_first, self._frozen = grid, profile, 0
        elif self._at_first is not None and not profile.measures_as(self._at_first):
            self._frozen += 1
        if self._last is not None and profile.sees_as(self._last):
            return
        self._last = profile
        self._of_rows.add(np.array([profile.correlation]))
        here, there = agreements(grid, points)
        self._gains.add(there - here)
        self._of_others.add(there)

    @property
    def objection(self) -> str:
        """Why the source is not of the camera's view, '' if it may be."""
        if self._frozen >= _FROZEN:
            return (
                'the image stays the same to the last bit, and what is measured does not; '
                'the camera has stopped'
            )
        (mean,), (count,) = self._of_rows.mean, self._of_rows.count
        if mean < OPPOSITE:
            return ''  # a prediction of the opposite sign has no fit, which says why
        if found := self._fits_better():
            return found
        if count >= _FEWEST and mean + 2 * self._of_rows.error(_DEVIATION)[0] < _TOO_LOW:
            return (
                f'in {count:.0f} different views what is measured near and far from left to right '
                f'is not what the network sees there (rank correlation {mean:.2f}); {_REMEDY}'
            )
        return ''

    def _fits_better(self) -> str:
        """Return that what is measured is of another view than the camera's, '' if of none."""
        gains = self._gains
        certainty = np.where(gains.count >= _FEWEST_OTHERS, gains.mean, 0)
        certainty /= gains.error(_OTHER_DEVIATION)
        best = int(certainty.argmax())
        is_better = certainty[best] > _CERTAIN and gains.mean[best] > _LEAST_GAIN
        if not is_better or self._of_others.mean[best] < _GOOD:
            return ''
        return (
            f'in {gains.count[best]:.0f} different views what is measured would fit the '
            f'prediction better if {OTHER_VIEWS[best].name}; {_REMEDY}'
        )


class Mean:
    """Means of some numbers over the views, the latest ones above all; NaN is none.

    Attributes:
        count: (K,) of how many views.
    """

    def __init__(self, size: int) -> None:
        self.count = np.zeros(size)
        self._sum, self._squares = np.zeros(size), np.zeros(size)

    def add(self, values: FloatArray) -> None:
        """Take in (K,) values."""
        known = np.isfinite(values)
        value = np.where(known, values, 0)
        keep = np.where(known, 1 - 1 / _MEMORY, 1)
        self.count = self.count * keep + known
        self._sum = self._sum * keep + value
        self._squares = self._squares * keep + value * value

    @property
    def mean(self) -> FloatArray:
        """(K,), 0 of none."""
        found: FloatArray = self._sum / np.maximum(self.count, 1)
        return found

    def error(self, least_deviation: float) -> FloatArray:
        """Return (K,) standard errors of the mean, the deviation being at least so much."""
        count = np.maximum(self.count, 1)
        variance = np.maximum(self._squares / count - self.mean**2, least_deviation**2)
        found: FloatArray = np.sqrt(variance / count)
        return found


class ViewAgreements:
    """Those of every source of one camera."""

    def __init__(self) -> None:
        self._by_source: dict[str, ViewAgreement] = {}

    def objections(
        self, prediction: torch.Tensor, measured: Mapping[str, Correspondences]
    ) -> dict[str, str]:
        """Take in what the sources measured of an image; return what speaks against some."""
        grid = view_grid(prediction)
        found: dict[str, str] = {}
        for source, points in measured.items():
            agreement = self._by_source.setdefault(source, ViewAgreement())
            agreement.add(grid, points)
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
    values = ranks(points.prediction), ranks(points.measured), np.log(points.measured)
    means = (np.bincount(cell, v, len(count))[chosen] / count[chosen] for v in values)
    prediction, measured, log = (_less_row_mean(m, chosen // _COLUMNS, in_row) for m in means)
    return RowProfile(chosen, prediction, measured, float(log.std()))


def _less_row_mean(values: FloatArray, row: np.ndarray, in_row: np.ndarray) -> FloatArray:
    mean = np.bincount(row, values, len(in_row)) / np.maximum(in_row, 1)
    less: FloatArray = values - mean[row]
    return less


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two rows without a mean, 0 where one does not vary."""
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else 0.0

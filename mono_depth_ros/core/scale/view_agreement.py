"""Whether what a source measures is of the camera's view: evidence over many different views.

A fit of scale and shift to a LiDAR that is turned by 90 degrees, to mirrored points or to those of
a second ago often succeeds: floors are near at the bottom of any view. What then does not go
together is what varies from left to right; or what is measured would fit another view better.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from .correspondences import Correspondences, FloatArray
from .opposite_sign import OPPOSITE
from .other_views import OTHER_VIEWS, agreements, view_grid
from .rank_correlation import correlation, rank_correlation, ranks

# Chosen on drives 100 to 103 and 40 to 43 with the embedded network, and on the real frames:
# a LiDAR, a laser, landmarks and depth images. Others: benchmarks/results/wrong_views.md.
_COLUMNS, _ROWS = 24, 18
_IN_A_ROW = 4
_LEAST_CELLS = 8
_LEAST_SPREAD = 0.1  # of measured ln depth within rows, below which a view tells nothing
_LEAST_RELIEF = 0.05  # of the ranks of a prediction within rows; a floor has 0.01
_SAME_VIEW = 0.8  # correlation of two predictions above which they are of one view
_SOME = 1_000  # points
_MEMORY = 40  # views
_FEWEST, _FEWEST_OTHERS = 8, 4.5  # views; the latter faded: five of them
_DEVIATION, _OTHER_DEVIATION = 0.3, 0.25  # from view to view, at least
_TOO_LOW = 0.4
"""Of the rank correlation within rows: right sensors have 0.49 to 0.88 in the mean of a drive and
0.42 to 0.97 in real frames, those turned by 90 or 180 degrees, mirrored or late -0.4 to 0.4."""
_CERTAIN = 3.0  # standard errors
_LEAST_GAIN = 0.1
_GOOD = 0.9  # Fisher's z of the other view
"""No other view fits right sensors better in 40 rounds of drives 40 to 47, in the dark by up to
1.6 standard errors; what fits a wrong one has 0.9 to 2.3, what is better by chance 0.1 to 0.8."""
_FROZEN = 3  # images after the first of them
_CHANGED = 0.5  # correlation within rows below which something else is measured
_REMEDY = (
    'look at camera_info (and rectify), the registration or the pose of the sensor, its stamps, '
    'mirrored or swapped axes, and the prediction; then call ~/reset_alignment'
)


@dataclass(frozen=True, eq=False)
class RowProfile:
    """What is near and far within the rows of one image, by the cells of a grid.

    Attributes:
        cell: (N,) indices of the cells that hold points, of those rows that have enough.
        prediction: (N,) mean ranks, as the network says.
        measured: (N,) the same, as measured.
    """

    cell: np.ndarray
    prediction: FloatArray
    measured: FloatArray

    @property
    def correlation(self) -> float:
        """Rank correlation of prediction and measurement within rows, -1..1."""
        return _correlation_in_rows(self.prediction, self.measured, self.cell)

    def contradicts(self, other: 'RowProfile') -> bool:
        """Say whether something else was measured of another image, in places that both have."""
        cells, here, there = np.intersect1d(self.cell, other.cell, return_indices=True)
        if len(cells) < _LEAST_CELLS:
            return False
        ours, theirs = self.measured[here], other.measured[there]
        return _correlation_in_rows(ours, theirs, cells) < _CHANGED


class ViewAgreement:
    """Adds up how well one source agrees with the prediction, over views that differ."""

    def __init__(self) -> None:
        self._grid: FloatArray | None = None  # of the image before
        self._at_first: Correspondences | None = None  # when that image was first seen
        self._frozen = 0
        self._views: deque[FloatArray] = deque(maxlen=_MEMORY)
        self._count, self._is_refused = 0, False
        self._overall, self._in_rows = FadingMean(1), FadingMean(1)
        self._gains, self._there = FadingMean(len(OTHER_VIEWS)), FadingMean(len(OTHER_VIEWS))

    def add(self, grid: FloatArray, points: Correspondences) -> None:
        """Take in what was measured of an image; what is of a view known before counts once.

        Args:
            grid: The prediction, see `view_grid`.
            points: Of the source.
        """
        self._follow(grid, points)
        view = _view_of(grid)
        # Once mended, views that were seen before must tell so.
        known = list(self._views)[-_FEWEST if self._is_refused else 0 :]
        if view is None or any(correlation(view, other) > _SAME_VIEW for other in known):
            return
        profile = row_profile(points)
        if profile is None:
            return
        self._views.append(view)
        self._count += 1
        some = slice(None, None, 1 + len(points) // _SOME)
        overall = rank_correlation(points.prediction[some], points.measured[some])
        self._overall.add(np.array([overall]))
        self._in_rows.add(np.array([profile.correlation]))
        here, there = agreements(grid, points)
        self._gains.add(there - here)
        self._there.add(there)
        self._is_refused = bool(self.objection)

    def _follow(self, grid: FloatArray, points: Correspondences) -> None:
        """Count the images that are the same although something else is measured of them."""
        if self._grid is None or not np.array_equal(grid, self._grid, equal_nan=True):
            self._grid, self._at_first, self._frozen = grid, points, 0
        elif self._at_first is not None and np.nanmax(grid) > np.nanmin(grid):
            # A prediction that is the same everywhere says nothing about its image.
            first, now = row_profile(self._at_first), row_profile(points)
            self._frozen += first is not None and now is not None and now.contradicts(first)

    @property
    def objection(self) -> str:
        """Why the source is not of the camera's view, '' if it may be."""
        if self._frozen >= _FROZEN:
            return (
                'the image stays the same to the last bit, and what is measured does not; '
                'the camera has stopped'
            )
        mean, error = self._in_rows.mean[0], self._in_rows.error(_DEVIATION)[0]
        if max(mean, self._overall.mean[0]) < OPPOSITE:
            return ''  # a prediction of the opposite sign has no fit, which says why
        if found := self._fits_better():
            return found
        if self._count < _FEWEST or mean + 2 * error > _TOO_LOW:
            return ''
        return (
            f'in {self._count} different views what is measured near and far from left to right '
            f'is not what the network sees there (rank correlation {mean:.2f}); {_REMEDY}'
        )

    def _fits_better(self) -> str:
        """Return that what is measured is of another view than the camera's, '' if of none."""
        gain = self._gains.mean
        is_certain = gain > np.maximum(_CERTAIN * self._gains.error(_OTHER_DEVIATION), _LEAST_GAIN)
        is_certain &= (self._gains.count >= _FEWEST_OTHERS) & (self._there.mean > _GOOD)
        if not is_certain.any():
            return ''
        name = OTHER_VIEWS[int(np.where(is_certain, gain, -np.inf).argmax())].name
        return (
            f'in {self._count} different views what is measured would fit the prediction better '
            f'if {name}; {_REMEDY}'
        )


class FadingMean:
    """Means of some numbers over the views, in which earlier ones fade; NaN is none.

    Attributes:
        count: (K,) of how many views, faded.
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
            if objection := agreement.objection:
                found[source] = objection
        return found


def _view_of(grid: FloatArray) -> FloatArray | None:
    """Return what is near and far within the rows of a prediction, None if nothing is."""
    small = cv2.resize(grid, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA).ravel()
    view = _less_row_means(ranks(np.nan_to_num(small)), np.arange(small.size))
    return None if view.std() < _LEAST_RELIEF else view


def row_profile(points: Correspondences) -> RowProfile | None:
    """Return that of an image, None if too few cells of a row are measured, or all are alike."""
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
    prediction, measured, log = means
    if _less_row_means(log, chosen).std() < _LEAST_SPREAD:
        return None
    return RowProfile(chosen, prediction, measured)


def _correlation_in_rows(a: FloatArray, b: FloatArray, cell: np.ndarray) -> float:
    return correlation(_less_row_means(a, cell), _less_row_means(b, cell))


def _less_row_means(values: FloatArray, cell: np.ndarray) -> FloatArray:
    """Return values (N,) of cells without the mean of those in the same row."""
    row = cell // _COLUMNS
    count = np.bincount(row, minlength=_ROWS)
    less: FloatArray = values - (np.bincount(row, values, _ROWS) / np.maximum(count, 1))[row]
    return less

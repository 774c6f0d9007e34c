"""The field of corrections that measurements ask for, without outliers."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .diffusion import Floats, Grid
from .least_squares import OF_MEDIAN, TUKEY, median

# Those that change accuracy: `Constants` in benchmarks/results/fusion.md.
_PASSES = 10  # at most
_CONVERGED = 0.05
"""No more passes once the deviation changes by less than this share: mostly after the fourth.
Where two fifths are outliers on one wall, or three fifths anywhere, later: errors are 6 % less."""
_FIRST = 2.4
"""Deviations at which the first weights, of Geman and McClure (1987), are a quarter. They do not
end: where the network has a whole surface wrong, what was measured there is all there is."""
_DIFFERENT = 4.0  # deviations by which neighboring measurements differ if one is an outlier
_MANY_OUTLIERS = 0.3
_MOST_BELIEF = 2.0
"""With fewer outliers than that, scattered ones, the first weights reach farther, up to so many
times: it is the network that is wrong."""
_MATCHED_BELIEF = 0.5
"""How far those of matches reach, whose outliers fill regions: neighbors of one are others."""
_ENDLESS_PASSES = 2  # after which the weights are still theirs, by the distance from the field
_INLIER = 0.5  # weight of those that tell the deviation
_ANCHOR = 0.5  # sum of the weights of what was measured in a cell
_LEAST_SPREAD = 0.02
_SPREAD_RANGE = (0.03, 0.3)  # of the deviations from the network, of ln inverse depth
_MOST_PRECISION = 1e4  # of a cell: errors of measurements of one place are correlated
_DEVIATION_SAMPLES = 4_000  # of which the median is taken


@dataclass(frozen=True, eq=False)
class Samples:
    """Measured pixels.

    Attributes:
        cell: (N,) int64, index of the cell of the grid that each lies in.
        log_ratio: (N,) ln of measured over aligned inverse depth.
        variance: (N,) of that.
        in_sky: (M,) int64, cells of others that lie where the prediction is infinitely far.
        is_matched: (N,) bool, see `DepthMeasurement`.
    """

    cell: npt.NDArray[np.int64]
    log_ratio: Floats
    variance: Floats
    in_sky: npt.NDArray[np.int64]
    is_matched: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Residuals:
    """A field of corrections, and how far what was measured deviates from it, in ln inverse depth.

    Attributes:
        grid: Over the image.
        cell: (N,) int64, index of the cell of the grid that each measured pixel lies in.
        log_ratio: (N,) measured over aligned.
        variance: (N,) of that, as the measurement states it.
        field: (h, w) of corrections, ln of fused over aligned.
        error: (N,) measured minus fused.
        weight: (N,) 0..1, 0 for outliers.
        spread: Standard deviation of the inliers.
        network_spread: That of the same pixels from the network alone.
        in_sky: (M,) int64, cells of those that lie where the prediction is infinitely far.
        is_matched: (N,) bool, see `DepthMeasurement`.
    """

    grid: Grid
    cell: npt.NDArray[np.int64]
    log_ratio: Floats
    variance: Floats
    field: Floats
    error: Floats
    weight: Floats
    spread: float
    network_spread: float
    in_sky: npt.NDArray[np.int64]
    is_matched: npt.NDArray[np.bool_]

    @cached_property
    def weight_sums(self) -> Floats:
        """(h, w), see `summed`."""
        return self.summed(self.weight)

    def summed(self, values: Floats) -> Floats:
        """Return (h, w): the sums of values (N,) over the pixels of each cell."""
        height, width = self.grid.size
        sums = np.bincount(self.cell, values, height * width)
        return sums.astype(np.float32).reshape(height, width)

    @cached_property
    def is_anchor(self) -> npt.NDArray[np.bool_]:
        """(h, w), whether the weights of what was measured in a cell are enough to tell it."""
        return self.weight_sums >= _ANCHOR

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """(h, w) each: the precision of a cell's measurements, and that times their mean.

        The sum of their precisions, at most `_MOST_PRECISION`.
        """
        precision = self.weight / self.variance
        total, moment = self.summed(precision), self.summed(precision * self.log_ratio)
        limit = np.minimum(_MOST_PRECISION / np.maximum(total, 1e-9), 1)
        return total * limit, moment * limit

    def around(self, weight: Floats, values: Floats, precision: float = _MOST_PRECISION) -> Floats:
        """Return (h, w): the weighted mean of values (N,) at measurements around each cell.

        Args:
            weight: (N,) of them.
            values: (N,).
            precision: Of a weight of 1, against the conductance between cells: with less the mean
                is that of a wider region.
        """
        total = self.summed(precision * weight) + np.float32(1e-3)
        return self.grid.diffuse(total, self.summed(precision * weight * values))


def correction_field(grid: Grid, samples: Samples) -> Residuals:
    """Return the field of ln ratios, and what it misses."""
    ratio, cell = samples.log_ratio, samples.cell
    some = max(1, len(ratio) // _DEVIATION_SAMPLES)
    spread = _deviation(ratio[::some], *_SPREAD_RANGE)
    belief = np.where(samples.is_matched, _MATCHED_BELIEF, _belief(samples))
    far = (_FIRST * belief).astype(np.float32)
    first = _endless_weights(ratio, far * np.float32(spread))
    residuals = Residuals(
        *(grid, cell, ratio, samples.variance, np.zeros(grid.size), ratio, first),
        *(spread, spread, samples.in_sky, samples.is_matched),
    )
    for k in range(_PASSES):
        field = grid.diffuse(*residuals.moments)
        error = ratio - field.ravel()[cell]
        inlying = error[::some][residuals.weight[::some] > _INLIER]
        before, spread = spread, _deviation(inlying, _LEAST_SPREAD, _SPREAD_RANGE[1])
        if k < _ENDLESS_PASSES:
            weight = _endless_weights(error, far * np.float32(spread))
        else:
            weight = _tukey_weights(error, TUKEY * spread)
        residuals = replace(residuals, field=field, error=error, weight=weight, spread=spread)
        if k > _ENDLESS_PASSES and abs(spread - before) < _CONVERGED * before:
            break
    return residuals


def _belief(samples: Samples) -> float:
    """Return how many times as far from the network others than matches are believed.

    Samples that follow each other are neighbors in the image, mostly. If a share of them are
    outliers, anywhere, then of a share 1 - (1 - outliers)^2 of pairs one is, and the ratios of
    the two differ by more than noise.
    """
    own = np.flatnonzero(~samples.is_matched)
    square = np.square(np.diff(samples.log_ratio[own]))
    noise = samples.variance[own][1:] + samples.variance[own][:-1]
    differing = float(np.mean(square > _DIFFERENT**2 * noise)) if len(square) else 1.0
    outliers = 1 - math.sqrt(1 - differing)
    return min(max(_MANY_OUTLIERS / max(outliers, 1e-6), 1.0), _MOST_BELIEF)


def _deviation(errors: Floats, least: float, most: float) -> float:
    """Return the standard deviation of the inliers by the median of all, within bounds."""
    if not len(errors):
        return most
    return min(max(OF_MEDIAN * median(np.abs(errors)), least), most)


def _endless_weights(error: Floats, far: Floats) -> Floats:
    """Return those of Geman and McClure, a quarter for errors that are far."""
    weights: Floats = 1 / np.square(1 + np.square(error / far))
    return weights


def _tukey_weights(error: Floats, end: float) -> Floats:
    weights: Floats = np.square(np.maximum(1 - np.square(error / np.float32(end)), 0))
    return weights

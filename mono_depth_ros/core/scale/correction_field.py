"""The field of corrections that measurements ask for, without outliers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .diffusion import Floats, Grid

# Those that change accuracy: `Constants` in benchmarks/results/fusion.md.
_PASSES = 5
_TUKEY = 4.685  # where Tukey's weights end, in deviations (Huber, 1981)
_FIRST = 2.4
"""Deviations at which the first weights, of Geman and McClure (1987), are a quarter. They do not
end: where the network has a whole surface wrong, what was measured there is all there is."""
_ENDLESS_PASSES = 2  # after which the weights are still theirs, by the distance from the field
_INLIER = 0.5  # weight of those that tell the deviation
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
    """

    cell: npt.NDArray[np.int64]
    log_ratio: Floats
    variance: Floats


@dataclass(frozen=True, eq=False)
class Residuals:
    """Deviations of what was measured from the fused depth, in ln inverse depth.

    Attributes:
        grid: Over the image.
        cell: (N,) int64, index of the cell of the grid that each measured pixel lies in.
        error: (N,) measured minus fused.
        weight: (N,) 0..1, 0 for outliers.
        spread: Standard deviation of the inliers.
        network_spread: That of the same pixels from the network alone.
    """

    grid: Grid
    cell: npt.NDArray[np.int64]
    error: Floats
    weight: Floats
    spread: float
    network_spread: float

    def summed(self, values: Floats) -> Floats:
        """Return (h, w): the sums of values (N,) over the pixels of each cell."""
        height, width = self.grid.size
        sums = np.bincount(self.cell, values, height * width)
        return sums.astype(np.float32).reshape(height, width)


def correction_field(grid: Grid, samples: Samples) -> tuple[Floats, Residuals]:
    """Return the field of ln ratios (h, w), and what it misses."""
    ratio, cell = samples.log_ratio, samples.cell
    some = max(1, len(ratio) // _DEVIATION_SAMPLES)
    spread = network_spread = _deviation(ratio[::some], *_SPREAD_RANGE)
    residuals = Residuals(grid, cell, ratio, _endless_weights(ratio, spread), spread, spread)
    for k in range(_PASSES):
        precision = residuals.weight / samples.variance
        total, moment = residuals.summed(precision), residuals.summed(precision * ratio)
        limit = np.minimum(_MOST_PRECISION / np.maximum(total, 1e-9), 1)
        field = grid.diffuse(total * limit, moment * limit)
        error = ratio - field.ravel()[cell]
        inlying = error[::some][residuals.weight[::some] > _INLIER]
        spread = _deviation(inlying, _LEAST_SPREAD, _SPREAD_RANGE[1])
        weights = _endless_weights if k < _ENDLESS_PASSES else _tukey_weights
        residuals = Residuals(grid, cell, error, weights(error, spread), spread, network_spread)
    return field, residuals


def _deviation(errors: Floats, least: float, most: float) -> float:
    """Return the standard deviation of the inliers by the median of all, within bounds."""
    if not len(errors):
        return most
    middle = len(errors) // 2
    median = np.partition(np.abs(errors), middle)[middle]
    return min(max(1.4826 * float(median), least), most)


def _endless_weights(error: Floats, deviation: float) -> Floats:
    """Return those of Geman and McClure."""
    weights: Floats = 1 / np.square(1 + np.square(error / np.float32(_FIRST * deviation)))
    return weights


def _tukey_weights(error: Floats, deviation: float) -> Floats:
    square = np.square(error / np.float32(_TUKEY * deviation))
    weights: Floats = np.square(np.maximum(1 - square, 0))
    return weights

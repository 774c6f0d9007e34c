"""Weighted least squares of scale and shift, and the weights that make it robust."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import AlignmentError
from ..types import AffineScale, PredictionKind
from .correspondences import Correspondences, FloatArray

# Chosen by `Tuned constants` in benchmarks/results/alignment.md: the largest that keep the error
# with 40 % outliers below 1 %.
OF_MEDIAN = 1.4826  # of a median absolute error, the standard deviation if normal
NEAR = 3.0  # standard deviations within which a point is an inlier
TUKEY = 4.685  # where Tukey's weights end: 95 % efficiency for normal noise (Huber, 1981)
_CAUCHY = 1.5  # where Cauchy's weights halve
_END = 8.0  # where they end
_SPREAD_RANGE = (0.05, 1.5)  # of the deviation of the inliers, in units of the expected one


def normal_equations(points: Correspondences, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (2, 2) and (2,): matrix and right-hand side of the weighted fit, per point."""
    w = weight * points.weight / len(points)
    p, q = points.prediction, points.measured
    wp = w * p
    b = wp.sum()
    return np.array(((wp @ p, b), (b, w.sum()))), np.array((wp @ q, w @ q))


def solve(
    normal: FloatArray,
    moment: FloatArray,
    quantity: PredictionKind = PredictionKind.INVERSE_DEPTH,
) -> AffineScale:
    """Return the solution of `normal_equations`, of points of that quantity.

    Raises:
        AlignmentError: Scale is not determined, or not positive.
    """
    (a, b), (_, c) = normal.tolist()
    d, e = moment.tolist()
    determinant = a * c - b * b
    if not determinant > 1e-9 * a * c:
        raise AlignmentError('the scene is flat to the network; scale is not determined')
    scale, shift = (d * c - b * e) / determinant, (a * e - b * d) / determinant
    if not scale > 0:
        raise AlignmentError(f'scale came out as {scale:.4g}; it must be positive')
    return AffineScale(scale, shift, quantity)


def tukey_weights(square: FloatArray) -> FloatArray:
    """Return Tukey's weights, 0..1, of squared residuals in units of their expected variance."""
    return (1 - square / (TUKEY**2 * _spread(square))).clip(min=0) ** 2


def cauchy_weights(square: FloatArray) -> FloatArray:
    """Return Cauchy's weights, 0..1, tapered to 0 at `_END` deviations; see `tukey_weights`."""
    relative = square / _spread(square)
    return (1 - relative / _END**2).clip(min=0) ** 2 / (1 + relative / _CAUCHY**2)


def median(values: npt.NDArray[np.floating[Any]]) -> float:
    """Return the upper median of (N,), at least one; NumPy's own takes several times as long."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _spread(square: FloatArray) -> float:
    """Return the variance of the inliers, by their median, in units of the expected one."""
    near = square[square < NEAR**2]
    if not len(near):
        return 1.0
    low, high = _SPREAD_RANGE
    return min(max(OF_MEDIAN**2 * median(near), low**2), high**2)

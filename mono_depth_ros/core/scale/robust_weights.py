"""Robust weights of residuals for iteratively reweighted least squares."""

import numpy as np

from .correspondences import FloatArray

NEAR = 3.0
"""Standard deviations within which a point is an inlier."""
_TUKEY = 4.685
"""Deviations at which Tukey's weights end: 95 % efficient for normal noise (Huber 1981)."""
_CAUCHY = 1.5
_END = 8.0
"""Deviations at which Cauchy's weights halve, and at which they end."""
_SPREAD_RANGE = (0.05, 1.5)
"""Bounds of the actual deviation of the inliers, in units of the expected one."""


def tukey_weights(square: FloatArray) -> FloatArray:
    """Return Tukey's biweights, 0..1, of squared residuals in units of their expected variance."""
    weight: FloatArray = (1 - square / (_TUKEY**2 * _spread(square))).clip(min=0) ** 2
    return weight


def cauchy_weights(square: FloatArray) -> FloatArray:
    """Return Cauchy's weights, 0..1, tapered to 0 at `_END` deviations; see `tukey_weights`."""
    relative = square / _spread(square)
    end: FloatArray = (1 - relative / _END**2).clip(min=0) ** 2
    return end / (1 + relative / _CAUCHY**2)


def _spread(square: FloatArray) -> float:
    """Return the variance of the inliers, by their median, in units of the expected one."""
    near = square[square < NEAR**2]
    if not len(near):
        return 1.0
    low, high = _SPREAD_RANGE
    return float(np.clip(1.4826**2 * np.median(near), low**2, high**2))

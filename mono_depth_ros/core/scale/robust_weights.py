"""Weights of residuals, by which a fit finds out what belongs to it."""

import numpy as np

from .correspondences import FloatArray

NEAR = 3.0
"""Deviations within which a point supports a fit."""
_TUKEY = 4.685
_CAUCHY = 1.5
_END = 8.0


def tukey_weights(square: FloatArray) -> FloatArray:
    """Return Tukey's weights, 0..1, of squared residuals in units of their expected variance."""
    weight: FloatArray = (1 - square / (_TUKEY**2 * _spread(square))).clip(min=0) ** 2
    return weight


def cauchy_weights(square: FloatArray) -> FloatArray:
    """Return Cauchy's weights, 0..1, brought to 0 at `_END` deviations, likewise."""
    relative = square / _spread(square)
    end: FloatArray = (1 - relative / _END**2).clip(min=0) ** 2
    return end / (1 + relative / _CAUCHY**2)


def _spread(square: FloatArray) -> float:
    """Return the actual variance of those that are near, in units of the expected one.

    It may be smaller than expected, or somewhat larger.
    """
    near = square[square < NEAR**2]
    if not len(near):
        return 1.0
    return float(np.clip(1.4826**2 * np.median(near), 0.05**2, 1.5**2))

"""What is known of scale and shift before anything is measured."""

import math

import numpy as np

from .correspondences import Correspondences, FloatArray

_SHIFT_DEVIATION = 1.0  # of shift from 0
_FARTHEST, _DEVIATION = 0.4, 0.15
"""Inverse depth of the farthest hundredth of a view, in units of that of its median pixel: 0.4 in
the median of simulated rooms with a deviation of 0.15 to 0.25, 0.7 in the real frames, 0 below a
sky. Chosen on drives 300 to 311 with a laser, views 90000 to 90015 and every third real frame."""
_FREEDOM = 4.0  # degrees of freedom of its distribution, which has the tails of Student's


def prior_precision(points: Correspondences) -> FloatArray:
    """Return (2, 2): what to add to `normal_equations`, whose right-hand side stays as it is.

    Shift is 0, give or take the median inverse depth, since most networks say 0 for what is
    infinitely far. And views are alike in how far they reach: the inverse depth of the farthest
    hundredth is `_FARTHEST` times that of the median pixel. That compares pixels of one fit, so it
    holds whatever zero a network has; the flatter a prediction looks, the less it counts. Both
    matter only where points leave the shift open: they count as one region of the image.
    """
    typical = points.typical if math.isfinite(points.typical) else np.median(points.prediction)
    farthest = points.farthest if math.isfinite(points.farthest) else points.prediction.min()
    share = np.clip(farthest / typical, 0, 1) if typical > 0 else _FARTHEST
    deviation = math.hypot(_DEVIATION, (share - _FARTHEST) / _FREEDOM**0.5)
    of_shift = np.array((0.0, 1 / _SHIFT_DEVIATION))
    of_farthest = np.array((farthest - _FARTHEST * typical, 1 - _FARTHEST)) / deviation
    square = points.middle**2
    outer = np.outer(of_shift, of_shift) + np.outer(of_farthest, of_farthest)
    precision: FloatArray = outer / (square * points.regions)
    return precision

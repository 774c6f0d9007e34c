"""What is known of scale and shift before anything is measured."""

import math

import numpy as np

from ..types import PredictionKind
from .correspondences import Correspondences, FloatArray

_SHIFT_DEVIATION = 1.0  # of shift from 0
_ABSOLUTE_SHIFT_DEVIATION = 0.2
"""The same of a network with meters. Of the best lines through what tiny says: 0.14 about 0.25 in
the real frames, 0.34 in views 90000 to 90015. Chosen on these and on drives 300 to 311 with a
laser: `Few points` in docs/alignment.md."""
_FARTHEST, _DEVIATION = 0.4, 0.15
"""Inverse depth of the farthest hundredth of a view, in units of that of its median pixel: 0.4 in
the median of simulated rooms with a deviation of 0.15 to 0.25, 0.7 in the real frames, 0 below a
sky. Chosen on drives 300 to 311 with a laser, views 90000 to 90015 and every third real frame."""
_FREEDOM = 4.0  # degrees of freedom of its distribution, which has the tails of Student's


def prior_precision(points: Correspondences) -> FloatArray:
    """Return (2, 2): what to add to `normal_equations`, whose right-hand side stays as it is.

    Shift is 0, give or take the median of what was measured, since most networks say 0 for what
    is infinitely far, and those of depth for the camera itself; give or take a fifth of it where
    a network has meters, which mean nothing else. Their scale is not taken for known: it is off by
    half in a room unlike those of the training. And views are alike in how far
    they reach: the inverse depth of the farthest hundredth is `_FARTHEST` times that of the median
    pixel. That compares pixels of one fit, so it holds whatever zero a network has; the flatter a
    prediction looks, the less it counts. They matter only where points leave the shift open: they
    count as one region of the image.
    """
    is_depth = points.quantity is PredictionKind.DEPTH
    end = points.prediction.max() if is_depth else points.prediction.min()
    farthest = points.farthest if math.isfinite(points.farthest) else end
    typical = points.typical if math.isfinite(points.typical) else np.median(points.prediction)
    small, large = (typical, farthest) if is_depth else (farthest, typical)
    share = np.clip(small / large, 0, 1) if large > 0 else _FARTHEST
    deviation = math.hypot(_DEVIATION, (share - _FARTHEST) / _FREEDOM**0.5)
    if is_depth:  # (q_far - 0.4 q) / q = (Z - 0.4 Z_far) / Z_far, where Z_far is about Z / 0.4
        deviation /= _FARTHEST
    of_zero = _ABSOLUTE_SHIFT_DEVIATION if points.is_absolute else _SHIFT_DEVIATION
    of_shift = np.array((0.0, 1 / of_zero))
    of_farthest = np.array((small - _FARTHEST * large, 1 - _FARTHEST)) / deviation
    level, of_points = points.middle, float(np.median(points.prediction))
    if points.is_absolute and of_points > 0 and typical > 0:
        level *= typical / of_points  # of the view, if what was measured is nearer or farther
    square = level**2
    outer = np.outer(of_shift, of_shift) + np.outer(of_farthest, of_farthest)
    precision: FloatArray = outer / (square * points.regions)
    return precision

"""Scenes whose depth varies too little for a fit of both scale and shift."""

import math

import numpy as np

from ..errors import AlignmentError
from .correspondences import Correspondences

_MIN_SPREAD = 1.5  # of what was measured, in expected deviations of prediction from measurement
_NORMAL_90 = 3.29  # standard deviations between the quantiles 0.05 and 0.95, if normal


class FlatSceneError(AlignmentError):
    """Measured depth varies too little to determine both scale and shift."""


def is_flat(points: Correspondences) -> bool:
    """Say whether depth varies by less than the errors of the network."""
    middle, spread = _middle_and_spread(points)
    return spread < _MIN_SPREAD * math.sqrt(np.median(points.variance(np.array(middle))))


def require_spread(points: Correspondences) -> None:
    """Raise `FlatSceneError` if depth is flat."""
    if is_flat(points):
        middle, spread = _middle_and_spread(points)
        quantity = points.quantity
        about = f'{spread / middle:.0%} about {middle:.3g} {quantity.unit}'
        varies = f'{quantity.label} varies by {about}'
        raise FlatSceneError(f'the scene is flat: {varies}, too little to tell scale from shift')


def _middle_and_spread(points: Correspondences) -> tuple[float, float]:
    values = points.measured
    quantiles = np.quantile(values, (0.05, 0.5, 0.95)) if len(values) else (0.0, 1.0, 0.0)
    low, middle, high = quantiles
    return float(middle), float((high - low) / _NORMAL_90)

"""Why no fit succeeds: a prediction that falls where it should grow."""

from .correspondences import Correspondences
from .flat_scene import is_flat
from .rank_correlation import rank_correlation

OPPOSITE = -0.5
"""Rank correlation of prediction with measurement: -1 for depth in place of inverse
depth, 0 for a measurement of something else; halfway, a quarter may be outliers of any kind."""


def explain_sign(points: Correspondences) -> str:
    """Return that the prediction is of the opposite sign, '' if that explains nothing."""
    if len(points) < 2 or is_flat(points):
        return ''
    correlation = rank_correlation(points.prediction, points.measured)
    if correlation > OPPOSITE:
        return ''
    return (
        f'; the prediction falls where measured {points.quantity.label} grows (rank correlation '
        f'{correlation:.2f}): the kind is probably depth where the card of the network says '
        'inverse depth, or the reverse; where the card is right, the image is upside down'
    )

"""What a fit must reach to be used."""

from ..errors import AlignmentError
from .correspondences import Correspondences
from .scale_settings import AlignmentSettings


def require_residual(residual: float, settings: AlignmentSettings) -> None:
    """Raise `AlignmentError` if the median relative error exceeds `alignment.max_residual`."""
    if residual > settings.max_residual:
        raise AlignmentError(
            f'the fit misses by {residual:.0%} in the median; alignment.max_residual is '
            f'{settings.max_residual:.0%}'
        )


def require_certainty(
    points: Correspondences, uncertainty: float, settings: AlignmentSettings
) -> None:
    """Raise `AlignmentError` if the median depth is less certain than allowed."""
    if uncertainty > settings.max_uncertainty:
        raise AlignmentError(
            f'{len(points)} measured points in {points.regions} regions of the image leave the '
            f'median depth uncertain by {uncertainty:.0%}; alignment.max_uncertainty is '
            f'{settings.max_uncertainty:.0%}',
            'measure more places of the image, and nearer and farther ones',
        )

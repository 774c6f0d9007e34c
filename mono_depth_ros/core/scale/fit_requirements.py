"""What a fit must reach to be used."""

from ..errors import AlignmentError
from .correspondences import Correspondences
from .flat_scene import FlatSceneError
from .scale_settings import AlignmentSettings

_WORSE = 1.2
_WORSE_SLACK = 0.01
"""A residual is as good as another up to `_WORSE` times that plus the slack: `RLS + restart` in
benchmarks/results/alignment.md. Half or twice of either changes the error of a drive by 0.02 %,
and 0.6 would restart at every fit."""


def is_as_good(residual: float, other: float) -> bool:
    """Return whether a median relative error says that nothing has changed since another one."""
    return residual <= _WORSE * other + _WORSE_SLACK


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


def require_level(flat: FlatSceneError, uncertainty: float, settings: AlignmentSettings) -> None:
    """Raise `AlignmentError` if one depth leaves the median depth less certain than allowed."""
    if uncertainty > settings.max_uncertainty:
        raise AlignmentError(
            f'{flat}, and the median depth is left uncertain by {uncertainty:.0%}; '
            f'alignment.max_uncertainty is {settings.max_uncertainty:.0%}'
        )

"""Alignment over time: fits come now and then, every frame needs one, and none lasts for ever."""

from dataclasses import dataclass

import torch

from .errors import AlignmentError
from .fitting import METHODS, Fit, Points, select_points, solve
from .settings import Settings, setting
from .stereo import StereoObservation
from .types import Alignment

_SEED = 0
_WORSE = 1.5
_WORSE_SLACK = 0.02


@dataclass(frozen=True)
class AlignmentSettings(Settings):
    """How predictions are made metric by measurements."""

    source: str = setting(
        'none',
        'What gives the scale: none, disparity (topic disparity) or depth (registered_depth).',
        choices=('none', 'disparity', 'depth'),
    )
    method: str = setting(
        'robust',
        'robust, least_squares, or min_max (range onto range).',
        choices=tuple(METHODS),
    )
    max_age: float = setting(
        2.0, 'A fit older than this is not used any more.', unit='s', minimum=0.05, maximum=3600.0
    )
    refit_period: float = setting(
        0.2, 'Least time between two fits.', unit='s', minimum=0.0, maximum=60.0
    )
    smoothing: float = setting(
        0.7, 'Weight of all earlier fits beside a new one; 0 = none.', minimum=0.0, maximum=0.99
    )
    min_points: int = setting(
        200, 'Fewer measured points are not fitted.', minimum=10, maximum=4096
    )
    max_residual: float = setting(
        0.25,
        'A fit with a larger median relative error of inverse depth is not used.',
        minimum=0.001,
        maximum=10.0,
    )


@dataclass(frozen=True)
class AlignmentState:
    """The alignment in force and where it comes from.

    Attributes:
        alignment: What to apply.
        stamp_ns: Stamp of the newest measurement in it [ns].
        inlier_ratio: Of that measurement's own fit.
        residual: Likewise: median relative error of inverse depth.
        points: Likewise: how many were fitted.
    """

    alignment: Alignment
    stamp_ns: int
    inlier_ratio: float
    residual: float
    points: int


class Aligner:
    """Fits, smooths and ages the alignment of one camera.

    Smoothing adds up normal equations with exponential forgetting (recursive least squares): a
    frame that says little about scale, because its depths hardly differ, moves it little. When
    the sum explains a new frame clearly worse than the frame's own fit does, the scene has
    changed, and the sum starts again.

    Args:
        settings: May be replaced at any time.

    Attributes:
        state: The alignment in force, whatever its age; None before the first fit.
        refusal: Why the latest measurement was not used, '' if it was.
    """

    def __init__(self, settings: AlignmentSettings) -> None:
        self.settings = settings
        self.state: AlignmentState | None = None
        self.refusal = ''
        self._normal = torch.zeros(2, 2, dtype=torch.float64)
        self._moment = torch.zeros(2, dtype=torch.float64)
        self._generator = torch.Generator()
        self.reset()

    def reset(self) -> None:
        """Forget every fit."""
        self.state = None
        self.refusal = ''
        self._generator.manual_seed(_SEED)

    def refuse(self, reason: str) -> None:
        """Note why a measurement cannot even be tried."""
        self.refusal = reason

    def is_due(self, stamp_ns: int) -> bool:
        """Say whether a measurement of this stamp [ns] should be fitted."""
        if self.state is None:
            return True
        waited_s = (stamp_ns - self.state.stamp_ns) / 1e9
        return waited_s < 0 or waited_s >= self.settings.refit_period

    def observe(
        self,
        stamp_ns: int,
        prediction: torch.Tensor,
        observation: StereoObservation,
        near_far: tuple[float, float],
    ) -> None:
        """Take a measurement in; `state` or `refusal` say what became of it.

        A stamp before the latest one resets first: time has jumped back.

        Args:
            stamp_ns: Stamp of image and measurement [ns].
            prediction: (H, W) float32, relative inverse depth or a metric network's inverse depth.
            observation: Of the same moment and view.
            near_far: Depths between which measurements count [m].
        """
        if self.state is not None and stamp_ns < self.state.stamp_ns:
            self.reset()
        try:
            points = select_points(prediction, observation, near_far, self._generator)
            fit = self._fit(points)
        except AlignmentError as error:
            self.refusal = str(error)
            return
        self.refusal = ''
        self.state = AlignmentState(
            self._smoothed(points, fit), stamp_ns, fit.inlier_ratio, fit.residual, fit.points
        )

    def current(self, stamp_ns: int) -> tuple[Alignment | None, str]:
        """Return the alignment for an image of this stamp [ns], or None and the reason."""
        if self.state is None:
            why = self.refusal or f'no measurement came from {self.settings.source} yet'
            return None, f'no alignment: {why}'
        age_s = (stamp_ns - self.state.stamp_ns) / 1e9
        if age_s > self.settings.max_age:
            why = f' ({self.refusal})' if self.refusal else ''
            return None, (
                f'the alignment is {age_s:.1f} s old; alignment.max_age is '
                f'{self.settings.max_age} s{why}'
            )
        return self.state.alignment, ''

    def _fit(self, points: Points) -> Fit:
        if len(points) < self.settings.min_points:
            raise AlignmentError(
                f'{len(points)} measured points; alignment.min_points is '
                f'{self.settings.min_points}'
            )
        fit = METHODS[self.settings.method](points, self._generator)
        if fit.residual > self.settings.max_residual:
            raise AlignmentError(
                f'the fit misses by {fit.residual:.0%} in the median; alignment.max_residual is '
                f'{self.settings.max_residual:.0%}'
            )
        return fit

    def _smoothed(self, points: Points, fit: Fit) -> Alignment:
        memory = self.settings.smoothing if self.state is not None else 0.0
        normal = memory * self._normal + (1 - memory) * fit.normal
        moment = memory * self._moment + (1 - memory) * fit.moment
        smoothed = solve(normal, moment)
        if relative_error(points, smoothed) > _WORSE * fit.residual + _WORSE_SLACK:
            normal, moment, smoothed = fit.normal, fit.moment, fit.alignment
        self._normal, self._moment = normal, moment
        return smoothed


def relative_error(points: Points, alignment: Alignment) -> float:
    """Return the median error of inverse depth over the points, relative to it."""
    predicted = alignment.scale * points.prediction + alignment.shift
    return float(((predicted - points.inverse_depth).abs() / points.inverse_depth).median())

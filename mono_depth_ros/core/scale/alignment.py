"""Alignment over time: fits come now and then, every frame needs one, and none lasts for ever."""

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import AlignmentError
from ..types import AffineScale
from .alignment_settings import AlignmentSettings as AlignmentSettings
from .correspondences import Correspondences, FloatArray, select_correspondences
from .depth_measurement import DepthMeasurement
from .fitting import METHODS, Fit, FlatSceneError, inliers, relative_error, solve
from .ground import require_floor
from .local_correction import LocalCorrection, fit_local_correction

_SEED = 0
_WORSE = 1.2
_WORSE_SLACK = 0.01


@dataclass(frozen=True)
class AlignmentState:
    """The alignment in force and where it comes from.

    Attributes:
        alignment: What to apply.
        stamp_ns: Stamp of the newest measurement in it [ns].
        inlier_ratio: Of that measurement's own fit.
        residual: Likewise: median relative error of inverse depth.
        points: Likewise: how many were fitted.
        correction: Local factors on top of `alignment`, if the model is local and they help.
        note: '' or what was special, such as a flat scene that only corrected the level.
    """

    alignment: AffineScale
    stamp_ns: int
    inlier_ratio: float
    residual: float
    points: int
    correction: LocalCorrection | None = None
    note: str = ''


class AlignmentFilter:
    """Fits, smooths and ages the alignment of one camera.

    Smoothing adds up normal equations with exponential forgetting (recursive least squares): a
    frame that says little about scale, because its depths hardly differ, moves it little. When
    the sum explains a new frame clearly worse than the frame's own fit does, the scene or the
    network's mood has changed, and the sum starts again. A flat scene cannot tell scale from
    shift; while an alignment is in force it corrects the common factor of both.

    Args:
        settings: May be replaced at any time.

    Attributes:
        state: The alignment in force, whatever its age; None before the first fit.
        refusal: Why the latest measurement was not used, '' if it was.
    """

    def __init__(self, settings: AlignmentSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget every fit."""
        self.state: AlignmentState | None = None
        self.refusal = ''
        self._tried_ns: int | None = None
        self._normal: FloatArray = np.zeros((2, 2))
        self._moment: FloatArray = np.zeros(2)
        self._random = np.random.default_rng(_SEED)

    def refuse(self, reason: str) -> None:
        """Note why a measurement cannot even be tried."""
        self.refusal = reason

    def is_due(self, stamp_ns: int) -> bool:
        """Say whether a measurement of this stamp [ns] should be fitted."""
        if self._tried_ns is None:
            return True
        waited_s = (stamp_ns - self._tried_ns) / 1e9
        return waited_s < 0 or waited_s >= self.settings.refit_period

    def observe(
        self,
        stamp_ns: int,
        prediction: torch.Tensor,
        observation: DepthMeasurement,
        depth_range: tuple[float, float],
        image: torch.Tensor | None = None,
    ) -> None:
        """Take a measurement in; `state` or `refusal` say what became of it.

        A stamp before the latest one resets first: time has jumped back.

        Args:
            stamp_ns: Stamp of image and measurement [ns].
            prediction: (H, W) float32, relative inverse depth or a metric network's inverse depth.
            observation: Of the same moment and view.
            depth_range: Depths between which measurements count [m].
            image: (h, w[, 3]) uint8 of the same moment, if the measurement came from matching it;
                places without texture are then left out.
        """
        if self._tried_ns is not None and stamp_ns < self._tried_ns:
            self.reset()
        self._tried_ns = stamp_ns
        try:
            points = select_correspondences(
                prediction, observation, depth_range, self._random, image
            )
            self._require_points(points)
            try:
                self.state = self._fitted(stamp_ns, points)
            except FlatSceneError as flat:
                self.state = self._leveled(stamp_ns, points, flat)
            self.refusal = ''
        except AlignmentError as error:
            self.refusal = str(error)

    def current(self, stamp_ns: int) -> tuple[AffineScale | None, str]:
        """Return the alignment for an image of this stamp [ns], or None and the reason.

        It holds for `max_age` after the newest measurement in it, and as long before, for images
        that were delayed. With a relative network None means that depth is not known; with a
        metric one, `fallback` says whether the network's own depth may stand in.
        """
        if self.state is None:
            why = self.refusal or f'no measurement came from {self.settings.source} yet'
            return None, f'no alignment: {why}'
        age_s = (stamp_ns - self.state.stamp_ns) / 1e9
        if abs(age_s) > self.settings.max_age:
            why = f' ({self.refusal})' if self.refusal else ''
            return None, (
                f'the alignment is {age_s:.1f} s old; alignment.max_age is '
                f'{self.settings.max_age} s{why}'
            )
        return self.state.alignment, ''

    def correction(self, stamp_ns: int) -> LocalCorrection | None:
        """Return the factors to apply on top of the current alignment [stamp in ns], if any.

        They fade with age, faster than the alignment itself, because they belong to places.
        """
        alignment, _ = self.current(stamp_ns)
        if alignment is None or self.state is None or self.settings.model != 'local':
            return None
        age_s = (stamp_ns - self.state.stamp_ns) / 1e9
        return self.state.correction and self.state.correction.faded(age_s)

    def _require_points(self, points: Correspondences) -> None:
        if len(points) < self.settings.min_points:
            raise AlignmentError(
                f'{len(points)} measured points; alignment.min_points is '
                f'{self.settings.min_points}'
            )

    def _require_residual(self, residual: float) -> None:
        if residual > self.settings.max_residual:
            raise AlignmentError(
                f'the fit misses by {residual:.0%} in the median; alignment.max_residual is '
                f'{self.settings.max_residual:.0%}'
            )

    def _fitted(self, stamp_ns: int, points: Correspondences) -> AlignmentState:
        """Return the state after a fit of both scale and shift."""
        fit = METHODS[self.settings.method](points, self._random)
        self._require_residual(fit.residual)
        if self.settings.source == 'ground':
            require_floor(fit)
        alignment = self._smoothed(stamp_ns, points, fit)
        return AlignmentState(
            alignment,
            stamp_ns,
            fit.inlier_ratio,
            fit.residual,
            fit.points,
            self._local(points, alignment),
        )

    def _leveled(
        self, stamp_ns: int, points: Correspondences, flat: FlatSceneError
    ) -> AlignmentState:
        """Return the state after a flat scene, which tells one factor."""
        held, _ = self.current(stamp_ns)
        if held is None or self.settings.source == 'ground':
            raise flat
        level = held.scale * points.prediction + held.shift
        factor = float(np.median(points.inverse_depth / level.clip(min=1e-9)))
        alignment = AffineScale(factor * held.scale, factor * held.shift)
        residual = relative_error(points, alignment)
        self._require_residual(residual)
        self._moment = factor * self._moment
        inlier_ratio = float(inliers(points, alignment).mean())
        return AlignmentState(
            alignment,
            stamp_ns,
            inlier_ratio,
            residual,
            len(points),
            self._local(points, alignment),
            f'{flat}; only their common factor was corrected',
        )

    def _local(self, points: Correspondences, alignment: AffineScale) -> LocalCorrection | None:
        return fit_local_correction(points, alignment) if self.settings.model == 'local' else None

    def _smoothed(self, stamp_ns: int, points: Correspondences, fit: Fit) -> AffineScale:
        memory = self.settings.smoothing if self.current(stamp_ns)[0] is not None else 0.0
        normal = memory * self._normal + (1 - memory) * fit.normal
        moment = memory * self._moment + (1 - memory) * fit.moment
        smoothed = solve(normal, moment)
        if relative_error(points, smoothed) > _WORSE * fit.residual + _WORSE_SLACK:
            normal, moment, smoothed = fit.normal, fit.moment, fit.alignment
        self._normal, self._moment = normal, moment
        return smoothed

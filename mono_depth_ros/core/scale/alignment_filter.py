"""Alignment over time: fits come now and then, every image needs one, none is valid forever."""

from dataclasses import replace

import numpy as np
import torch

from ..errors import AlignmentError
from ..types import AffineScale
from .correspondences import Correspondences, FloatArray, select_correspondences
from .depth_measurement import DepthMeasurement
from .fitting import METHODS, Fit, fit_flat, inliers, relative_error
from .flat_scene import FlatSceneError, is_flat
from .frame_scale import AlignmentState
from .least_squares import solve
from .local_correction import LocalCorrection
from .range_explanation import explain_out_of_range
from .scale_settings import AlignmentSettings
from .sources import SOURCES

_SEED = 0
_MIN_INLIERS = 0.35  # of the points, of which 40 % may be right
_WORSE = 1.2
_WORSE_SLACK = 0.01
"""The sum restarts if its residual exceeds `_WORSE` times that of the fit alone plus the slack:
`RLS + restart` in benchmarks/results/alignment.md. Half or twice of either changes the error of a
drive by 0.02 %, and 0.6 would restart at every fit."""

_NORMAL = 1.4826  # of a median error, the standard deviation if normal


class AlignmentFilter:
    """Fits and smooths the alignment of one camera, and knows how old it is.

    Smoothing adds up normal equations with exponential forgetting (recursive least squares): a
    measurement that says little about scale, because its depths hardly differ, moves it little.
    When the sum explains a new measurement clearly worse than a fit to that alone, the scene or
    the network's response has changed, and the sum starts again. A flat scene cannot tell scale
    from shift; while an alignment is in force, it corrects the common factor of both.

    Attributes:
        settings: May be replaced at any time.
        state: The alignment in force, whatever its age; None before the first fit.
        refusal: Why the latest measurement was not used, '' if it was.
    """

    def __init__(self, settings: AlignmentSettings) -> None:
        self.settings = settings
        self.reset()

    def reset(self, since: str = 'yet') -> None:
        """Forget every fit; `since` ends the sentence that says that there is none."""
        self._since = since
        self.state: AlignmentState | None = None
        self.refusal = ''
        self._tried_ns: int | None = None
        self._normal: FloatArray = np.zeros((2, 2))
        self._moment: FloatArray = np.zeros(2)
        self._random = np.random.default_rng(_SEED)

    def restamp(self, wrong_ns: int, stamp_ns: int) -> None:
        """Give the fit to an image whose stamp turned out to be wrong another stamp [ns]."""
        if self.state is not None and self.state.stamp_ns == wrong_ns:
            self.state = replace(self.state, stamp_ns=stamp_ns)

    def is_due(self, stamp_ns: int) -> bool:
        """Say whether `refit_period` allows a fit to a measurement of this stamp [ns].

        No measurement is fitted twice.
        """
        if self._tried_ns is None:
            return True
        waited_s = (stamp_ns - self._tried_ns) / 1e9
        return waited_s < 0 or (waited_s > 0 and waited_s >= self.settings.refit_period)

    def observe(
        self,
        stamp_ns: int,
        prediction: torch.Tensor,
        measurement: DepthMeasurement,
        depth_range: tuple[float, float],
        image: torch.Tensor | None = None,
    ) -> None:
        """Fit to a measurement; `state` or `refusal` say what became of it.

        Args:
            stamp_ns: Stamp of image and measurement [ns].
            prediction: (H, W) float32, relative inverse depth or a metric network's inverse depth.
            measurement: Of the same moment and view.
            depth_range: Measured depth outside (near, far) [m] is not used.
            image: (h, w[, 3]) uint8 of the same moment, if the measurement came from matching it;
                places without texture are then left out.
        """
        self._tried_ns = stamp_ns
        try:
            points = select_correspondences(
                prediction, measurement, depth_range, self._random, image
            )
            self._require_points(points, measurement, depth_range)
            try:
                self.state = self._fitted(stamp_ns, points)
            except FlatSceneError as flat:
                self.state = self._leveled(stamp_ns, points, flat)
            self.refusal = ''
        except AlignmentError as error:
            self.refusal = str(error)

    def current(self, stamp_ns: int) -> tuple[AffineScale | None, str]:
        """Return the alignment for an image of this stamp [ns], or None and the reason.

        A fit holds for `max_age` after its newest measurement, and as long before it, for images
        that were delayed.
        """
        if self.state is None:
            unused = f'no measurement of source {self.settings.source} was used {self._since}'
            return None, f'no alignment: {self.refusal or unused}'
        age_s = self.state.age_s(stamp_ns)
        if abs(age_s) <= self.settings.max_age:
            return self.state.alignment, ''
        why = f' ({self.refusal})' if self.refusal else ''
        held = f'alignment.max_age is {self.settings.max_age} s{why}'
        if age_s < 0:
            return None, f'the image is {-age_s:.1f} s older than the alignment; {held}'
        return None, f'the alignment is {age_s:.1f} s old; {held}'

    def correction(self, stamp_ns: int) -> LocalCorrection | None:
        """Return the factors to apply on top of the current alignment [stamp in ns], if any.

        They fade with age, faster than the alignment itself, because they belong to places.
        """
        alignment, _ = self.current(stamp_ns)
        if alignment is None or self.state is None or self.settings.model == 'global':
            return None
        return self.state.correction and self.state.correction.faded(self.state.age_s(stamp_ns))

    def _require_points(
        self,
        points: Correspondences,
        measurement: DepthMeasurement,
        depth_range: tuple[float, float],
    ) -> None:
        count = len(points)
        if count >= self.settings.min_points:
            return
        reason = explain_out_of_range(measurement, depth_range)
        if not count and not reason:
            reason = (
                'every valid pixel in range lies at a depth edge, where the image has no texture '
                'or is saturated, or where the network says nothing'
            )
        if reason:
            raise AlignmentError(f'{count} measured points: {reason}')
        raise AlignmentError(
            f'{count} measured points; alignment.min_points is {self.settings.min_points}'
        )

    def _require_residual(self, residual: float) -> None:
        if residual > self.settings.max_residual:
            raise AlignmentError(
                f'the fit misses by {residual:.0%} in the median; alignment.max_residual is '
                f'{self.settings.max_residual:.0%}'
            )

    def _require_certainty(self, points: Correspondences, uncertainty: float) -> None:
        if uncertainty > self.settings.max_uncertainty:
            raise AlignmentError(
                f'{len(points)} measured points in {points.regions} regions of the image leave '
                f'the median depth uncertain by {uncertainty:.0%}; alignment.max_uncertainty is '
                f'{self.settings.max_uncertainty:.0%}',
                'measure more places of the image, and nearer and farther ones',
            )

    def _fitted(self, stamp_ns: int, points: Correspondences) -> AlignmentState:
        """Return the state after a fit of both scale and shift."""
        source, measured = SOURCES[self.settings.source], len(points)
        points = source.usable(points, self._random)
        fit = METHODS[self.settings.method](points, self._random)
        if self.settings.method == 'robust' and fit.inlier_ratio < _MIN_INLIERS:
            agree = f'{fit.inlier_ratio:.0%} of the measured points agree with the fit'
            raise AlignmentError(agree, 'look at what measures: most of it is wrong')
        self._require_residual(fit.residual)
        self._require_certainty(points, fit.uncertainty)
        alignment = self._smoothed(stamp_ns, points, fit)
        return AlignmentState(
            alignment,
            stamp_ns,
            fit.inlier_ratio * len(points) / measured,
            fit.residual,
            points,
            fit.uncertainty,
            fit.covariance,
            source.note(self.settings),
        )

    def _leveled(
        self, stamp_ns: int, points: Correspondences, flat: FlatSceneError
    ) -> AlignmentState:
        """Return the state after a flat scene, which determines one factor only."""
        if not (is_flat(points) and SOURCES[self.settings.source].corrects_level):
            raise flat
        fit = fit_flat(points)
        covariance, uncertainty = fit.covariance, fit.uncertainty
        normal, moment = fit.normal - fit.prior, fit.moment
        is_held = self.current(stamp_ns)[0] is not None
        if is_held:  # what earlier scenes told of the shift holds
            normal, moment = self._normal, self._moment
        alignment = solve(normal + fit.prior, moment)
        level = alignment.scale * points.prediction + alignment.shift
        factor = float(np.median(points.inverse_depth / level.clip(min=1e-9)))
        alignment = AffineScale(factor * alignment.scale, factor * alignment.shift)
        residual = relative_error(points, alignment)
        if is_held:
            self._require_residual(residual)
            uncertainty = residual / points.regions**0.5
            both = np.array((alignment.scale, alignment.shift))
            covariance = uncertainty**2 * np.outer(both, both)
        elif np.hypot(uncertainty, _NORMAL * residual) > self.settings.max_uncertainty:
            raise flat  # where measured depth is the same, the prediction should be, too
        self._normal, self._moment = normal, factor * moment
        return AlignmentState(
            alignment,
            stamp_ns,
            float(inliers(points, alignment).mean()),
            residual,
            points,
            uncertainty,
            covariance,
            f'{flat}; only their common factor was corrected',
        )

    def _smoothed(self, stamp_ns: int, points: Correspondences, fit: Fit) -> AffineScale:
        memory = 0.0 if self.current(stamp_ns)[0] is None else self.settings.smoothing
        normal, moment = fit.normal - fit.prior, fit.moment
        sums = memory * self._normal + (1 - memory) * normal
        moments = memory * self._moment + (1 - memory) * moment
        smoothed = solve(sums + fit.prior, moments)
        if relative_error(points, smoothed) > _WORSE * fit.residual + _WORSE_SLACK:
            sums, moments, smoothed = normal, moment, fit.alignment
        self._normal, self._moment = sums, moments
        return smoothed

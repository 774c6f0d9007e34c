"""Alignment over time: fits come now and then, every image needs one, none is valid forever."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch

from ..errors import AlignmentError
from ..types import AffineScale, PredictionKind
from .correspondences import Correspondences
from .depth_measurement import DepthMeasurement
from .fit_requirements import is_as_good, require_certainty, require_level, require_residual
from .fitting import METHODS, Fit, fit_flat, inliers, relative_error
from .flat_scene import FlatSceneError, is_flat
from .frame_scale import AlignmentState, told
from .joint_fit import (
    MIN_INLIERS,
    are_estimates,
    are_indirect,
    fit_jointly,
    joined,
    measured_points,
)
from .least_squares import OF_MEDIAN, solve
from .local_correction import LocalCorrection
from .opposite_sign import explain_sign
from .point_selection import SelectedPoints, select_points
from .refit_schedule import RefitSchedule
from .scale_settings import AlignmentSettings
from .sources import SOURCES
from .view_agreement import ViewAgreements


class AlignmentFilter:
    """Fits and smooths the alignment of one camera, and knows how old it is.

    Smoothing adds up normal equations with exponential forgetting (recursive least squares): a
    measurement that says little about scale, because its depths hardly differ, moves it little.
    When the sum explains a new measurement clearly worse than a fit to that alone, the scene or
    the network's response has changed, and the sum starts again. A flat scene cannot tell scale
    from shift; while an alignment is in force, it corrects the common factor of both.

    Attributes:
        settings: May be replaced at any time.
        quantity: What is affine in the prediction, see `AffineScale`.
        is_absolute: See `Correspondences`.
        state: The alignment in force, whatever its age; None before the first fit.
        refusal: Why the latest measurements were not used, '' if any was.
        left_out: Why some of the latest measurements were not used, by source.
    """

    def __init__(
        self, settings: AlignmentSettings, quantity: PredictionKind, *, is_absolute: bool = False
    ) -> None:
        self.settings, self.quantity = settings, quantity
        self.is_absolute = is_absolute
        self.reset()

    def reset(self, since: str = 'yet') -> None:
        """Forget every fit; `since` ends the sentence that says that there is none."""
        self._since = since
        self.state: AlignmentState | None = None
        self.refusal = ''
        self.left_out: dict[str, str] = {}
        self._schedule = RefitSchedule()
        self._views = ViewAgreements()
        self._normal, self._moment = np.zeros((2, 2)), np.zeros(2)
        self._random = np.random.default_rng(0)

    def restamp(self, wrong_ns: int, stamp_ns: int) -> None:
        """Give the fit to an image whose stamp turned out to be wrong another stamp [ns]."""
        if self.state is not None and self.state.stamp_ns == wrong_ns:
            self.state = replace(self.state, stamp_ns=stamp_ns)

    def is_due(self, stamp_ns: int, sources: Iterable[str] = ()) -> bool:
        """Say whether `refit_period` allows a fit to measurements of this stamp [ns].

        See `RefitSchedule`. While a fit to pixels that were measured is in force, nothing is
        fitted to less, which would undo it.
        """
        names = tuple(sources)
        if are_indirect(names) and self._is_direct(stamp_ns):
            return False
        return self._schedule.is_due(stamp_ns, names, self.settings.refit_period)

    def _is_direct(self, stamp_ns: int) -> bool:
        """Say whether a fit to pixels that were measured is in force."""
        is_in_force = self.current(stamp_ns)[0] is not None
        return is_in_force and self.state is not None and not are_indirect(self.state.sources)

    def observe(
        self,
        stamp_ns: int,
        prediction: torch.Tensor,
        measurements: Mapping[str, DepthMeasurement],
        depth_range: tuple[float, float],
        image: torch.Tensor | None = None,
    ) -> None:
        """Fit to measurements; `state`, `refusal` and `left_out` say what became of them.

        Args:
            stamp_ns: Stamp of image and measurements [ns].
            prediction: (H, W) float32, in which the quantity is affine.
            measurements: Of the same moment and view, by source.
            depth_range: Measured depth outside (near, far) [m] is not used.
            image: (h, w[, 3]) uint8 of the same moment; where it has no texture, nothing is taken
                from sources that match it.
        """
        self._schedule.record(stamp_ns, measurements)
        self.left_out = {}
        try:
            selected = select_points(
                *(prediction, measurements, depth_range, self.settings.min_points),
                *(self._random, image, self.quantity),
                is_absolute=self.is_absolute,
            )
            objections = self._views.objections(prediction, selected.by_source)
            selected = selected.without(objections)
            self.left_out |= selected.left_out
            if self.state and not objections.keys().isdisjoint(self.state.sources):
                self.state = None
            if not selected.by_source:
                raise AlignmentError(told(self.left_out))
            self.state = self._refitted(stamp_ns, selected)
            self.refusal = ''
        except AlignmentError as error:
            self.refusal = str(error)

    def current(self, stamp_ns: int) -> tuple[AffineScale | None, str]:
        """Return the alignment for an image of this stamp [ns], or None and the reason.

        A fit holds for `max_age` after its newest measurement, and as long before it, for images
        that were delayed.
        """
        if self.state is None:
            sources = ' or '.join(self.settings.sources) or 'none'
            unused = f'no measurement of source {sources} was used {self._since}'
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

    def _refitted(self, stamp_ns: int, selected: SelectedPoints) -> AlignmentState:
        """Return the state after a fit; the error says if the prediction is of the other sign."""
        try:
            try:
                return self._fitted(stamp_ns, selected)
            except FlatSceneError as flat:
                return self._leveled(stamp_ns, selected, flat)
        except AlignmentError as error:
            measured = measured_points(selected.by_source)
            why = explain_sign(joined(measured)) if measured else ''
            raise AlignmentError(f'{error}{why}') from error

    def _fitted(self, stamp_ns: int, selected: SelectedPoints) -> AlignmentState:
        """Return the state after a fit of both scale and shift."""
        method = METHODS[self.settings.method]
        found = fit_jointly(selected.by_source, method, self._random, self.left_out)
        fit, points = found.fit, found.points
        if self.settings.method == 'robust' and fit.inlier_ratio < MIN_INLIERS:
            agree = f'{fit.inlier_ratio:.0%} of the measured points agree with the fit'
            raise AlignmentError(agree, 'look at what measures: most of it is wrong')
        require_residual(fit.residual, self.settings)
        require_certainty(points, fit.uncertainty, self.settings)
        alignment = self._smoothed(stamp_ns, points, fit)
        return AlignmentState(
            alignment,
            stamp_ns,
            fit.inlier_ratio * len(points) / selected.count,
            fit.residual,
            points,
            fit.uncertainty,
            fit.covariance,
            self._note(found.sources),
            found.sources,
        )

    def _leveled(
        self, stamp_ns: int, selected: SelectedPoints, flat: FlatSceneError
    ) -> AlignmentState:
        """Return the state after a flat scene, which determines one factor only."""
        measured = measured_points(selected.by_source)
        if not measured or not is_flat(points := joined(measured)):
            raise flat
        fit = fit_flat(points)
        covariance, uncertainty = fit.covariance, fit.uncertainty
        normal, moment = fit.normal - fit.prior, fit.moment
        is_held = self.current(stamp_ns)[0] is not None
        if is_held:  # what earlier scenes told of the shift holds
            normal, moment = self._normal, self._moment
        alignment = solve(normal + fit.prior, moment, self.quantity)
        level = alignment.line(points.prediction).clip(min=1e-9)
        factor = float(np.median(points.measured / level))
        alignment = alignment.times(factor)
        residual = relative_error(points, alignment)
        if is_held:
            require_residual(residual, self.settings)
            of_noise = float(np.median(points.noise / points.inverse_depth))
            uncertainty = math.hypot(of_noise, residual) / points.regions**0.5
            both = np.array((alignment.scale, alignment.shift))
            covariance = uncertainty**2 * np.outer(both, both)
        # Where measured depth is the same, the prediction should be, too.
        unlike = 0.0 if is_held else OF_MEDIAN * residual
        require_level(flat, math.hypot(uncertainty, unlike), self.settings)
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
            tuple(measured),
        )

    def _note(self, sources: tuple[str, ...]) -> str:
        """Return what a user should know of a fit to these sources; of estimates only if alone."""
        is_alone = are_estimates(sources)
        notes = [SOURCES[s].note(self.settings) for s in sources if are_estimates([s]) == is_alone]
        return ' '.join(filter(None, notes))

    def _smoothed(self, stamp_ns: int, points: Correspondences, fit: Fit) -> AffineScale:
        memory = 0.0 if self.current(stamp_ns)[0] is None else self.settings.smoothing
        normal, moment = fit.normal - fit.prior, fit.moment
        sums = memory * self._normal + (1 - memory) * normal
        moments = memory * self._moment + (1 - memory) * moment
        smoothed = solve(sums + fit.prior, moments, self.quantity)
        if not is_as_good(relative_error(points, smoothed), fit.residual):
            sums, moments, smoothed = normal, moment, fit.alignment
        self._normal, self._moment = sums, moments
        return smoothed

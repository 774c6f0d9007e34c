"""The scale of one network's predictions: set by the user, or fitted to measurements over time."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import torch

from ..devices import one_thread
from ..network.predicted_frame import PredictedFrame
from ..time_jumps import Stamp
from ..types import AffineScale, PredictionKind
from .alignment_filter import AlignmentFilter
from .combined_measurement import combined
from .depth_measurement import DepthMeasurement
from .evidence import Evidence, measure
from .fit_queue import FitQueue
from .frame_scale import FrameScale, told
from .kept_images import KeptImages
from .scale_settings import ScaleSettings
from .source import Source
from .sources import SOURCES

Range = tuple[float, float]


class ScaleEstimator:
    """Finds the scale of each image; fits it to measurements if `alignment.source` asks for that.

    Args:
        settings: May be replaced at any time; other sources and poses start from nothing.
        kind: What is predicted.
        may_wait: Whether a fit may be left to `catch_up`, see `FitQueue`.
    """

    def __init__(
        self, settings: ScaleSettings, kind: PredictionKind, *, may_wait: bool = False
    ) -> None:
        self._settings = settings
        self._kind = kind
        self._filter = AlignmentFilter(
            settings.alignment, kind.fitted, is_absolute=not kind.is_relative
        )
        self._fits = FitQueue(self._filter, may_wait=may_wait)
        self._images = KeptImages()
        self._unscaled: str | None = None
        self._measured_ns: int | None = None
        self._fused: tuple[int, DepthMeasurement] | None = None
        self._verdicts: dict[str, str] = {}

    @property
    def settings(self) -> ScaleSettings:
        """Where scale comes from."""
        return self._settings

    @settings.setter
    def settings(self, settings: ScaleSettings) -> None:
        old, new = self._settings.alignment, settings.alignment
        if (new.sources, new.sensor_pose) != (old.sources, old.sensor_pose):
            self.reset('yet')
        self._settings = settings
        self._filter.settings = settings.alignment

    @property
    def sources(self) -> dict[str, Source]:
        """What measures, by name."""
        return {name: SOURCES[name] for name in self._settings.alignment.sources}

    @property
    def is_measured(self) -> bool:
        """Whether scale is fitted to measurements."""
        return bool(self._settings.alignment.sources)

    @property
    def measures_images(self) -> bool:
        """Whether a source measures every image by itself, without a message."""
        return any(source.measures_images for source in self.sources.values())

    @property
    def _is_by_itself(self) -> bool:
        """Whether every image is measured alone, and no message has to find it."""
        return all(source.measures_images for source in self.sources.values())

    def update(
        self,
        stamp_ns: int,
        prediction: PredictedFrame,
        depth_range: Range,
        lookup: Callable[[], Evidence] | None = None,
    ) -> FrameScale:
        """Take in the next image, fit to what measures it, and return its scale.

        Args:
            stamp_ns: Of the image [ns]; where time jumps back, everything is forgotten.
            prediction: Of it, kept for measurements that arrive later.
            depth_range: Measured depth outside (near, far) [m] is not used.
            lookup: Returns what measures this image, see `observe`; called now, after the
                network has run. Sources that measure by themselves need none.

        Returns:
            The scale, unknown if the prediction cannot become depth.
        """
        if self.is_measured:
            self.catch_up()
            unscaled = prediction.reason_unscaled
            if self._unscaled not in (None, unscaled):  # fits to it were in another unit
                self.reset(f'since the focal length is {"not " if unscaled else ""}known')
            self._unscaled = unscaled
            self._follow_time(stamp_ns, self._images.take(stamp_ns, prediction))
            self.observe(stamp_ns, lookup() if lookup else {}, depth_range)
        return self.alignment_at(stamp_ns).of(prediction)

    def is_due(self, stamp_ns: int, sources: Iterable[str] = ()) -> bool:
        """Say whether a fit is due; see `AlignmentFilter`."""
        return self._filter.is_due(stamp_ns, sources)

    def find(self, stamp_ns: int) -> PredictedFrame | None:
        """Return the prediction of the image of this stamp [ns], None if it is not kept."""
        return self._images.find(stamp_ns)

    @torch.inference_mode()
    def catch_up(self) -> None:
        """Make the fit that was left for later, if there is one."""
        self._fits.catch_up()

    @torch.inference_mode()
    def observe(self, stamp_ns: int, evidence: Evidence, depth_range: Range) -> None:
        """Fit to what measures an image that is kept, unless the last fit is too recent.

        What became of it is in the next `alignment_at`.

        Args:
            stamp_ns: Of the image [ns].
            evidence: Of sources; one that has nothing to say keeps no other from being used.
            depth_range: Measured depth outside (near, far) [m] is not used.
        """
        prediction = self._images.find(stamp_ns)
        if prediction is None:
            return
        measured, reasons = self._measured(stamp_ns, prediction, evidence)
        for name, reason in reasons.items():
            self.refuse(reason, stamp_ns, name)
        if not measured:
            return
        is_fused = self._settings.alignment.model == 'fused'
        if self.is_due(stamp_ns, measured):
            fit = partial(self._fit, stamp_ns, prediction, measured, depth_range)
            if is_fused and self._fits.is_explained(stamp_ns, prediction, measured):
                self._fits.put(fit)
            else:
                fit()
        used = {n: m for n, m in measured.items() if not self._verdicts.get(n)}
        fused = [m for n, m in used.items() if SOURCES[n].is_fused]
        if is_fused and fused and not self._filter.refusal:
            height, width = prediction.values.shape
            self._fused = stamp_ns, combined(fused, (height, width))

    def _fit(
        self,
        stamp_ns: int,
        prediction: PredictedFrame,
        measured: Mapping[str, DepthMeasurement],
        depth_range: Range,
    ) -> None:
        self._measured_ns = stamp_ns
        with one_thread():
            self._fits.fit(stamp_ns, prediction, measured, depth_range)
        used = dict.fromkeys(measured, self._filter.refusal)
        self._verdicts |= used | self._filter.left_out

    def _measured(
        self, stamp_ns: int, prediction: PredictedFrame, evidence: Evidence
    ) -> tuple[dict[str, DepthMeasurement], dict[str, str]]:
        """Return the measurements of an image by source, and why others have none."""
        by_itself = {name: None for name, s in self.sources.items() if s.measures_images}
        readings = {**by_itself, **evidence}
        telling = [n for n, reading in readings.items() if not isinstance(reading, Exception)]
        if not self.is_due(stamp_ns, telling):  # what measures by itself is for a fit alone
            readings = {n: reading for n, reading in readings.items() if n not in by_itself}
        if unusable := self._indistinct(stamp_ns) or prediction.reason_unknown:
            return {}, dict.fromkeys(readings, unusable)
        return measure(prediction, readings, self._settings.alignment)

    def refuse(self, reason: str, stamp_ns: int, source: str = '') -> None:
        """Record why a measurement of an image of this stamp [ns] cannot even be tried.

        It is that of a source, or of all.
        """
        self._measured_ns = stamp_ns
        names = (source,) if source else self._settings.alignment.sources
        self._verdicts |= dict.fromkeys(names, reason)
        if all(self._verdicts.get(name) for name in self._settings.alignment.sources):
            self._filter.refusal = told(self._verdicts)

    def alignment_at(self, stamp_ns: int) -> FrameScale:
        """Return the scale of an image of this stamp [ns]."""
        own = None
        if not self._kind.is_relative:
            own = AffineScale(1 / self._settings.depth_scale)
        if self.is_measured:
            return self._fitted_scale(stamp_ns, own)
        return FrameScale.without_fit(self._settings.manual_scale(self._kind), own)

    def _fitted_scale(self, stamp_ns: int, own: AffineScale | None) -> FrameScale:
        """Return what the fits say of an image, or the network's own scale if it stands in."""
        fitted, missing = self._filter.current(stamp_ns)
        if indistinct := self._indistinct(stamp_ns):
            fitted, missing = None, indistinct
        if missing and (reasons := told(self._verdicts)) not in missing:
            missing = f'{missing}. {reasons}'
        fallback = own if self._settings.alignment.fallback == 'network' else None
        state, fused = self._filter.state, None
        if fitted and self._fused and self._fused[0] == stamp_ns:
            fused = self._fused[1]
        return FrameScale(
            fitted or fallback,
            '' if fitted or fallback else missing,
            fitted,
            self._filter.correction(stamp_ns) if fused is None else None,
            state,
            state.age_s(stamp_ns) if state else 0.0,
            missing,
            self._filter.refusal,
            dict(self._verdicts),
            stamp_ns == self._measured_ns,
            fused,
        )

    def reset(self, since: str = 'since the alignment was reset') -> None:
        """Forget every fit, every image that one could be made of, and the time."""
        self._images = KeptImages()
        self._forget(since)

    def _forget(self, since: str) -> None:
        self._filter.reset(since)
        self._fits.clear()
        self._measured_ns = self._fused = None
        self._verdicts = {}

    def _follow_time(self, stamp_ns: int, stamp: Stamp | None) -> None:
        """Forget everything where time jumps back, and what belongs to a wrong stamp."""
        if stamp is Stamp.JUMPED_BACK:
            self._forget('since time jumped back')
        elif stamp is Stamp.RETURNED:
            self._filter.restamp(self._images.previous_ns, stamp_ns)
        elif stamp is Stamp.REPEATED and self._is_by_itself:
            self._filter.reset()  # every image is measured alone

    def _indistinct(self, stamp_ns: int) -> str:
        """Return why what measures an image of this stamp [ns] cannot find it, '' if it can."""
        return '' if self._is_by_itself else self._images.indistinct(stamp_ns)

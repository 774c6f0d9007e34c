"""The scale of one network's predictions: set by the user, or fitted to measurements over time."""

from collections.abc import Callable, Iterable

import torch

from ..devices import one_thread
from ..network.predicted_frame import PredictedFrame
from ..stamped_buffer import StampedBuffer
from ..time_jumps import Stamp, StampMonitor
from ..types import AffineScale, PredictionKind
from .alignment_filter import AlignmentFilter
from .combined_measurement import combined
from .depth_measurement import DepthMeasurement
from .evidence import Evidence, measure
from .frame_scale import FrameScale, told
from .scale_settings import ScaleSettings
from .source import Source
from .sources import SOURCES

_MAX_BYTES = 128_000_000
_MAX_FRAMES = 64
_NO_SCALE = (
    'a relative network gives no meters: set scale (and shift), or use a metric variant such as '
    'encoder: vits, variant: metric_indoor'
)


class ScaleEstimator:
    """Finds the scale of each image; fits it to measurements if `alignment.source` asks for that.

    Args:
        settings: May be replaced at any time; other sources start from nothing.
        kind: What is predicted.
    """

    def __init__(self, settings: ScaleSettings, kind: PredictionKind) -> None:
        self._settings = settings
        self._kind = kind
        self._filter = AlignmentFilter(settings.alignment, kind.fitted)
        # Measurements of an image arrive after it.
        self._buffer = StampedBuffer[PredictedFrame](_MAX_FRAMES, _bytes, _MAX_BYTES)
        self._stamps = StampMonitor()
        self._measured_ns: int | None = None
        self._fused: tuple[int, DepthMeasurement] | None = None
        self._repeated_ns: int | None = None
        self._verdicts: dict[str, str] = {}

    @property
    def settings(self) -> ScaleSettings:
        """Where scale comes from."""
        return self._settings

    @settings.setter
    def settings(self, settings: ScaleSettings) -> None:
        if settings.alignment.sources != self._settings.alignment.sources:
            self._stamps = StampMonitor()  # nothing follows time while nothing measures
            self._forget('yet', after_ns=-1)
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
        depth_range: tuple[float, float],
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
            self._follow_time(stamp_ns, prediction)
            self._buffer.put(stamp_ns, prediction)
            self.observe(stamp_ns, lookup() if lookup else {}, depth_range)
        return self.alignment_at(stamp_ns).unless(prediction.reason_unknown)

    def is_due(self, stamp_ns: int, sources: Iterable[str] = ()) -> bool:
        """Say whether a fit is due; see `AlignmentFilter`."""
        return self._filter.is_due(stamp_ns, sources)

    def find(self, stamp_ns: int) -> PredictedFrame | None:
        """Return the prediction of the image of this stamp [ns], None if it is not kept."""
        return self._buffer.get(stamp_ns)

    @torch.inference_mode()
    def observe(self, stamp_ns: int, evidence: Evidence, depth_range: tuple[float, float]) -> None:
        """Fit to what measures an image that is still kept, unless the last fit is too recent.

        What became of it is in the next `alignment_at`.

        Args:
            stamp_ns: Of the image [ns].
            evidence: Of sources; one that has nothing to say keeps no other from being used.
            depth_range: Measured depth outside (near, far) [m] is not used.
        """
        prediction = self._buffer.get(stamp_ns)
        if prediction is None:
            return
        measured, reasons = self._measured(stamp_ns, prediction, evidence)
        for name, reason in reasons.items():
            self.refuse(reason, stamp_ns, name)
        if not measured:
            return
        if self.is_due(stamp_ns, measured):
            self._measured_ns = stamp_ns
            with one_thread():
                self._filter.observe(
                    stamp_ns, prediction.values, measured, depth_range, prediction.color
                )
            used = dict.fromkeys(measured, self._filter.refusal)
            self._verdicts |= used | self._filter.left_out
        is_fused = self._settings.alignment.model == 'fused' and not self._filter.refusal
        fused = [
            measurement
            for name, measurement in measured.items()
            if SOURCES[name].is_fused and not self._verdicts.get(name)
        ]
        if is_fused and fused:
            height, width = prediction.values.shape
            self._fused = stamp_ns, combined(fused, (height, width))

    def _measured(
        self, stamp_ns: int, prediction: PredictedFrame, evidence: Evidence
    ) -> tuple[dict[str, DepthMeasurement], dict[str, str]]:
        """Return the measurements of an image by source, and why others have none."""
        by_itself = {name: None for name, s in self.sources.items() if s.measures_images}
        readings = {**by_itself, **evidence}
        telling = [n for n, reading in readings.items() if not isinstance(reading, Exception)]
        if not self.is_due(stamp_ns, telling):  # what measures by itself is for a fit alone
            readings = {n: reading for n, reading in readings.items() if n not in by_itself}
        unusable = prediction.reason_unknown
        if stamp_ns == self._repeated_ns and not self._is_by_itself:
            unusable = _indistinct(stamp_ns)
        if unusable:
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
        manual = self._settings.manual_scale(self._kind)
        applied = manual or own
        return FrameScale(applied, '' if applied else _NO_SCALE, manual)

    def _fitted_scale(self, stamp_ns: int, own: AffineScale | None) -> FrameScale:
        """Return what the fits say of an image, or the network's own scale if it stands in."""
        fitted, missing = self._filter.current(stamp_ns)
        if stamp_ns == self._repeated_ns and not self._is_by_itself:
            fitted, missing = None, _indistinct(stamp_ns)
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

    def reset(self) -> None:
        """Forget every fit, every image that one could be made of, and the time."""
        self._stamps = StampMonitor()
        self._forget('since the alignment was reset', after_ns=-1)

    def _forget(self, since: str, after_ns: int) -> None:
        self._filter.reset(since)
        self._buffer.forget(after_ns)
        self._measured_ns = self._repeated_ns = None
        self._fused = None
        self._verdicts = {}

    def _follow_time(self, stamp_ns: int, prediction: PredictedFrame) -> None:
        """Forget everything where time jumps back, and what belongs to a wrong stamp."""
        stamp, before = self._stamps.take(stamp_ns), self._buffer.get(stamp_ns)
        if before is not None and torch.equal(before.color, prediction.color):
            return  # the same image again
        self._repeated_ns = stamp_ns if stamp is Stamp.REPEATED else None
        if stamp is Stamp.JUMPED_BACK:
            self._forget('since time jumped back', stamp_ns)
        elif stamp is Stamp.RETURNED:
            self._buffer.pop(self._stamps.previous_ns, None)
            self._filter.restamp(self._stamps.previous_ns, stamp_ns)
        elif stamp is Stamp.REPEATED and self._is_by_itself:
            self._filter.reset()  # every image is measured alone


def _bytes(prediction: PredictedFrame) -> int:
    return prediction.values.nbytes + prediction.color.nbytes


def _indistinct(stamp_ns: int) -> str:
    return (
        f'several images have the stamp {stamp_ns / 1e9:.9f} s, so that no measurement can tell '
        'them apart; have the camera driver stamp every image with its own time'
    )

"""The scale of one network's predictions: set by the user, or fitted to measurements over time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from ..devices import one_thread
from ..errors import MonoDepthError
from ..network.predicted_frame import PredictedFrame
from ..stamped_buffer import StampedBuffer
from ..time_jumps import Stamp, StampMonitor
from ..types import AffineScale, PredictionKind
from .alignment_filter import AlignmentFilter
from .depth_measurement import DepthMeasurement
from .frame_scale import FrameScale
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
        settings: May be replaced at any time; another `alignment.source` starts from nothing.
        kind: What is predicted.
    """

    def __init__(self, settings: ScaleSettings, kind: PredictionKind) -> None:
        self._settings = settings
        self._kind = kind
        self._filter = AlignmentFilter(settings.alignment)
        # Measurements of an image arrive after it.
        self._buffer = StampedBuffer[PredictedFrame](_MAX_FRAMES, _bytes, _MAX_BYTES)
        self._stamps = StampMonitor()
        self._measured_ns: int | None = None
        self._fused: tuple[int, DepthMeasurement] | None = None
        self._repeated_ns: int | None = None

    @property
    def settings(self) -> ScaleSettings:
        """Where scale comes from."""
        return self._settings

    @settings.setter
    def settings(self, settings: ScaleSettings) -> None:
        if settings.alignment.source != self._settings.alignment.source:
            self._stamps = StampMonitor()  # nothing follows time while nothing measures
            self._forget('yet', after_ns=-1)
        self._settings = settings
        self._filter.settings = settings.alignment

    @property
    def source(self) -> Source:
        """What measures."""
        return SOURCES[self._settings.alignment.source]

    @property
    def is_measured(self) -> bool:
        """Whether scale is fitted to measurements."""
        return self.source.measures_images or bool(self.source.topic)

    def update(
        self,
        stamp_ns: int,
        prediction: PredictedFrame,
        depth_range: tuple[float, float],
        lookup: Callable[[], Any] | None = None,
    ) -> FrameScale:
        """Take in the next image, fit to what measures it, and return its scale.

        Args:
            stamp_ns: Of the image [ns]; where time jumps back, everything is forgotten.
            prediction: Of it, kept for measurements that arrive later.
            depth_range: Measured depth outside (near, far) [m] is not used.
            lookup: Returns what measures this image, see `observe`, or None; called now, after
                the network has run.

        Returns:
            The scale, unknown if the prediction cannot become depth.
        """
        if self.is_measured:
            self._follow_time(stamp_ns, prediction)
            self._buffer.put(stamp_ns, prediction)
            try:
                evidence = lookup() if lookup else None
            except MonoDepthError as error:
                self.refuse(str(error), stamp_ns)
            else:
                is_alone = self.source.measures_images  # without a message, and only now and then
                if self.is_due(stamp_ns) if is_alone else evidence is not None:
                    self.observe(stamp_ns, evidence, depth_range)
        return self.alignment_at(stamp_ns).unless(prediction.reason_unknown)

    def is_due(self, stamp_ns: int) -> bool:
        """Say whether `alignment.refit_period` allows a fit for this stamp [ns]."""
        return self._filter.is_due(stamp_ns)

    def find(self, stamp_ns: int) -> PredictedFrame | None:
        """Return the prediction of the image of this stamp [ns], None if it is not kept."""
        return self._buffer.get(stamp_ns)

    @torch.inference_mode()
    def observe(self, stamp_ns: int, evidence: Any, depth_range: tuple[float, float]) -> None:
        """Fit to what measures an image that is still kept, unless the last fit is too recent.

        What became of it is in the next `alignment_at`.

        Args:
            stamp_ns: Of the image [ns].
            evidence: A `DepthMeasurement`, or what the source makes one of: see `Source`.
            depth_range: Measured depth outside (near, far) [m] is not used.
        """
        prediction = self._buffer.get(stamp_ns)
        if prediction is None:
            return
        unusable = prediction.reason_unknown
        if stamp_ns == self._repeated_ns and not self.source.measures_images:
            unusable = _indistinct(stamp_ns)
        if unusable:
            self.refuse(unusable, stamp_ns)
            return
        measured = evidence
        if not isinstance(evidence, DepthMeasurement):
            try:
                measured = self.source.measure(prediction, evidence, self._settings.alignment)
            except MonoDepthError as error:
                self.refuse(str(error), stamp_ns)
                return
        color = prediction.color if self.source.is_matched else None
        inverse_depth = measured.inverse_depth.to(prediction.values.device)
        on_device = replace(measured, inverse_depth=inverse_depth)
        if self.is_due(stamp_ns):
            self._measured_ns = stamp_ns
            with one_thread():
                self._filter.observe(stamp_ns, prediction.values, on_device, depth_range, color)
        is_fused = self._settings.alignment.model == 'fused' and self.source.is_fused
        if is_fused and not self._filter.refusal:
            self._fused = stamp_ns, on_device

    def refuse(self, reason: str, stamp_ns: int) -> None:
        """Record why a measurement of an image of this stamp [ns] cannot even be tried."""
        self._measured_ns = stamp_ns
        self._filter.refusal = reason

    def alignment_at(self, stamp_ns: int) -> FrameScale:
        """Return the scale of an image of this stamp [ns]."""
        own = None
        if self._kind is not PredictionKind.RELATIVE_INVERSE_DEPTH:
            own = AffineScale(1 / self._settings.depth_scale)
        if self.is_measured:
            return self._fitted_scale(stamp_ns, own)
        manual = self._settings.manual_scale()
        applied = manual or own
        return FrameScale(applied, '' if applied else _NO_SCALE, manual)

    def _fitted_scale(self, stamp_ns: int, own: AffineScale | None) -> FrameScale:
        """Return what the fits say of an image, or the network's own scale if it stands in."""
        fitted, missing = self._filter.current(stamp_ns)
        if stamp_ns == self._repeated_ns and not self.source.measures_images:
            fitted, missing = None, _indistinct(stamp_ns)
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
        elif stamp is Stamp.REPEATED and self.source.measures_images:
            self._filter.reset()  # every image is measured alone


def _bytes(prediction: PredictedFrame) -> int:
    return prediction.values.nbytes + prediction.color.nbytes


def _indistinct(stamp_ns: int) -> str:
    return (
        f'several images have the stamp {stamp_ns / 1e9:.9f} s, so that no measurement can tell '
        'them apart; have the camera driver stamp every image with its own time'
    )

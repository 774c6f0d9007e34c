"""What makes predictions metric: the user's numbers, or fits to measurements of the same stamp."""

import torch

from ..devices import one_thread
from ..errors import AlignmentError
from ..pipeline_settings import PipelineSettings
from ..types import AffineScale
from .alignment import AlignmentFilter
from .depth_measurement import DepthMeasurement
from .ground import measure_ground
from .prediction_buffer import CachedPrediction, PredictionBuffer
from .tilt import Tilt

_NO_SCALE = (
    'a relative network gives no meters: set scale (and shift), or use a metric variant such as '
    'encoder: vits, variant: metric_indoor'
)


class ScaleEstimator:
    """The alignment of one network's predictions, and the frames it can still be fitted to.

    Args:
        settings: May be replaced at any time; another `alignment.source` starts anew.
        relative: Whether predictions are relative inverse depth.

    Attributes:
        aligner: The fits to measurements, if `alignment.source` asks for any.
    """

    def __init__(self, settings: PipelineSettings, relative: bool) -> None:
        self.aligner = AlignmentFilter(settings.alignment)
        self._relative = relative
        self._history = PredictionBuffer()
        self._latest_ns = 0
        self._settings = settings

    @property
    def settings(self) -> PipelineSettings:
        """Where scale comes from."""
        return self._settings

    @settings.setter
    def settings(self, settings: PipelineSettings) -> None:
        if settings.alignment.source != self._settings.alignment.source:
            self.reset()
        self._settings = settings
        self.aligner.settings = settings.alignment

    @property
    def is_measured(self) -> bool:
        """Whether scale comes from measurements."""
        return self._settings.alignment.source != 'none'

    @property
    def has_substitute(self) -> bool:
        """Whether a metric network's own depth is used where no fit is live."""
        return self._settings.alignment.fallback == 'network' and not self._relative

    def of(self, stamp_ns: int) -> tuple[AffineScale | None, str]:
        """Return the alignment of an image, or None and, if depth is then not known, the reason.

        A stamp before that of the last image [ns] starts anew: time has jumped back.
        """
        if stamp_ns < self._latest_ns:
            self.reset()
        self._latest_ns = stamp_ns
        if not self.is_measured:
            manual = self._settings.manual_alignment()
            return manual, _NO_SCALE if self._relative and manual is None else ''
        alignment, why = self.aligner.current(stamp_ns)
        return alignment, '' if self.has_substitute else why

    def corrected(self, inverse_depth: torch.Tensor, stamp_ns: int) -> torch.Tensor:
        """Return inverse depth (H, W) [1/m] after the local correction, if one is in force."""
        correction = self.aligner.correction(stamp_ns) if self.is_measured else None
        if correction is None:
            return inverse_depth
        height, width = inverse_depth.shape
        return inverse_depth * correction.factor((height, width), inverse_depth.device)

    def keep(self, stamp_ns: int, seen: CachedPrediction) -> None:
        """Remember a frame for measurements that come later, if there will be any."""
        if self.is_measured:
            self._history.keep(stamp_ns, seen)

    def seen(self, stamp_ns: int) -> CachedPrediction | None:
        """Return the frame of exactly this stamp [ns], None if it is gone or never was."""
        return self._history.find(stamp_ns)

    @torch.inference_mode()
    def observe(self, stamp_ns: int, observation: DepthMeasurement) -> None:
        """Fit to a measurement of a frame that `seen` knows.

        `aligner.state` and `aligner.refusal` say what became of it.
        """
        seen = self.seen(stamp_ns)
        if seen is None:
            return
        matched = seen.image if self._settings.alignment.source == 'disparity' else None
        inverse_depth = observation.inverse_depth.to(seen.prediction.device)
        depth_range = (self._settings.min_depth, self._settings.max_depth)
        with one_thread():
            self.aligner.observe(
                stamp_ns,
                seen.prediction,
                DepthMeasurement(inverse_depth, observation.noise),
                depth_range,
                matched,
            )

    def observe_floor(self, stamp_ns: int, tilt: Tilt | None = None) -> None:
        """Fit a frame that `seen` knows to a level floor.

        Args:
            stamp_ns: Of the frame [ns].
            tilt: Of the camera; None is that of `alignment.camera_pitch`.

        Raises:
            AlignmentError: There is no camera, or no floor can be in its view.
        """
        seen = self.seen(stamp_ns)
        if seen is None:
            return
        if seen.camera is None:
            raise AlignmentError('alignment.source is ground, which needs a camera_info')
        chosen = self._settings.alignment
        size = (seen.camera.height, seen.camera.width)
        tilt = tilt or Tilt(chosen.camera_pitch)
        floor = measure_ground(seen.camera, chosen.camera_height, tilt, size)
        self.observe(stamp_ns, floor)

    def reset(self) -> None:
        """Forget every fit and every frame that one could be made of."""
        self.aligner.reset()
        self._history.clear()

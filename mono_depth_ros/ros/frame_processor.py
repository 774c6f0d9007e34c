"""The worker thread's side of the node: it owns the network and works frames through."""

import time
import traceback
import warnings
from collections.abc import Callable

import torch
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.time import Time
from std_msgs.msg import Header

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError, MonoDepthError
from ..core.network.estimator import EstimatorSettings, load_estimator
from ..core.pipeline import CLOUDS, Output, Pipeline
from .aligning import MeasurementPairing
from .diagnostics import alignment_array, alignment_status
from .inputs import Frame, Inputs, nanoseconds
from .node_settings import NodeSettings
from .output_publishers import Outputs
from .snapshot import save_snapshot
from .statistics import Statistics
from .throttled_log import ThrottledLog


class FrameProcessor:
    """Loads the network and turns frames into published outputs; called on one thread only.

    Args:
        logger: Where it complains.
        clock: What latencies are measured with.
        settings: Of the whole node; see `configure`.
        is_running: Says whether the process goes on; what fails after it stopped is no news.

    Attributes:
        statistics: Counts and times of the frames.
        precision: Number type of the network that is loaded, '' if none is.
        latest: The frame that was looked at last, None before the first.
        decoded_size: (height, width) of the picture that was decoded last [px].
        loaded: Settings of the network that is loaded, None if none is.
        outputs: Where results go; None while the node is not configured.
        inputs: Where measurements come from; None while the node is not active.
    """

    def __init__(
        self,
        logger: RcutilsLogger,
        clock: Clock,
        settings: NodeSettings,
        is_running: Callable[[], bool],
    ) -> None:
        self.statistics = Statistics()
        self.precision = ''
        self.latest: Frame | None = None
        self.decoded_size: tuple[int, int] | None = None
        self.loaded: EstimatorSettings | None = None
        self.outputs: Outputs | None = None
        self.inputs: Inputs | None = None
        self._logger = logger
        self._clock = clock
        self._settings = settings
        self._is_running = is_running
        self._pipeline: Pipeline | None = None
        self._complaints = ThrottledLog(logger)
        self._aligning = MeasurementPairing(self._calibration, self._complaints)

    @property
    def device(self) -> torch.device | None:
        """Where the network runs, None while none is loaded."""
        return None if self._pipeline is None else self._pipeline.estimator.device

    def load(self, progress: Callable[[int, int], None]) -> None:
        """Load and warm up the network of the settings, unless that has been done.

        Raises:
            MonoDepthError: Whatever `load_estimator` finds wrong.
        """
        began = time.monotonic()
        wanted = self._settings.estimator
        if self.loaded == wanted:
            return
        self._logger.info(f'loading encoder {wanted.encoder}, variant {wanted.variant}')
        self.unload()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('ignore')
            warnings.simplefilter('always', RuntimeWarning)
            estimator = load_estimator(wanted, progress)
        for warning in caught:
            self._logger.warning(str(warning.message))
        self._pipeline = Pipeline(estimator, self._settings.pipeline)
        self.loaded = wanted
        self.precision = str(estimator.precision).removeprefix('torch.')
        seconds = time.monotonic() - began
        where = f'{estimator.device} in {self.precision}'
        self._logger.info(f'ready on {where} after {seconds:.1f} s')

    def unload(self) -> None:
        """Free the network and forget the latest frame."""
        self._pipeline = self.loaded = self.latest = self.decoded_size = None
        self.precision = ''
        torch.cuda.empty_cache()

    def restart(self) -> None:
        """Count from zero and forget what was complained about."""
        self.statistics = Statistics()
        self._complaints.forget()

    def configure(self, settings: NodeSettings) -> None:
        """Take over settings; those of the network take effect at the next `load`."""
        self._settings = settings
        if self._pipeline is not None and self.loaded == settings.estimator:
            self._pipeline.settings = settings.pipeline

    def process(self, frame: Frame) -> None:
        """Work through a frame; whatever is wrong with it costs this frame only."""
        try:
            self._step(frame)
        except MonoDepthError as error:
            self.statistics.fail(str(error))
            self._complaints.repeat(f'frame lost: {error}')
        except Exception as error:
            if not self._is_running():
                return
            self.statistics.fail(repr(error))
            self._complaints.repeat(f'frame lost: {"".join(traceback.format_exception(error))}')

    def snapshot(self) -> str:
        """Save what the latest frame gives; return where.

        Raises:
            MonoDepthError: There is nothing to save, or no place for it.
        """
        if self.latest is None or self._pipeline is None:
            raise MonoDepthError('no frame has come yet; is the node active and the camera on?')
        rgb = self.latest.rgb()
        calibration = self._calibration(self.latest, *rgb.shape[:2])
        wanted = Output.DEPTH | Output.POINTS | Output.COLOR
        stamp = self.latest.header.stamp
        result = self._pipeline.step(rgb, calibration, wanted, nanoseconds(stamp))
        return save_snapshot(result, stamp, self._settings.outputs.snapshot_folder)

    def _step(self, frame: Frame) -> None:
        """Take one frame from message to messages."""
        outputs, pipeline = self.outputs, self._pipeline
        if outputs is None or pipeline is None:
            return
        self.latest = frame
        wanted = outputs.wanted()
        if not wanted and not outputs.info_wanted():
            self.statistics.idle()
            if pipeline.scale.is_measured and outputs.alignment_wanted():
                self._align(pipeline, outputs, frame)
            return
        began = time.monotonic()
        rgb = frame.rgb()
        self.decoded_size = rgb.shape[:2]
        calibration = self._calibration(frame, *rgb.shape[:2])
        stamp_ns = nanoseconds(frame.header.stamp)
        result = pipeline.step(rgb, calibration, wanted, stamp_ns)
        step_s = time.monotonic() - began
        # The first image may overtake its camera_info.
        if wanted & CLOUDS and result.camera is None and self.statistics.processed:
            self._complaints.once('no cloud: no usable camera_info came, and fov_deg is not set')
        if result.unknown:
            self._complaints.repeat(f'depth is not known: {result.unknown}')
        outputs.publish(result, self._header(frame))
        latency = self._clock.now() - Time.from_msg(frame.header.stamp)
        self.statistics.succeed(
            latency.nanoseconds / 1e9, step_s, result.inference_s, result.unknown
        )
        if pipeline.scale.is_measured:
            self._align(pipeline, outputs, frame)

    def _align(self, pipeline: Pipeline, outputs: Outputs, frame: Frame) -> None:
        """Fit to what came to be fitted to; the frame it belongs to is out already."""
        stamp = self._aligning.align(pipeline, self.inputs, frame)
        if stamp is not None:
            quality = alignment_array(pipeline.scale.aligner, stamp, self._logger.name)
            outputs.publish_alignment(quality)

    def alignment_status(self, name: str) -> DiagnosticStatus | None:
        """Return the health of the alignment, None where nothing is to be aligned."""
        pipeline, latest, outputs = self._pipeline, self.latest, self.outputs
        if pipeline is None or latest is None or not pipeline.scale.is_measured:
            return None
        if self.statistics.is_idle and not (outputs and outputs.alignment_wanted()):
            return None
        stamp_ns = nanoseconds(latest.header.stamp)
        scale = pipeline.scale
        return alignment_status(name, scale.aligner, stamp_ns, scale.has_substitute)

    def reset_alignment(self) -> None:
        """Forget every fit."""
        if self._pipeline is not None:
            self._pipeline.scale.reset()

    def _calibration(self, frame: Frame, height: int, width: int) -> CameraCalibration | None:
        """Return the frame's calibration; a broken one costs the cloud, not the depth."""
        try:
            calibration = frame.calibration(height, width)
        except CalibrationError as error:
            self._complaints.repeat(f'camera_info not used: {error}')
            calibration = None
        rectify = self._settings.pipeline.rectify
        # The first image may overtake its camera_info.
        if calibration is None and rectify and self.statistics.processed:
            self._complaints.once(
                'rectify is true and no usable camera_info came: images are taken as they come'
            )
        if calibration and not calibration.is_rectified and not rectify:
            self._complaints.once(
                'camera_info has distortion, a rotation or K other than P: the image is taken as '
                'rectified already (P holds); if it is raw, set rectify to true'
            )
        return calibration

    def _header(self, frame: Frame) -> Header:
        """Return the image's header, its frame filled in if the driver left it empty."""
        if frame.header.frame_id:
            return frame.header
        frame_id = self._settings.inputs.frame_id
        self._complaints.once(f'images have an empty frame_id; {frame_id!r} (frame_id) is used')
        return Header(stamp=frame.header.stamp, frame_id=frame_id)

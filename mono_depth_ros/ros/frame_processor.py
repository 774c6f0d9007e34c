"""The worker thread's side of the node: it owns the network and processes frames."""

import time
import traceback
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.time import Time
from std_msgs.msg import Header

from ..core.errors import AlignmentError, MonoDepthError
from ..core.files.camera_info_check import CheckedCameraInfo, check_camera_info
from ..core.pipeline import CLOUDS, Output, Pipeline
from ..core.scale.scale_estimator import FrameScale
from ..core.scale.tilt import Tilt
from .diagnostics import alignment_array
from .messages import nanoseconds
from .network_loader import load_network
from .node_settings import NodeSettings
from .output_publishers import OutputPublishers
from .shared_state import Frame, SharedState, Statistics
from .snapshot import save_snapshot
from .throttled_log import ThrottledLog
from .tilt_source import TiltSource


class FrameProcessor:
    """Loads the network and turns frames into published outputs; called on the worker only.

    Args:
        shared: Where images and measurements come from, and where results are recorded.
        logger: For warnings.
        clock: What latencies are measured with.
        settings: Of the whole node; see `configure`.
        is_running: Says whether the process goes on; failures after shutdown are not logged.
    """

    def __init__(
        self,
        shared: SharedState,
        logger: RcutilsLogger,
        clock: Clock,
        settings: NodeSettings,
        is_running: Callable[[], bool],
    ) -> None:
        self._shared = shared
        self._logger = logger
        self._clock = clock
        self._settings = settings
        self._is_running = is_running
        self._pipeline: Pipeline | None = None
        self._outputs: OutputPublishers | None = None
        self._tilt_source: TiltSource | None = None
        self._log = ThrottledLog(logger)

    # Called by the node, between frames.

    def load(self, progress: Callable[[int, int], None]) -> None:
        """Load and warm up the network of the settings, unless that has been done.

        Raises:
            MonoDepthError: Whatever `load_estimator` finds wrong.
        """
        wanted = self._settings.estimator
        if self._shared.network is not None and self._shared.network.settings == wanted:
            return
        self.unload()
        estimator, network = load_network(wanted, self._logger, progress)
        self._pipeline = Pipeline(estimator, self._settings.pipeline)
        self._shared.network = network

    def unload(self) -> None:
        """Free the network and forget the latest frame."""
        self._pipeline = self._shared.network = None
        self._shared.record(None, CheckedCameraInfo(None))
        torch.cuda.empty_cache()

    def publish_to(self, outputs: OutputPublishers | None) -> None:
        """Publish to other outputs, or None; count from zero and log everything anew."""
        self._outputs = outputs
        if outputs is not None:
            self._shared.statistics = Statistics()
            self._log.forget()

    def tilt_from(self, source: TiltSource | None) -> None:
        """Take the tilt of the camera from a source, or from the parameter for None."""
        self._tilt_source = source

    def configure(self, settings: NodeSettings) -> None:
        """Take over settings; those of the network take effect at the next `load`."""
        self._settings = settings
        network = self._shared.network
        if self._pipeline is not None and network and network.settings == settings.estimator:
            self._pipeline.settings = settings.pipeline

    def snapshot(self) -> str:
        """Save what the latest frame gives; return where.

        Raises:
            MonoDepthError: There is nothing to save, or no place for it.
        """
        frame, pipeline = self._shared.latest, self._pipeline
        if frame is None or pipeline is None:
            raise MonoDepthError('no frame has come yet; is the node active and the camera on?')
        rgb = frame.rgb()
        calibration = self._usable_info(frame, rgb).calibration
        wanted = Output.DEPTH | Output.POINTS | Output.COLOR
        tilt = partial(self._tilt, frame.header)
        result = pipeline.step(rgb, calibration, wanted, frame.stamp_ns, tilt=tilt)
        folder = self._settings.outputs.snapshot_folder
        return save_snapshot(result, frame.header.stamp, folder)

    def reset_alignment(self) -> None:
        """Forget every fit."""
        if self._pipeline is not None:
            self._pipeline.scale.reset()

    # Frames.

    def process(self, frame: Frame) -> None:
        """Process a frame; whatever is wrong with it costs this frame only."""
        if self._outputs is None or self._pipeline is None:
            return
        try:
            self._process(frame, self._pipeline, self._outputs)
        except MonoDepthError as error:
            self._shared.statistics.fail(str(error))
            self._log.repeat(f'frame lost: {error}')
        except Exception as error:
            if not self._is_running():
                return
            self._shared.statistics.fail(repr(error))
            self._log.repeat(f'frame lost: {"".join(traceback.format_exception(error))}')

    def _process(self, frame: Frame, pipeline: Pipeline, outputs: OutputPublishers) -> None:
        """Take one frame from message to messages, then fit to what has been measured."""
        self._shared.record(frame, self._check_info(frame, frame.size))
        wanted, scale = outputs.wanted(), pipeline.scale
        is_heard = bool(wanted) or outputs.info_wanted()
        if is_heard:
            self._publish(frame, pipeline, outputs, wanted)
        else:
            self._shared.statistics.idle()
        if not scale.is_measured:
            return
        if is_heard or outputs.alignment_wanted():
            if scale.source.measures_images:
                self._predict(frame, pipeline)
            self._report(scale.alignment_at(frame.stamp_ns), frame.stamp_ns, outputs)
            self._fit_measurement(pipeline, outputs)
        self._shared.scale = scale.alignment_at(frame.stamp_ns)

    def _publish(
        self, frame: Frame, pipeline: Pipeline, outputs: OutputPublishers, wanted: Output
    ) -> None:
        """Make and publish what is wanted of a frame."""
        began = time.monotonic()
        rgb = frame.rgb()
        checked = self._usable_info(frame, rgb)
        self._shared.record(frame, checked)
        tilt = partial(self._tilt, frame.header)
        result = pipeline.step(rgb, checked.calibration, wanted, frame.stamp_ns, tilt=tilt)
        step_s = time.monotonic() - began
        if wanted & CLOUDS and result.camera is None and self._is_warm:
            self._log.once('no cloud: no usable camera_info came, and fov_deg is not set')
        if result.reason_unknown:
            self._log.repeat(f'depth is not known: {result.reason_unknown}')
        self._shared.statistics.beyond_px += outputs.publish(result, self._header(frame))
        latency = self._clock.now() - Time.from_msg(frame.header.stamp)
        self._shared.statistics.succeed(
            latency.nanoseconds / 1e9, step_s, result.inference_s, result.reason_unknown
        )

    def _predict(self, frame: Frame, pipeline: Pipeline) -> None:
        """Predict a frame unless that has been done."""
        if pipeline.scale.find(frame.stamp_ns) is None:
            rgb = frame.rgb()
            calibration = self._usable_info(frame, rgb).calibration
            tilt = partial(self._tilt, frame.header)
            pipeline.predict(rgb, calibration, frame.stamp_ns, tilt)

    def _fit_measurement(self, pipeline: Pipeline, outputs: OutputPublishers) -> None:
        """Fit to the newest measurement, if one is due; its image is published already."""
        message = self._shared.take_measurement()
        stamp_ns = 0 if message is None else nanoseconds(message.header.stamp)
        if message is None or not pipeline.scale.is_due(stamp_ns):
            return
        frame = self._shared.find_image(stamp_ns)
        try:
            if frame is None:
                raise AlignmentError(
                    f'no image has the stamp of the measurement, {stamp_ns / 1e9:.6f} s',
                    'both must come from the same camera, within two seconds or so',
                )
            self._require_same_view(frame, message.header.frame_id)
            self._predict(frame, pipeline)
            pipeline.observe(stamp_ns, message)
        except MonoDepthError as error:
            pipeline.scale.refuse(str(error), stamp_ns)
        self._report(pipeline.scale.alignment_at(stamp_ns), stamp_ns, outputs)

    def _require_same_view(self, frame: Frame, frame_id: str) -> None:
        """Refuse to fit a raw image, since measurements lie in the rectified one."""
        image_id, calibration = frame.header.frame_id, self._check_info(frame, None).calibration
        is_raw = calibration is not None and not calibration.is_rectified
        if is_raw and not self._settings.pipeline.rectify:
            raise AlignmentError(
                'the camera_info has distortion, a rotation or K other than P, and measurements '
                'lie in the rectified image',
                'set rectify to true, or subscribe to image_rect with its own camera_info',
            )
        if image_id != frame_id:
            self._log.once(
                f'measurements are in frame {frame_id!r}, images in {image_id!r}; they are taken '
                'to be the same view'
            )

    def _report(self, scale: FrameScale, stamp_ns: int, outputs: OutputPublishers) -> None:
        """Publish what became of a measurement, if there was one of this stamp."""
        if not scale.was_measured:
            return
        if scale.refusal:
            self._log.repeat(f'measurement not used: {scale.refusal}')
        outputs.publish_alignment(alignment_array(scale, stamp_ns, self._logger.name))

    def _check_info(self, frame: Frame, size: tuple[int, int] | None) -> CheckedCameraInfo:
        """Check the camera_info of a frame of this (height, width) [px]."""
        if frame.info is None:
            return CheckedCameraInfo(None)
        rectify = self._settings.pipeline.rectify
        return check_camera_info(frame.info, size, frame.header.frame_id, rectify)

    def _usable_info(self, frame: Frame, rgb: np.ndarray) -> CheckedCameraInfo:
        """Check the camera_info of a decoded image, and log what is wrong with it."""
        checked = self._check_info(frame, rgb.shape[:2])
        for fault in () if checked.is_uncalibrated else checked.faults:
            if checked.calibration is None and fault.is_fatal:
                self._log.repeat(f'camera_info not used: {fault}')
            else:
                self._log.once(str(fault))
        if checked.calibration is None and self._settings.pipeline.rectify and self._is_warm:
            self._log.once(
                'rectify is true and no usable camera_info came: images are taken as they come'
            )
        return checked

    @property
    def _is_warm(self) -> bool:
        """Whether a frame has been processed; the first image may overtake its camera_info."""
        return self._shared.statistics.processed > 0

    def _tilt(self, header: Header) -> Tilt | None:
        return None if self._tilt_source is None else self._tilt_source.tilt(header)

    def _header(self, frame: Frame) -> Header:
        """Return the image's header, its frame filled in if the driver left it empty."""
        if frame.header.frame_id:
            return frame.header
        frame_id = self._settings.inputs.frame_id
        self._log.once(f'images have an empty frame_id; {frame_id!r} (frame_id) is used')
        return Header(stamp=frame.header.stamp, frame_id=frame_id)

"""Read the messages of a frame: the picture, its calibration and its header, faults logged."""

from typing import Any

import numpy as np
from std_msgs.msg import Header

from ..core.camera.decoding import has_jpeg_check
from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import AlignmentError, CalibrationError, ImageError, MonoDepthError
from ..core.files.camera_info import CheckedCameraInfo, check_camera_info
from ..core.scale.sensor_pose import pose_text
from ..core.scale.sources import SOURCES
from .messages import color_decoder, nanoseconds
from .node_settings import NodeSettings
from .sensor_poses import sensor_reading
from .shared_state import Frame, SharedState
from .tf_buffer import Tf
from .throttled_log import ThrottledLog
from .tilt_source import TiltSource

_ANOTHER_MOMENT = (
    'both must come from one clock and the last two seconds or so; for a sensor that the camera '
    'does not trigger, set the tolerance to half the time between two images'
)


class FrameReader:
    """Reads frames; called on the worker only. The settings may be replaced between frames."""

    def __init__(self, shared: SharedState, log: ThrottledLog, settings: NodeSettings) -> None:
        self.settings = settings
        self._shared = shared
        self._log = log
        self._decoder = color_decoder(settings.pipeline)
        self.tf: Tf | None = None
        self.tilt: TiltSource | None = None

    def read(self, frame: Frame) -> tuple[np.ndarray, CheckedCameraInfo]:
        """Return the picture (H, W, 3) uint8 RGB, and what is known of its camera_info.

        A camera_info with faults is logged; it costs the cloud, and depth only where it is to
        rectify the image.

        Raises:
            CalibrationError: The image is to be rectified by a camera_info that is refused.
            ImageError: The message does not hold the picture that it claims to hold.
        """
        if frame.stamp_ns < 0:
            what = f'the stamp of the image is {frame.stamp_ns / 1e9:.9f} s'
            raise ImageError(what, 'time begins at 0: see the camera driver')
        rgb = self._rgb(frame)
        checked = self.check_info(frame, rgb.shape[:2])
        self._shared.record(frame, checked)
        rectify = self.settings.pipeline.rectify
        if rectify and checked.is_refused:
            fault = checked.faults[0]
            raise CalibrationError(f'rectify is true, and {fault.what}', fault.remedy)
        for fault in () if checked.is_uncalibrated else checked.faults:
            if checked.is_refused and fault.is_fatal:
                self._log.repeat(f'camera_info not used: {fault}')
            else:
                self._log.once(str(fault))
        if checked.calibration is None and rectify and self._is_warm:
            self._log.once(
                'rectify is true and no usable camera_info came: images are taken as they come'
            )
        return rgb, checked

    def _rgb(self, frame: Frame) -> np.ndarray:
        if not (frame.size or has_jpeg_check()):
            self._log.once('simplejpeg is not installed: damage inside a JPEG goes unnoticed')
        counted = self._decoder.extraneous
        self._decoder.settings = self.settings.pipeline
        rgb = self._decoder.rgb(frame.image)
        self._shared.statistics.extraneous += self._decoder.extraneous - counted
        return rgb

    def check_info(self, frame: Frame, size: tuple[int, int] | None) -> CheckedCameraInfo:
        """Check the camera_info of a frame of this (height, width) [px]."""
        if frame.info is None:
            return CheckedCameraInfo(None)
        settings, frame_id = self.settings.pipeline, frame.header.frame_id
        return check_camera_info(
            frame.info, size, frame_id, settings.rectify, settings.assume_rectified
        )

    def readings(self, frame: Frame, may_wait: bool = True) -> dict[str, Any]:
        """Return what measures a frame, by source: see `Evidence`.

        With `may_wait` what has not come yet is waited for, as long as `alignment.wait` allows.
        """
        alignment = self.settings.pipeline.alignment
        wait_s = alignment.wait if may_wait else 0.0
        messages = self._shared.measurements_of(
            frame.stamp_ns, alignment.stamp_tolerance * 1e9, wait_s, alignment.max_age
        )
        found: dict[str, Any] = {}
        for name in alignment.sources:
            try:
                if name in messages:
                    self.measured_image(name, messages[name].header)
                    found[name] = self._reading(name, frame, messages[name])
                elif SOURCES[name].measures_images and self.tilt is not None:
                    found[name] = self.tilt.tilt(frame.header)
            except MonoDepthError as error:
                found[name] = error
        return found

    def _reading(self, source: str, frame: Frame, message: Any) -> Any:
        """Return what a message says of a frame: itself, or a reading of a sensor with a pose.

        Raises:
            TransformError: Nothing can tell where its sensor stood.
        """
        if not SOURCES[source].has_pose:
            return message
        alignment, header = self.settings.pipeline.alignment, self.header(frame)
        return sensor_reading(source, message, header, alignment, self.tf, self._log.repeat)

    def measured_image(self, source: str, header: Header) -> Frame:
        """Return the image that a measurement belongs to, by stamp.

        Raises:
            AlignmentError: There is none, or it is raw: measurements lie in the rectified one.
        """
        stamp_ns = nanoseconds(header.stamp)
        frame = self._shared.nearest_image(stamp_ns)
        if frame is None:
            raise AlignmentError('a measurement came and no image yet', 'is the camera on?')
        tolerance_s = self.settings.pipeline.alignment.stamp_tolerance
        apart_ns = frame.stamp_ns - stamp_ns
        if abs(apart_ns) > tolerance_s * 1e9:
            raise AlignmentError(
                f'no image has the stamp of the measurement, {stamp_ns / 1e9:.9f} s, within '
                f'alignment.stamp_tolerance, {tolerance_s} s: the nearest has '
                f'{frame.stamp_ns / 1e9:.9f} s, {apart_ns / 1e9:+.9f} s away',
                _ANOTHER_MOMENT,
            )
        calibration = self.check_info(frame, None).calibration
        is_raw = calibration is not None and not calibration.is_rectified
        settings = self.settings.pipeline
        if is_raw and not (settings.rectify or settings.assume_rectified):
            raise AlignmentError(
                'the camera_info has distortion, a rotation or K other than P, and measurements '
                'lie in the rectified image',
                'set rectify to true if the image is raw, assume_rectified to true if it is '
                'rectified already',
            )
        self._warn_of_frames(source, header.frame_id, frame.header.frame_id)
        return frame

    def _warn_of_frames(self, source: str, measured: str, seen: str) -> None:
        said = f'measurements are in frame {measured!r}, images in {seen!r}'
        if measured == seen:
            return
        pose = self.settings.pipeline.alignment.pose_of(source)
        if not SOURCES[source].has_pose:
            self._log.once(f'{said}; they are taken to be the same view')
        elif pose is not None and pose_text(pose) == pose_text(RigidTransform.identity()):
            self._log.once(
                f'{said}, and alignment.sensor_pose says that the two are one; set it to the pose '
                f"of {measured!r} in {seen!r}, or to '' to take that from TF"
            )

    def header(self, frame: Frame) -> Header:
        """Return the image's header, its frame filled in if the driver left it empty."""
        if frame.header.frame_id:
            return frame.header
        frame_id = self.settings.inputs.frame_id
        self._log.once(f'images have an empty frame_id; {frame_id!r} (frame_id) is used')
        return Header(stamp=frame.header.stamp, frame_id=frame_id)

    def warn_of_missing_cloud(self) -> None:
        """Say that no cloud can be made, unless the first image overtook its camera_info."""
        if self._is_warm:
            self._log.once('no cloud: no usable camera_info came, and fov_deg is not set')

    @property
    def _is_warm(self) -> bool:
        return self._shared.statistics.processed > 0

"""Measurements and the frames they belong to, brought together on the worker."""

from collections.abc import Callable

from builtin_interfaces.msg import Time

from ..core.camera.calibration import CameraCalibration
from ..core.errors import AlignmentError, MonoDepthError
from ..core.pipeline import Pipeline
from .camera_info_messages import calibration_from_info
from .inputs import Frame, Inputs, nanoseconds
from .measurements import Measurement, message_measurement
from .throttled_log import ThrottledLog


class MeasurementPairing:
    """Fits the scale of a pipeline to what measures it.

    Args:
        calibrate: Returns the calibration of a frame of this height and width.
        complaints: What is wrong goes there.
    """

    def __init__(
        self,
        calibrate: Callable[[Frame, int, int], CameraCalibration | None],
        complaints: ThrottledLog,
    ) -> None:
        self._calibrate = calibrate
        self._complaints = complaints

    def align(self, pipeline: Pipeline, inputs: Inputs | None, frame: Frame) -> Time | None:
        """Fit to the newest measurement, if one is due; return its stamp.

        Args:
            pipeline: Whose `scale.aligner` says what became of it.
            inputs: Where measurements and their frames are.
            frame: The newest, which is published already; a floor is measured in itself.
        """
        measurement: Measurement | Frame | None = frame
        if pipeline.settings.alignment.source != 'ground':
            measurement = inputs and inputs.take_measurement()
        if measurement is None or inputs is None:
            return None
        stamp, aligner = measurement.header.stamp, pipeline.scale.aligner
        if not aligner.is_due(nanoseconds(stamp)):
            return None
        try:
            if isinstance(measurement, Frame):
                self._look(pipeline, measurement)
                tilt = inputs.plumb.tilt(measurement.header)
                pipeline.scale.observe_floor(nanoseconds(stamp), tilt)
            else:
                self._observe(pipeline, inputs, measurement)
        except MonoDepthError as error:
            aligner.refuse(str(error))
        if aligner.refusal:
            self._complaints.repeat(f'measurement not used: {aligner.refusal}')
        return stamp

    def _observe(self, pipeline: Pipeline, inputs: Inputs, measurement: Measurement) -> None:
        """Fit to a measurement, its frame predicted now if it was passed over."""
        stamp_ns = nanoseconds(measurement.header.stamp)
        frame = inputs.frame(stamp_ns)
        if frame:
            self._look(pipeline, frame)
        seen = pipeline.scale.seen(stamp_ns)
        if not frame or not seen:
            raise AlignmentError(
                f'no image has the stamp of the measurement, {stamp_ns / 1e9:.6f} s; both must '
                'come from the same camera, within two seconds or so'
            )
        _require_rectified(frame, pipeline.settings.rectify)
        if frame.header.frame_id != measurement.header.frame_id:
            self._complaints.once(
                f'measurements are in frame {measurement.header.frame_id!r}, images in '
                f'{frame.header.frame_id!r}; they are taken to be the same view'
            )
        pipeline.scale.observe(stamp_ns, message_measurement(measurement, seen.camera))

    def _look(self, pipeline: Pipeline, frame: Frame) -> None:
        """Have a frame predicted that was passed over, or of which nobody wanted anything."""
        stamp_ns = nanoseconds(frame.header.stamp)
        if pipeline.scale.seen(stamp_ns) is None:
            rgb = frame.rgb()
            pipeline.look(rgb, self._calibrate(frame, *rgb.shape[:2]), stamp_ns)


def _require_rectified(frame: Frame, rectify: bool) -> None:
    """Refuse to align a raw image: disparity lives in the rectified one."""
    calibration = None if frame.info is None else calibration_from_info(frame.info)
    if calibration and not calibration.is_rectified and not rectify:
        raise AlignmentError(
            'the camera_info has distortion, a rotation or K other than P, and measurements lie '
            'in the rectified image: set rectify to true, or subscribe to image_rect with its '
            'own camera_info'
        )

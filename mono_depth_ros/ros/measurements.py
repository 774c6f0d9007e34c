"""Disparity and registered depth messages as observations of metric inverse depth."""

from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

from ..core.camera.pinhole import PinholeCamera
from ..core.scale.depth_measurement import DepthMeasurement
from ..core.scale.measurement_messages import (
    depth_message_measurement,
    disparity_message_measurement,
)

Measurement = DisparityImage | Image


def message_measurement(
    measurement: DisparityImage | Image, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a message says about the image of a camera, None if that is not known.

    Raises:
        ImageError: Size, step, encoding or buffer do not fit each other.
        CalibrationError: f or t is not positive, or another camera made it.
    """
    if isinstance(measurement, DisparityImage):
        return disparity_message_measurement(measurement, camera)
    return depth_message_measurement(measurement, camera)

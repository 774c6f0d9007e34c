"""Disparity and registered depth messages as observations of metric inverse depth."""

from sensor_msgs.msg import Image
from stereo_msgs.msg import DisparityImage

from ..core.camera import PinholeCamera
from ..core.messages.measurements import observation_from_depth, observation_from_disparity
from ..core.stereo import StereoObservation

Measurement = DisparityImage | Image


def observation_from(
    measurement: DisparityImage | Image, camera: PinholeCamera | None
) -> StereoObservation:
    """Return what a message says about the image of a camera, None if that is not known.

    Raises:
        ImageError: Size, step, encoding or buffer do not fit each other.
        CalibrationError: f or t is not positive, or another camera made it.
    """
    if isinstance(measurement, DisparityImage):
        return observation_from_disparity(measurement, camera)
    return observation_from_depth(measurement, camera)

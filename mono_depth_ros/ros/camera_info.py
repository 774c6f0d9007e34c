"""CameraInfo messages: calibrations come in, the cameras of our outputs go out."""

from collections.abc import Sequence

import numpy as np
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from ..core.calibration import CameraCalibration, Matrix
from ..core.camera import PinholeCamera


def calibration_from_info(msg: CameraInfo) -> CameraCalibration | None:
    """Return the calibration of the image that a message accompanies; None = uncalibrated.

    The message describes the full sensor; region of interest and binning are applied here, in
    this order. K[0] = 0 means uncalibrated. An R or P of zeros, which many drivers
    leave so, stands for the identity and for K.

    Raises:
        CalibrationError: A number is not finite, a focal length is not positive, R is no
            rotation, or the region of interest does not lie inside the image.
    """
    if msg.k[0] == 0:
        return None
    k = _matrix(msg.k, 3)
    full = CameraCalibration(
        width=msg.width,
        height=msg.height,
        K=k,
        D=tuple(map(float, msg.d)),
        distortion_model=msg.distortion_model,
        R=_matrix(msg.r if np.any(msg.r) else np.eye(3).ravel(), 3),
        P=_matrix(msg.p, 4) if np.any(msg.p) else tuple((*row, 0.0) for row in k),
    )
    roi: RegionOfInterest = msg.roi
    cropped = full.cropped(
        roi.x_offset,
        roi.y_offset,
        roi.width or msg.width - roi.x_offset,
        roi.height or msg.height - roi.y_offset,
    )
    return cropped.binned(msg.binning_x or 1, msg.binning_y or 1)


def camera_to_info(camera: PinholeCamera, header: Header) -> CameraInfo:
    """Return the message of a rectified image: no distortion, R identity, K = P, no binning."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    msg = CameraInfo(header=header, width=camera.width, height=camera.height)
    msg.distortion_model = 'plumb_bob'
    msg.d = [0.0] * 5
    msg.k = np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64)
    msg.r = np.eye(3).ravel()
    msg.p = np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64)
    return msg


def _matrix(numbers: Sequence[float], columns: int) -> Matrix:
    return tuple(tuple(map(float, row)) for row in np.reshape(numbers, (3, columns)))

"""CameraInfo messages: calibrations come in, the cameras of our outputs go out."""

import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from ..core.camera.pinhole import PinholeCamera
from ..core.files.calibration_messages import calibration_from_info as calibration_from_info


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

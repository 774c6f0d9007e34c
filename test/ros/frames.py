"""Pictures, cameras and messages to send; each with a stamp of its own."""

import itertools
from array import array
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.messages import camera_to_info, rgb_to_image

FRAME_ID = 'eye_optical'
FOCAL_PX = 80.0

_seconds = itertools.count(1_000)


def picture(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Return a coarse random pattern, (H, W, 3) uint8 RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (-(-height // 8), -(-width // 8), 3))
    return np.kron(coarse, np.ones((8, 8, 1)))[:height, :width].astype(np.uint8)


def scene() -> np.ndarray:
    """Return a picture (96, 128, 3) uint8 RGB that a network of random weights sees depth in."""
    v, u = np.mgrid[:96, :128]
    rgb = picture(96, 128, seed=5) // 4
    rgb[48:] += np.uint8(90)
    rgb[v > 96 - u // 2] = (200, 60, 30)
    return rgb


def camera(height: int = 48, width: int = 64, focal_px: float = FOCAL_PX) -> PinholeCamera:
    """Return a camera whose principal point is not the center."""
    return PinholeCamera(width, height, focal_px, focal_px + 4, width / 2 + 3, height / 2 - 2)


def next_stamp() -> Time:
    """Return a stamp that no other message of this run has; a second later than the last."""
    return Time(sec=next(_seconds), nanosec=125_000_000)


def header(stamp: Time | None = None, frame_id: str = FRAME_ID) -> Header:
    """Return a header with a stamp of its own."""
    return Header(stamp=stamp or next_stamp(), frame_id=frame_id)


def image(rgb: np.ndarray | None = None, head: Header | None = None) -> Image:
    """Return an rgb8 message with a stamp of its own."""
    return rgb_to_image(picture() if rgb is None else rgb, head or header())


def info_for(msg: Any, source: PinholeCamera | None = None) -> CameraInfo:
    """Return the camera_info of the same header."""
    return camera_to_info(source or camera(), msg.header)


def key(msg: Any) -> tuple[int, int]:
    """Return a message's stamp as something to compare."""
    return msg.header.stamp.sec, msg.header.stamp.nanosec


def seconds(msg: Any) -> float:
    """Return a message's stamp [s]."""
    return msg.header.stamp.sec + msg.header.stamp.nanosec / 1e9


def message_bytes(values: np.ndarray) -> 'array[int]':
    """Return the bytes of an array for `msg.data`, which rclpy does not look at one by one."""
    return array('B', values.tobytes())

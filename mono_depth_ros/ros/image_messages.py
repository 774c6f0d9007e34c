"""Image messages: pictures of every usual encoding come in, depth and color go out."""

import sys
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from ..core.errors import ImageError
from ..core.files.color_messages import compressed_to_rgb as compressed_to_rgb
from ..core.files.color_messages import image_to_rgb as own_image_to_rgb
from ..core.files.encodings import ENCODINGS, Pixels
from ..core.files.file_writers import to_millimeters
from .cv_bridge_fallback import foreign_to_rgb
from .message_buffers import message_bytes

DepthEncoding = Literal['32FC1', '16UC1']


def nanoseconds(stamp: Time) -> int:
    """Return a stamp as one number."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def image_to_rgb(msg: Image) -> Pixels:
    """Return the picture in a message as (H, W, 3) uint8 RGB, with cv_bridge where we cannot.

    Raises:
        ImageError: The encoding is unknown to us and to cv_bridge, or size, step and data of
            the message contradict each other.
    """
    return own_image_to_rgb(msg) if msg.encoding in ENCODINGS else foreign_to_rgb(msg)


def depth_to_image(
    depth: npt.NDArray[np.float32], header: Header, encoding: DepthEncoding = '32FC1'
) -> Image:
    """Return depth (H, W) float32 [m], NaN invalid, as an image message (REP-118).

    `32FC1` holds it unchanged. `16UC1` holds millimeters, rounded; 0 is invalid and stands
    for whatever is not finite, not positive, or beyond 65.535 m.

    Raises:
        ImageError: The encoding is neither of the two.
    """
    if encoding == '32FC1':
        return float_to_image(depth, header)
    if encoding == '16UC1':
        return _to_message(to_millimeters(depth), header, encoding)
    raise ImageError(f'depth encoding is {encoding!r}; choose 32FC1 [m] or 16UC1 [mm]')


def float_to_image(values: npt.NDArray[np.float32], header: Header) -> Image:
    """Return any quantity (H, W) float32 as a `32FC1` message."""
    return _to_message(values.astype(np.float32, copy=False), header, '32FC1')


def rgb_to_image(rgb: Pixels, header: Header) -> Image:
    """Return (H, W, 3) uint8 RGB as an `rgb8` message."""
    return _to_message(rgb, header, 'rgb8')


def bgr_to_image(bgr: Pixels, header: Header) -> Image:
    """Return (H, W, 3) uint8 BGR as a `bgr8` message."""
    return _to_message(bgr, header, 'bgr8')


def _to_message(pixels: npt.NDArray[Any], header: Header, encoding: str) -> Image:
    height, width = pixels.shape[:2]
    msg = Image(header=header, height=height, width=width, encoding=encoding)
    msg.is_bigendian = int(sys.byteorder == 'big')
    msg.step = pixels[:1].nbytes
    msg.data = message_bytes(pixels)
    return msg

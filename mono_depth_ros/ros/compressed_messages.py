"""CompressedImage messages for narrow links, as image_transport's subscribers read them."""

import struct

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from ..core.files.compression import inverse_depth_png, jpeg, millimeter_png
from .image_messages import DepthEncoding
from .message_buffers import message_bytes

# compression_common.h of compressed_depth_image_transport: a format and two parameters.
_CONFIG_HEADER = struct.Struct('=iff')
_INVERSE_DEPTH = 0


def bgr_to_compressed(bgr: npt.NDArray[np.uint8], header: Header) -> CompressedImage:
    """Return a picture (H, W, 3) BGR as the JPEG that a `bgr8` image becomes on `compressed`."""
    return _message(jpeg(bgr), header, 'bgr8; jpeg compressed bgr8')


def depth_to_compressed(
    depth: npt.NDArray[np.float32], header: Header, encoding: DepthEncoding
) -> CompressedImage:
    """Return depth (H, W) [m], NaN unknown, as an image of that encoding on `compressedDepth`.

    Either way it is a 16-bit PNG: of millimeters for 16UC1, of inverse depth for 32FC1.
    """
    if encoding == '16UC1':
        data = _CONFIG_HEADER.pack(_INVERSE_DEPTH, 0.0, 0.0) + millimeter_png(depth)
    else:
        made = inverse_depth_png(depth)
        data = _CONFIG_HEADER.pack(_INVERSE_DEPTH, made.a, made.b) + made.png
    return _message(data, header, f'{encoding}; compressedDepth png')


def _message(data: bytes, header: Header, name: str) -> CompressedImage:
    values = np.frombuffer(data, np.uint8)
    return CompressedImage(header=header, format=name, data=message_bytes(values))

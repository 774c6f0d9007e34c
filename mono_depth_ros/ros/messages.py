"""Messages of rclpy: images, calibrations and clouds, made of what `core` computes, and read."""

import struct
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from ..core.camera.decoding import DecodingSettings
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import ImageError
from ..core.files.color_messages import ColorDecoder, jpeg
from ..core.files.depth_messages import inverse_depth_png, millimeter_png
from ..core.files.encodings import Pixels
from ..core.files.file_writers import to_millimeters
from ..core.files.message_writers import camera_info_fields, cloud_fields, image_fields
from .cv_bridge_fallback import foreign_to_rgb

DepthEncoding = Literal['32FC1', '16UC1']
Filled = TypeVar('Filled', Image, PointCloud2, CompressedImage)

# compression_common.h of compressed_depth_image_transport: a format and two parameters.
_CONFIG_HEADER = struct.Struct('=iff')
_INVERSE_DEPTH = 0


def nanoseconds(stamp: Time) -> int:
    """Return a stamp as one number."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def color_decoder(settings: DecodingSettings = DecodingSettings()) -> ColorDecoder:
    """Return a decoder that leaves encodings outside our table to cv_bridge."""
    return ColorDecoder(settings, foreign_to_rgb)


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
        return to_image(to_millimeters(depth), header, encoding)
    raise ImageError(f'depth encoding is {encoding!r}', 'choose 32FC1 [m] or 16UC1 [mm]')


def float_to_image(values: npt.NDArray[np.float32], header: Header) -> Image:
    """Return any quantity (H, W) float32 as a `32FC1` message."""
    return to_image(values.astype(np.float32, copy=False), header, '32FC1')


def rgb_to_image(rgb: Pixels, header: Header) -> Image:
    """Return (H, W, 3) uint8 RGB as an `rgb8` message."""
    return to_image(rgb, header, 'rgb8')


def to_image(pixels: npt.NDArray[Any], header: Header, encoding: str) -> Image:
    """Return (H, W[, C]) as an image message of that encoding, such as bgr8."""
    fields = image_fields(pixels, encoding)
    values = fields.pop('data')
    return filled(Image(header=header, **fields), values)


def camera_to_info(camera: PinholeCamera, header: Header) -> CameraInfo:
    """Return the message of a rectified image: no distortion, R identity, K = P, no binning."""
    fields = camera_info_fields(camera)
    return CameraInfo(header=header, **fields | {'d': list(fields['d'])})


def cloud_to_message(
    points: npt.NDArray[np.float32], header: Header, *, is_dense: bool
) -> PointCloud2:
    """Return points as a cloud of float32 x y z [m] or x y z rgb; see `cloud_fields`."""
    fields = cloud_fields(points, is_dense=is_dense)
    values = fields.pop('data')
    fields['fields'] = [PointField(**field) for field in fields['fields']]
    return filled(PointCloud2(header=header, **fields), values)


def bgr_to_compressed(bgr: npt.NDArray[np.uint8], header: Header) -> CompressedImage:
    """Return a picture (H, W, 3) BGR as the JPEG that a `bgr8` image becomes on `compressed`."""
    return _compressed(jpeg(bgr), header, 'bgr8; jpeg compressed bgr8')


def depth_to_compressed(
    depth: npt.NDArray[np.float32], header: Header, encoding: DepthEncoding
) -> CompressedImage:
    """Return depth (H, W) [m], NaN unknown, as an image of that encoding on `compressedDepth`.

    Either way it is a 16-bit PNG: of millimeters for 16UC1, of inverse depth for 32FC1.
    """
    if encoding == '16UC1':
        data = _CONFIG_HEADER.pack(_INVERSE_DEPTH, 0.0, 0.0) + millimeter_png(depth)
    else:
        png, a, b = inverse_depth_png(depth)
        data = _CONFIG_HEADER.pack(_INVERSE_DEPTH, a, b) + png
    return _compressed(data, header, f'{encoding}; compressedDepth png')


def filled(message: Filled, values: npt.NDArray[np.uint8]) -> Filled:
    """Return a message whose `data` is empty with these bytes (N,), copied once.

    A constructor copies them once or twice more, a setter at most once. Where rclpy checks fields
    it looks at each element of anything but an array, `bytes` included: seconds for a cloud.
    """
    message.data.frombytes(values)
    return message


def _compressed(data: bytes, header: Header, name: str) -> CompressedImage:
    return filled(CompressedImage(header=header, format=name), np.frombuffer(data, np.uint8))

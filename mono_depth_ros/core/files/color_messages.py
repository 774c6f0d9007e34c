"""Color images from raw and compressed messages."""

from typing import Any, cast

import cv2
import numpy as np

from ..errors import ImageError
from .encodings import ENCODINGS, Encoding, Pixels, Samples, eight_bit, samples_to_rgb
from .message_protocols import CompressedImageFields, ImageFields


def image_to_rgb(msg: ImageFields) -> Pixels:
    """Return the image of a message as (H, W, 3) uint8 RGB.

    `rgb8` is a view of `msg.data`, with `msg.step` as its row stride; all others are copies.
    16-bit samples are scaled by 255 / 65535. `8UC3` is BGR and `8UC1` gray, as in OpenCV.
    `16UC1` is not read: by REP-118 it is depth in millimeters.

    Raises:
        ImageError: The encoding is not in the table, or size, step and data contradict each other.
    """
    encoding = ENCODINGS.get(msg.encoding)
    if encoding is None:
        raise ImageError(f'encoding {msg.encoding!r} is none of {", ".join(ENCODINGS)}')
    return samples_to_rgb(_samples(msg, encoding), encoding)[:, : msg.width]


def compressed_to_rgb(msg: CompressedImageFields) -> Pixels:
    """Return a JPEG or PNG (or another format of OpenCV) as (H, W, 3) uint8 RGB.

    16-bit images are scaled by 255 / 65535. The orientation tag is ignored, since the calibration
    belongs to the pixels of the sensor. A compressed Bayer image (`bayer_rggb8; png compressed `)
    is demosaiced.

    Raises:
        ImageError: The data is empty, truncated, or no image.
    """
    data = np.frombuffer(msg.data, np.uint8)
    _check_complete(data, msg.format)
    source, _, codec = msg.format.partition(';')
    stored = codec.rpartition('compressed')[2].strip()
    encoding = ENCODINGS.get(source.strip())
    if encoding is not None and encoding.is_mosaic and stored in ('', source.strip()):
        mosaic = _decode(data, cv2.IMREAD_GRAYSCALE, msg.format)
        _check_size(mosaic.shape[1], mosaic.shape[0], source, encoding)
        return samples_to_rgb(mosaic, encoding)
    bgr = eight_bit(_decode(data, cv2.IMREAD_COLOR, msg.format))
    return cast(Pixels, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr))


def _samples(msg: ImageFields, encoding: Encoding) -> Samples:
    """Return the message's samples as a view, (H, W) or (H, W, C), in its own byte order."""
    _check_size(msg.width, msg.height, msg.encoding, encoding)
    row_bytes = encoding.row_bytes(msg.width)
    if msg.step < row_bytes:
        raise ImageError(
            f'step is {msg.step} bytes; {msg.width} px of {msg.encoding} take {row_bytes}'
        )
    if len(msg.data) != msg.step * msg.height:
        raise ImageError(
            f'data has {len(msg.data)} bytes; step {msg.step} x height {msg.height} '
            f'is {msg.step * msg.height}'
        )
    size, channels = encoding.sample_bytes, encoding.channels
    shape: tuple[int, ...] = (msg.height, encoding.columns(msg.width), channels)
    strides: tuple[int, ...] = (msg.step, channels * size, size)
    if channels == 1:
        shape, strides = shape[:2], strides[:2]
    dtype = np.dtype(f'{">" if msg.is_bigendian else "<"}u{size}')
    return np.ndarray(shape, dtype, msg.data, strides=strides)


def _check_size(width: int, height: int, name: str, encoding: Encoding) -> None:
    if width < encoding.min_size or height < encoding.min_size:
        least = f'{encoding.min_size}x{encoding.min_size}'
        raise ImageError(f'image is {width}x{height} px; {name} needs {least} at least')


def _check_complete(data: Pixels, message_format: str) -> None:
    # OpenCV 4 paints the missing part of a JPEG gray, and the network would see a wall there.
    is_jpeg = data[:2].tobytes() == b'\xff\xd8'
    if data.size == 0 or (is_jpeg and b'\xff\xd9' not in data[-1024:].tobytes()):
        what = 'is empty' if data.size == 0 else f'({data.size} bytes of JPEG) is cut off'
        raise ImageError(f'compressed image {what}; its format says {message_format!r}')


def _decode(data: Pixels, color: int, message_format: str) -> Samples:
    flags = color | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        picture: Any = cv2.imdecode(data, flags)
    except cv2.error:
        picture = None
    if picture is None or picture.dtype.name not in ('uint8', 'uint16'):
        found = 'no picture' if picture is None else f'a picture of {picture.dtype}'
        raise ImageError(
            f'compressed image ({data.size} bytes) is {found}; its format says '
            f'{message_format!r}, JPEG and PNG of 8 or 16 bits can be read'
        )
    return cast(Samples, picture)

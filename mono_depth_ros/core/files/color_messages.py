"""Color images from raw and compressed messages, and as JPEG."""

from collections.abc import Callable
from typing import Any, cast

import cv2
import numpy as np

from ..camera.decoding import COLOR, GRAY, DecodingSettings, decode_picture
from ..errors import ImageError
from .encodings import ENCODINGS, Encoding, Pixels, SampleRange, Samples
from .message_protocols import CompressedImageFields, ImageFields
from .planar_encodings import PLANAR, planar_to_rgb


class ColorDecoder:
    """Decodes the images of one camera, in their order; not for several threads at once.

    Args:
        settings: May be replaced at any time.
        foreign: Decodes a sensor_msgs/Image whose encoding is not in our table.

    Attributes:
        extraneous: Number of JPEGs with extraneous bytes, which were decoded all the same.
    """

    def __init__(
        self,
        settings: DecodingSettings = DecodingSettings(),
        foreign: Callable[[Any], Pixels] | None = None,
    ) -> None:
        self.settings = settings
        self.extraneous = 0
        self._foreign = foreign
        self._range = SampleRange()

    def rgb(self, msg: Any) -> Pixels:
        """Return (H, W, 3) uint8 RGB of a sensor_msgs/Image or CompressedImage.

        `rgb8` is a view of `msg.data`, with `msg.step` as its row stride; all others are copies.
        16-bit samples become 8 bits as `bit_depth` says. `8UC3` is BGR, `8UC4` BGRA and `8UC1`
        gray, as in OpenCV. `16UC1` is not read: by REP-118 it is depth in millimeters. A
        compressed Bayer image (`bayer_rggb8; png compressed `) is demosaiced.

        Raises:
            ImageError: The encoding is unknown, or the message does not hold the picture that it
                claims to hold: sizes contradict each other, or data is missing or damaged.
        """
        if not hasattr(msg, 'encoding'):
            return self._compressed(msg)
        encoding = ENCODINGS.get(msg.encoding)
        if encoding is not None:
            return self._rgb(_samples(msg, encoding), encoding)[:, : msg.width]
        if msg.encoding in PLANAR:
            return planar_to_rgb(msg)
        if self._foreign is not None:
            return self._foreign(msg)
        known = ', '.join((*ENCODINGS, *PLANAR))
        raise ImageError(f'encoding {msg.encoding!r} is none of {known}')

    def _compressed(self, msg: CompressedImageFields) -> Pixels:
        source, _, codec = msg.format.partition(';')
        stored = codec.rpartition('compressed')[2].strip()
        encoding = ENCODINGS.get(source.strip())
        if encoding is not None and encoding.is_mosaic and stored in ('', source.strip()):
            mosaic = self._decoded(msg, GRAY)
            _check_size(mosaic.shape[1], mosaic.shape[0], source, encoding)
            return self._rgb(mosaic, encoding)
        return self._rgb(self._decoded(msg, COLOR), ENCODINGS['bgr8'])

    def _decoded(self, msg: CompressedImageFields, flags: int) -> Samples:
        data = np.frombuffer(msg.data, np.uint8)
        name = f'compressed image of format {msg.format!r}'
        picture = decode_picture(data, name, self.settings.max_pixels, flags)
        self.extraneous += picture.extraneous > 0
        if picture.pixels.dtype.name not in ('uint8', 'uint16'):
            raise ImageError(
                f'{name} has pixels of {picture.pixels.dtype}', 'send JPEG or PNG of 8 or 16 bits'
            )
        return cast(Samples, picture.pixels)

    def _rgb(self, samples: Samples, encoding: Encoding) -> Pixels:
        pixels = self._range.eight_bit(samples, self.settings.bit_depth)
        return (
            pixels
            if encoding.to_rgb is None
            else cast(Pixels, cv2.cvtColor(pixels, encoding.to_rgb))
        )


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


def jpeg(bgr: Pixels) -> bytes:
    """Return a picture (H, W, 3) BGR as JPEG."""
    _, encoded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return encoded.tobytes()

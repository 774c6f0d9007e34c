"""Image encodings and their conversion to RGB."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Encoding:
    """Memory layout of an encoding and its conversion to RGB.

    Attributes:
        channels: Samples per pixel.
        to_rgb: OpenCV's conversion from 8-bit samples; None if they are RGB.
        sample_bytes: 1 or 2; 16-bit samples span 0..65535.
        block: Neighboring pixels of a row that share samples, whole in every row.
        min_size: Smallest width and height that can be converted [px].
    """

    channels: int
    to_rgb: int | None
    sample_bytes: int = 1
    block: int = 1
    min_size: int = 1

    @property
    def is_mosaic(self) -> bool:
        """Whether a pixel holds one color only (Bayer)."""
        return self.min_size > 1

    def columns(self, width: int) -> int:
        """Return the columns in memory of an image `width` pixels wide."""
        return -(-width // self.block) * self.block

    def row_bytes(self, width: int) -> int:
        """Return the least `step` of an image `width` pixels wide."""
        return self.columns(width) * self.channels * self.sample_bytes


_MONO = Encoding(1, cv2.COLOR_GRAY2RGB)
_BGR = Encoding(3, cv2.COLOR_BGR2RGB)
_UYVY = Encoding(2, cv2.COLOR_YUV2RGB_UYVY, block=2)
_YUYV = Encoding(2, cv2.COLOR_YUV2RGB_YUY2, block=2)


def _bayer(to_rgb: int, sample_bytes: int) -> Encoding:
    # OpenCV leaves smaller images black.
    return Encoding(1, to_rgb, sample_bytes, min_size=3)


# ROS names a Bayer pattern by its first two rows, OpenCV by the 2x2 block that starts at (1, 1).
ENCODINGS: dict[str, Encoding] = {
    'rgb8': Encoding(3, None),
    'bgr8': _BGR,
    'rgba8': Encoding(4, cv2.COLOR_RGBA2RGB),
    'bgra8': Encoding(4, cv2.COLOR_BGRA2RGB),
    '8UC3': _BGR,
    '8UC1': _MONO,
    'mono8': _MONO,
    'mono16': Encoding(1, cv2.COLOR_GRAY2RGB, sample_bytes=2),
    'uyvy': _UYVY,
    'yuv422': _UYVY,
    'yuyv': _YUYV,
    'yuv422_yuy2': _YUYV,
    'bayer_rggb8': _bayer(cv2.COLOR_BayerBG2RGB, 1),
    'bayer_bggr8': _bayer(cv2.COLOR_BayerRG2RGB, 1),
    'bayer_gbrg8': _bayer(cv2.COLOR_BayerGR2RGB, 1),
    'bayer_grbg8': _bayer(cv2.COLOR_BayerGB2RGB, 1),
    'bayer_rggb16': _bayer(cv2.COLOR_BayerBG2RGB, 2),
    'bayer_bggr16': _bayer(cv2.COLOR_BayerRG2RGB, 2),
    'bayer_gbrg16': _bayer(cv2.COLOR_BayerGR2RGB, 2),
    'bayer_grbg16': _bayer(cv2.COLOR_BayerGB2RGB, 2),
}


def samples_to_rgb(samples: Samples, encoding: Encoding) -> Pixels:
    """Return (H, W, 3) uint8 RGB of samples (H, W) or (H, W, C) in any byte order."""
    pixels = eight_bit(samples)
    if encoding.to_rgb is None:
        return pixels
    return cast(Pixels, cv2.cvtColor(pixels, encoding.to_rgb))


def eight_bit(samples: Samples) -> Pixels:
    """Return the samples as uint8: themselves, or 0..65535 scaled to 0..255 and rounded."""
    if samples.dtype.itemsize == 1:
        return cast(Pixels, samples)
    words = np.ascontiguousarray(samples, np.uint16)
    return cast(Pixels, cv2.convertScaleAbs(words, alpha=255 / 65535))

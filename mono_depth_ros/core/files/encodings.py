"""Image encodings and their conversion to RGB."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError

Pixels = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint16]
Samples = Pixels | Words

_FILLS = 2**15
"""Samples that reach this far use all 16 bits."""
_FEW_STEPS = 16
_NEW_SCENE = 0.25
_RATE = 0.05


@dataclass(frozen=True)
class Encoding:
    """Memory layout of an encoding and its conversion to RGB.

    Attributes:
        channels: Samples per pixel.
        to_rgb: OpenCV's conversion from 8-bit samples; None if they are RGB.
        sample_bytes: 1 or 2.
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
    '8UC4': Encoding(4, cv2.COLOR_BGRA2RGB),
    '8UC1': _MONO,
    'mono8': _MONO,
    'mono16': Encoding(1, cv2.COLOR_GRAY2RGB, sample_bytes=2),
    'rgb16': Encoding(3, None, sample_bytes=2),
    'bgr16': Encoding(3, cv2.COLOR_BGR2RGB, sample_bytes=2),
    'rgba16': Encoding(4, cv2.COLOR_RGBA2RGB, sample_bytes=2),
    'bgra16': Encoding(4, cv2.COLOR_BGRA2RGB, sample_bytes=2),
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


class SampleRange:
    """The range of 16-bit samples that becomes 0..255, held steadily over the images of a camera.

    Of the first image it is all but the darkest and the brightest percent, at least 256 steps
    wide, or 0..65535 where these reach 32768. After that each end moves toward that of the latest
    image by at most 5 % of the range, so that a lamp that comes into view changes no other pixel
    by more than 13 gray levels from one image to the next. Only where more than a quarter of the
    pixels lie outside, as when the light goes on, it begins anew. Images with fewer than 16 steps
    leave it as it is.
    """

    def __init__(self) -> None:
        self._range: tuple[float, float] | None = None

    def eight_bit(self, samples: Samples, bit_depth: int = 0) -> Pixels:
        """Return uint8 of the same shape: 8-bit samples themselves, others scaled and rounded.

        Args:
            samples: (H, W) or (H, W, C), in any byte order.
            bit_depth: 16-bit samples span 0 to 2^bit_depth - 1; 0 = the range of the images.

        Raises:
            ImageError: More than a percent of the samples does not fit into `bit_depth` bits.
        """
        if samples.dtype.itemsize == 1:
            return cast(Pixels, samples)
        words = np.ascontiguousarray(samples, np.uint16)
        low, high = _stated(words, bit_depth) if bit_depth else self._followed(words)
        start = np.uint16(max(0, round(low)))
        if start:
            words = np.maximum(words, start) - start
        return cast(Pixels, cv2.convertScaleAbs(words, alpha=255 / (high - low)))

    def _followed(self, words: Words) -> tuple[float, float]:
        """Return the range after this image."""
        sampled = _sampled(words)
        seen, steps = _seen_range(sampled)
        if steps < _FEW_STEPS:
            return self._range or seen
        low, high = self._range or seen
        if float(np.mean((sampled < low) | (sampled > high))) > _NEW_SCENE:
            low, high = seen
        reach = _RATE * (high - low)
        low += min(max(seen[0] - low, -reach), reach)
        high += min(max(seen[1] - high, -reach), reach)
        self._range = low, high
        return low, high


def _stated(words: Words, bit_depth: int) -> tuple[float, float]:
    highest = 2**bit_depth - 1
    sampled = _sampled(words)
    if (share := float(np.mean(sampled > highest))) > 0.01:
        raise ImageError(
            f'bit_depth is {bit_depth}, and {100 * share:.0f} % of the samples exceed {highest} '
            f'(up to {int(sampled.max())})',
            'set bit_depth to the bits that the driver uses, or to 0',
        )
    return 0.0, float(highest)


def _sampled(words: Words) -> Words:
    """Return some 20,000 samples; an odd step meets every color of a mosaic."""
    step = round((words.shape[0] * words.shape[1] / 20_000) ** 0.5) | 1
    # Opaque alpha is no brightness.
    colors = words if words.ndim == 2 else words[..., :3]
    return colors[::step, ::step].ravel()


def _seen_range(sampled: Words) -> tuple[tuple[float, float], float]:
    """Return the range of one image, and how many steps of its samples that has."""
    low, high = np.percentile(sampled, (1, 99))
    # Samples of 12 bits in the upper bits of 16 come in steps of 16.
    used = int(np.bitwise_or.reduce(sampled))
    step = max(1, used & -used)
    steps = (high - low) / step
    if high >= _FILLS:
        return (0.0, 65535.0), steps
    return (float(low), float(max(high, min(low + 255 * step, 65535)))), steps

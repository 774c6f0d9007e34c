"""Disparity of a rectified pair by semi-global matching (Hirschmueller 2008, OpenCV)."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..errors import ImageError, SettingsError
from ..settings import Settings, setting
from .image_texture import Gray, gray_image, is_textured

# Chosen by `python -m benchmarks.matching`: benchmarks/results/matching.md.
_BLUR_PX = 1.2  # of the pair that the left image is matched in
_SMOOTHNESS, _SMOOTHNESS_BLURRED = 32, 64  # P2 per pixel of the block
_TOLERANCE_PX = 0.7  # between the matches of left and right

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MatchingSettings(Settings):
    """Settings of semi-global matching."""

    num_disparities: int = setting(
        64,
        'Number of disparities to search, starting at 0; a multiple of 16',
        unit='px',
        limits=(16, 1024),
    )
    block_size: int = setting(
        5, 'Edge length of the matching block; odd', unit='px', limits=(1, 21)
    )
    uniqueness: int = setting(
        20,
        'Minimum margin of the best match over the second best',
        unit='%',
        limits=(0, 100),
    )
    speckle_size: int = setting(
        60, 'Maximum size of a speckle, which is removed', unit='px', limits=(0, 10000)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_disparities % 16:
            count = self.num_disparities
            raise SettingsError(f'num_disparities is {count}; it must be a multiple of 16')
        if self.block_size % 2 == 0:
            raise SettingsError(f'block_size is {self.block_size}; it must be odd')


def match_disparity(
    left: torch.Tensor, right: torch.Tensor, settings: MatchingSettings = MatchingSettings()
) -> torch.Tensor:
    """Return the disparity of the left image: (H, W) float32 [px], > 0, NaN invalid.

    The left image is matched against the right one with both blurred, and the right one against
    the left as they are. Where the two agree their mean is returned, unless the texture is too
    weak for their noise: errors from noise and hidden surfaces hardly ever agree. Those of a
    pattern that repeats exactly may. Both images are rectified (H, W, 3) or (H, W) uint8 on the
    CPU.

    Raises:
        ImageError: The images differ in shape or are not uint8.
    """
    if left.shape != right.shape or left.ndim not in (2, 3):
        shapes = f'left is {tuple(left.shape)} and right {tuple(right.shape)}'
        raise ImageError(shapes, 'both must be one shape')
    if left.dtype != torch.uint8 or right.dtype != torch.uint8:
        raise ImageError(f'images are {left.dtype} and {right.dtype}', 'both must be uint8')
    pair = gray_image(left), gray_image(right)
    of_left = _match(_blurred(pair[0]), _blurred(pair[1]), settings, _SMOOTHNESS_BLURRED)
    of_right = _match(pair[1][:, ::-1], pair[0][:, ::-1], settings, _SMOOTHNESS)[:, ::-1]
    disparity = _mean_of_agreeing(of_left, of_right)
    disparity[~is_textured(pair[0])] = np.nan
    return torch.from_numpy(_without_speckles(disparity, settings.speckle_size))


def _blurred(image: Gray) -> Gray:
    return cv2.GaussianBlur(image, (0, 0), _BLUR_PX).astype(np.uint8, copy=False)


def _match(left: Gray, right: Gray, settings: MatchingSettings, smoothness: int) -> Array:
    """Return the disparity of the left image (H, W) [px] to 1/16 px, NaN invalid.

    The pair is extended to the left, or OpenCV would leave out the first `num_disparities`
    columns.
    """
    area, extension = settings.block_size**2, settings.num_disparities
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=settings.num_disparities,
        blockSize=settings.block_size,
        P1=8 * area,
        P2=smoothness * area,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=settings.uniqueness,
        speckleWindowSize=settings.speckle_size,
        speckleRange=1,
        mode=cv2.StereoSGBM_MODE_SGBM_3WAY,
    )
    margin = (0, 0), (extension, 0)
    extended = (np.pad(image, margin, mode='edge') for image in (left, right))
    sixteenths = matcher.compute(*extended)[:, extension:]
    return np.where(sixteenths > 0, sixteenths / np.float32(16), np.float32(np.nan))


def _mean_of_agreeing(of_left: Array, of_right: Array) -> Array:
    """Return the mean disparity (H, W) [px] where the match of a match leads back, else NaN."""
    width = of_left.shape[1]
    u = np.arange(width) - np.nan_to_num(of_left, nan=width).round().astype(np.int64)
    back = np.take_along_axis(of_right, u.clip(min=0), axis=1)
    agrees = (np.abs(back - of_left) <= _TOLERANCE_PX) & (u >= 0)
    return np.where(agrees, (of_left + back) / 2, np.float32(np.nan))


def _without_speckles(disparity: Array, size: int) -> Array:
    """Return disparity without islands of up to `size` pixels, 1 px apart from what is around."""
    sixteenths = (disparity.clip(min=0) * 16).round()
    pixels = np.nan_to_num(sixteenths, nan=-16).astype(np.int16)
    cv2.filterSpeckles(pixels, -16, size, 16)
    return np.where(pixels < 0, np.float32(np.nan), disparity)

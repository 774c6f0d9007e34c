"""Disparity of a rectified pair by semi-global matching (Hirschmueller 2008, OpenCV)."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..errors import ImageError, SettingsError
from ..settings import Settings, setting


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
        10,
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

    Sub-pixel (1/16 px), checked left against right, speckles dropped. The first
    `num_disparities` columns have no match. Both images are rectified (H, W, 3) or (H, W) uint8
    on the CPU.

    Raises:
        ImageError: The images differ in shape or are not uint8.
    """
    if left.shape != right.shape or left.ndim not in (2, 3):
        shapes = f'left is {tuple(left.shape)} and right {tuple(right.shape)}'
        raise ImageError(shapes, 'both must be one shape')
    if left.dtype != torch.uint8 or right.dtype != torch.uint8:
        raise ImageError(f'images are {left.dtype} and {right.dtype}', 'both must be uint8')
    area = settings.block_size**2
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=settings.num_disparities,
        blockSize=settings.block_size,
        P1=8 * area,
        P2=32 * area,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=settings.uniqueness,
        speckleWindowSize=settings.speckle_size,
        speckleRange=1,
        mode=cv2.StereoSGBM_MODE_SGBM_3WAY,
    )
    sixteenths = torch.from_numpy(matcher.compute(_gray(left), _gray(right)))
    disparity = sixteenths.float() / 16
    return disparity.masked_fill_(sixteenths <= 0, torch.nan)


def _gray(image: torch.Tensor) -> cv2.typing.MatLike:
    array = np.ascontiguousarray(image.numpy())
    return cv2.cvtColor(array, cv2.COLOR_RGB2GRAY) if array.ndim == 3 else array

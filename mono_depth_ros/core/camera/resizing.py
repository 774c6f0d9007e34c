"""Images as tensors on the device, at the size that is wanted."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..errors import ImageError


def uploaded(rgb: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return an image (H, W, 3) uint8 of any strides on the device.

    Raises:
        ImageError: It has another type or shape, or no pixels.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ImageError(f'image is {rgb.dtype} {rgb.shape}; it must be uint8 (H, W, 3)')
    # torch takes no array that is read-only or has negative strides.
    return torch.from_numpy(np.require(rgb, requirements=('C', 'W'))).to(device)


def output_size(image: torch.Tensor, scale: float) -> tuple[int, int]:
    """Return (height, width) of an image scaled, at least one pixel each."""
    height, width = image.shape[:2]
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrunk(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (H, W, 3) uint8 averaged down to `size`; the image itself where it has that size."""
    if image.shape[:2] == size:
        return image
    if image.device.type == 'cpu':
        smaller = cv2.resize(image.numpy(), size[::-1], interpolation=cv2.INTER_AREA)
        return torch.from_numpy(smaller)
    planes = image.permute(2, 0, 1)[None].float()
    smaller_planes = F.interpolate(planes, size, mode='bilinear', antialias=True)
    return smaller_planes[0].round_().to(torch.uint8).permute(1, 2, 0)

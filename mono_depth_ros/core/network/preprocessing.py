"""Preprocessing: from an 8-bit image to the network's input."""

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..errors import ImageError
from .dinov2 import PATCH_PX

# (x / 255 - mean) / std with ImageNet's statistics, as one multiply and one add.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_GAIN = tuple(1 / (255 * s) for s in IMAGENET_STD)
_OFFSET = tuple(-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))


def require_aspect(height: int, width: int) -> None:
    """Raise `ImageError` for an image of a shape that no network was trained for."""
    if max(height, width) > 16 * min(height, width):
        why = 'its sides differ more than 16 times, which the network was never trained for'
        raise ImageError(f'image is {width}x{height} px; {why}')


def network_size(
    height: int, width: int, input_size: int, multiple: int = PATCH_PX
) -> tuple[int, int]:
    """Return (height, width) [px] of the network's input for an image.

    The shorter side becomes `input_size`; the aspect ratio is kept up to multiples, by default of
    the patch size of Depth Anything.
    """
    scale = input_size / min(height, width)

    def fit(length: int) -> int:
        size = round(length * scale / multiple) * multiple
        return size if size >= input_size else -(-int(input_size) // multiple) * multiple

    return fit(height), fit(width)


def network_input(
    rgb: torch.Tensor, size: tuple[int, int], interpolation: str = 'cubic'
) -> torch.Tensor:
    """Return (1, 3, *size) float32, ImageNet-normalized, on the image's device; see `resized`."""
    gain, offset = _normalization(rgb.device)
    return torch.addcmul(offset, resized(rgb, size, interpolation), gain).permute(2, 0, 1)[None]


def resized(
    rgb: torch.Tensor, size: tuple[int, int], interpolation: str = 'cubic'
) -> torch.Tensor:
    """Return (*size, 3) float32, 0..255, from (H, W, 3) uint8, without antialiasing as in OpenCV.

    On a CPU by OpenCV, which is faster there, else by torch with the same coefficients.

    Args:
        rgb: On any device.
        size: (height, width) [px].
        interpolation: `cubic` (a = -0.75, replicated border, not rounded) or `linear` (rounded,
            as OpenCV does with bytes).
    """
    on_cpu = rgb.device.type == 'cpu'
    if interpolation == 'cubic':
        return resize_by_opencv(rgb, size) if on_cpu else resize_by_torch(rgb, size)
    if on_cpu:
        rounded = cv2.resize(rgb.numpy(), size[::-1], interpolation=cv2.INTER_LINEAR)
        return torch.from_numpy(rounded).float()
    planes = rgb.permute(2, 0, 1)[None].float()
    linear = F.interpolate(planes, size, mode='bilinear', align_corners=False)
    return linear[0].permute(1, 2, 0).round_()


def resize_by_opencv(rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (*size, 3) float32, not rounded, from (H, W, 3) uint8 on the CPU."""
    height, width = size
    image = rgb.numpy().astype(np.float32)
    return torch.from_numpy(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC))


def resize_by_torch(rgb: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (*size, 3) float32, not rounded, from (H, W, 3) uint8 on any device."""
    planes = rgb.permute(2, 0, 1)[None].float()
    resized = F.interpolate(planes, size, mode='bicubic', align_corners=False)
    return resized[0].permute(1, 2, 0)


@lru_cache
def _normalization(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(_GAIN, device=device), torch.tensor(_OFFSET, device=device)

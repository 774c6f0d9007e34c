"""Preprocessing: from an 8-bit image to the network's input."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..errors import ImageError
from .dinov2 import PATCH_PX

Color = tuple[float, float, float]
"""Of red, green and blue, 0..1."""


@dataclass(frozen=True)
class Sampling:
    """How an image becomes the input of a network, and its output a map of the image.

    Attributes:
        multiple: Of both sides of the input [px].
        interpolation: Of the image, see `resized`.
        align_corners: Whether the outermost pixels of output and map lie upon each other.
        mean: Of the colors, by default that of ImageNet.
        std: Their standard deviation.
    """

    multiple: int = PATCH_PX
    interpolation: str = 'cubic'
    align_corners: bool = True
    mean: Color = (0.485, 0.456, 0.406)
    std: Color = (0.229, 0.224, 0.225)


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
    rgb: torch.Tensor, size: tuple[int, int], sampling: Sampling = Sampling()
) -> torch.Tensor:
    """Return (1, 3, *size) float32, normalized, on the image's device; see `resized`."""
    gain, offset = _normalization(sampling, rgb.device)
    pixels = resized(rgb, size, sampling.interpolation)
    return torch.addcmul(offset, pixels, gain).permute(2, 0, 1)[None]


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
def _normalization(sampling: Sampling, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (x / 255 - mean) / std as the factor and the summand of x."""
    mean, std = (
        torch.tensor(color, dtype=torch.float64) for color in (sampling.mean, sampling.std)
    )
    gain, offset = 1 / (255 * std), -mean / std
    return gain.float().to(device), offset.float().to(device)

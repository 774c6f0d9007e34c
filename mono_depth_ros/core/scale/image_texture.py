"""Where the texture of an image can be matched along rows, above the noise of the sensor."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ..cpu_pixels import unknown_outside
from .depth_measurement import DepthMeasurement

# Chosen with the other constants of matching: benchmarks/results/matching.md.
_LIMIT_PX = 0.4  # standard deviation of disparity above which a match is a guess
_BLOCK_PX = 5  # at half the size of the image
_NOISE_RANGE = 0.3, 4.0  # standard deviation in levels of 255: rounding, and a dark image
_NOISE_CELL_PX = 16
_SMOOTHEST = 0.25  # share of the cells that show noise alone
# `Tuned constants` in benchmarks/results/alignment.md:
_TEXTURE_RADIUS_PX = 4
_MIN_TEXTURE = 4  # gray levels between the darkest and the brightest pixel of a row of the image
_SATURATED = 250  # gray level of 255

Gray = npt.NDArray[np.uint8]


def is_textured(gray: Gray) -> npt.NDArray[np.bool_]:
    """Return (H, W) bool: where noise leaves disparity a standard deviation of at most 0.4 px.

    It is that of a least squares match of one block, s sqrt(2 / sum(g^2)), with noise s and
    gradients g along the row (Foerstner, 1982): large without texture, and where all edges are
    level. The image (H, W) is halved first, which halves the noise and the unit of length.
    """
    height, width = gray.shape
    half = max(width // 2, 1), max(height // 2, 1)
    small = cv2.resize(gray, half, interpolation=cv2.INTER_AREA)
    gradient = cv2.Sobel(small, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    energy = cv2.sqrBoxFilter(gradient, -1, (_BLOCK_PX, _BLOCK_PX), normalize=False)
    textured = (energy >= 2 * (image_noise(gray) / _LIMIT_PX) ** 2).view(np.uint8)
    return cv2.resize(textured, (width, height), interpolation=cv2.INTER_NEAREST).view(np.bool_)


def image_noise(gray: Gray) -> float:
    """Return the standard deviation of the noise of an image (H, W), in levels of 255.

    By the Laplacian of Immerkaer (1996) where the image is smoothest; 0.3 to 4.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(gray, cv2.CV_16S, mask)).view(np.uint16)
    height, width = gray.shape
    cells = max(width // _NOISE_CELL_PX, 1), max(height // _NOISE_CELL_PX, 1)
    means = cv2.resize(response, cells, interpolation=cv2.INTER_AREA)
    deviation = float(np.quantile(means, _SMOOTHEST)) * (np.pi / 2) ** 0.5 / 6
    return float(np.clip(deviation, *_NOISE_RANGE))


def gray_image(image: torch.Tensor) -> Gray:
    """Return (H, W) of uint8 RGB (H, W, 3) or gray (H, W) on the CPU."""
    array: Gray = np.ascontiguousarray(image.numpy())
    if array.ndim == 2:
        return array
    return cv2.cvtColor(array, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def without_guesses(measurement: DepthMeasurement, image: torch.Tensor) -> DepthMeasurement:
    """Return what a matcher measured of an image, only where that has texture.

    Semi-global matching carries disparity into surfaces without texture, where nothing but noise
    decides. The image is (h, w, 3) or (h, w) uint8 on any device, at any resolution.
    """
    textured = torch.from_numpy(is_textured(gray_image(image.cpu())))
    measured = measurement.inverse_depth
    if textured.shape != measured.shape:
        scaled = F.interpolate(textured[None, None].float(), measured.shape, mode='nearest-exact')
        textured = scaled[0, 0] > 0
    kept = unknown_outside(measured, textured.to(measured.device))
    return replace(measurement, inverse_depth=kept)


def is_matchable(image: torch.Tensor, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return where the row of pixels around a point has texture and is not saturated."""
    gray = image[..., 1] if image.ndim == 3 else image
    height, width = gray.shape
    offset = torch.arange(-_TEXTURE_RADIUS_PX, _TEXTURE_RADIUS_PX + 1, device=gray.device)
    u = ((x * width).long()[:, None] + offset).clamp(0, width - 1)
    row = gray[(y * height).long()[:, None], u]
    low, high = row.aminmax(dim=1)
    return (high.int() - low.int() >= _MIN_TEXTURE) & (row[:, _TEXTURE_RADIUS_PX] < _SATURATED)

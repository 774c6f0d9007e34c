"""Fusion: what was measured of an image, and the network's shape between the measurements."""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..cpu_pixels import is_known, places, thresholded
from ..upsampling import upsampled
from .combined_measurement import placed
from .correction_field import Residuals, Samples, correction_field
from .depth_measurement import DepthMeasurement
from .diffusion import Grid, grid_size
from .merging import with_measured

# Those that change accuracy: `Constants` in benchmarks/results/fusion.md.
_CELLS = 1280  # of the grid of corrections
_COLORS_PER_CELL = 4  # along a side, of which the mean is taken
_MAX_SAMPLES = 20_000
_MISMATCH = 0.02  # error of a pixel's place in a cell, relative to inverse depth
_FADE = 0.1  # inverse depth below which corrections fade, in units of the median
_MIN_DENSE = 0.2  # share of measured pixels from which a measurement is dense
_MIN_LATTICE = 0.5  # share from which the measured pixels of a lattice are samples enough


@dataclass(frozen=True, eq=False)
class MetricDepth:
    """The inverse depth of an image.

    Attributes:
        inverse_depth: (H, W) float32 [1/m], NaN unknown; 0 or less is infinitely far.
        is_measured: (H, W) bool, where it follows a measurement of that pixel; None if nothing
            was measured.
        residuals: What is left between it and the measurements, None if nothing was measured.
    """

    inverse_depth: torch.Tensor
    is_measured: torch.Tensor | None = None
    residuals: Residuals | None = None


def fuse(
    aligned: torch.Tensor,
    color: torch.Tensor,
    measurement: DepthMeasurement,
    depth_range: tuple[float, float],
) -> MetricDepth:
    """Return the network's depth, corrected by what was measured of the same image.

    A field of ln(measured / aligned) is found on a grid, which follows the measurements, without
    outliers (Tukey's weights), and diffuses from there, hardly across edges of the prediction and
    of the image. Where aligned inverse depth is near 0 or below, such as in the sky, a ratio means
    nothing, and the correction fades. Where a pixel was measured and agrees with the field, the
    two are averaged with the inverse of their variances.

    Args:
        aligned: (H, W) float32 [1/m], the prediction after scale and shift.
        color: (H, W, 3) uint8 RGB.
        measurement: Of the same image, at any resolution, on the same device.
        depth_range: Measured depth outside (near, far) [m] is not used.
    """
    size = aligned.shape[0], aligned.shape[1]
    pixels = placed(measurement.inverse_depth, size).flatten()
    where, sampled = _measured_pixels(pixels.view(size))
    near, far = depth_range
    in_range = partial(thresholded, low=1 / far, high=1 / near)
    q, some = in_range(pixels[where]), in_range(pixels[sampled])
    floor = _FADE * float(some.nanmedian()) if len(some) else torch.nan
    cells = grid_size(size, _CELLS)
    samples = _samples(aligned, some, sampled, measurement, floor, cells)
    if not len(samples.cell):
        return MetricDepth(aligned)
    residuals = correction_field(_grid(aligned, color, floor, cells), samples)
    faded = (aligned / floor).clamp_(0, 1).mul_(aligned)
    change = upsampled(torch.from_numpy(np.expm1(residuals.field)).to(aligned.device), size)
    corrected = faded.mul_(change).add_(aligned).contiguous()
    is_measured = with_measured(corrected, q, where, measurement, residuals.spread)
    return MetricDepth(corrected, is_measured, residuals)


def _measured_pixels(measured: torch.Tensor) -> tuple[torch.Tensor | slice, torch.Tensor]:
    """Return the indices of measured pixels, all if they are dense, and of samples of them."""
    height, width = measured.shape
    stride = max(1, round((height * width / _MAX_SAMPLES) ** 0.5))
    first = stride // 2
    lattice = is_known(measured[first::stride, first::stride])
    chosen = places(lattice.flatten())
    share = len(chosen) / lattice.numel()
    if share > _MIN_LATTICE:
        v = chosen.div(lattice.shape[1], rounding_mode='floor')
        u = chosen - v * lattice.shape[1]
        return slice(None), (v * width + u).mul_(stride).add_(first * (width + 1))
    pixels = _known(measured)
    samples = pixels[:: max(1, len(pixels) // _MAX_SAMPLES)]
    return (slice(None) if share > _MIN_DENSE else pixels), samples


def _known(values: torch.Tensor) -> torch.Tensor:
    """Return the indices (N,) of those of (H, W) that are not NaN.

    By NumPy on a CPU, where it takes a fifth of the time.
    """
    if values.device.type != 'cpu':
        return (values == values).flatten().nonzero()[:, 0]
    array = values.numpy()
    return torch.from_numpy(np.flatnonzero(array == array))


def _samples(
    aligned: torch.Tensor,
    measured: torch.Tensor,
    pixels: torch.Tensor,
    measurement: DepthMeasurement,
    floor: float,
    cells: tuple[int, int],
) -> Samples:
    """Return the measured pixels where the aligned inverse depth exceeds `floor` [1/m]."""
    predicted = aligned.flatten()[pixels].cpu().numpy()
    variance = measurement.variance(measured, pixels).div_(measured.square()).add_(_MISMATCH**2)
    q = measured.cpu().numpy()
    is_known = q == q
    index, width = pixels.cpu().numpy().astype(np.int32), np.int32(aligned.shape[1])
    v = index // width
    u = index - v * width
    rows, columns = (
        ((np.arange(length) + 0.5) * (count / length)).astype(np.int64)
        for length, count in zip(aligned.shape, cells, strict=True)
    )
    cell = rows[v] * cells[1] + columns[u]
    chosen = np.flatnonzero((predicted > floor) & is_known)
    return Samples(
        cell[chosen],
        np.log(q[chosen] / predicted[chosen]),
        variance.cpu().numpy()[chosen],
        cell[(predicted <= 0) & is_known],
        np.broadcast_to(measurement.matched(pixels).cpu().numpy(), cell.shape)[chosen],
    )


def _grid(aligned: torch.Tensor, color: torch.Tensor, floor: float, size: tuple[int, int]) -> Grid:
    predicted = F.interpolate(aligned[None, None], size, mode='bilinear')[0, 0]
    log_prediction = predicted.nan_to_num(floor).clamp_(min=floor).log_().cpu().numpy()
    step = max(1, color.shape[1] // (_COLORS_PER_CELL * size[1]))
    some = np.ascontiguousarray(color[step // 2 :: step, step // 2 :: step].cpu().numpy())
    return Grid(log_prediction, cv2.resize(some, size[::-1], interpolation=cv2.INTER_AREA))

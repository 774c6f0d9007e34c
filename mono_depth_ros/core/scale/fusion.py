"""Fusion: what was measured of an image, and the network's shape between the measurements."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..windows import over_window
from .depth_measurement import DepthMeasurement
from .diffusion import Grid, grid_size

# Those that change accuracy: `Constants` in benchmarks/results/fusion.md.
_COLUMNS = 80  # of the grid of corrections
_MAX_SAMPLES = 20_000
_DENSE_SAMPLES = 5_000  # with fewer on the lattice, all measured pixels are taken
_PASSES = 3
_TUKEY = 4.685  # where Tukey's weights end, in deviations (Huber, 1981)
_FIRST = 2.4
"""Deviations at which the first weights, of Geman and McClure (1987), are a quarter. They do not
end: where the network has a whole surface wrong, what was measured there is all there is."""
_INLIER = 0.5  # weight of those that tell the deviation
_MISMATCH = 0.02  # error of a pixel's place in a cell, relative to inverse depth
_MAX_SAMPLES_PER_CELL = 4.0  # errors of measurements of one place are correlated
_SPREAD_RANGE = (0.03, 0.3)  # of the deviations from the network, of ln inverse depth
_FADE = 0.1  # inverse depth below which corrections fade, in units of the median
_AGREEMENT = 3.0  # deviations within which a measured pixel agrees with its surroundings
_BLOCK = (3, 7)
_BLOCK_SPREAD = 0.12
"""Measured pixels that contradict the field around them are a surface of their own, rather than
errors, if they fill a block of this size [px], upright or lying, in which the nearest exceeds the
farthest inverse depth by at most this share."""
_TRUSTED = 0.8
"""Share of the measured pixels that must agree for the others to be such surfaces: a matcher whose
matches contradict the field in many places has seen repetitions."""
_MIN_DENSE = 0.2  # share of measured pixels of which blocks can be full


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
    residuals: 'Residuals | None' = None


@dataclass(frozen=True, eq=False)
class Residuals:
    """Deviations of what was measured from the fused depth, in ln inverse depth.

    Attributes:
        grid: Over the image.
        cell: (N,) int64, index of the cell of the grid that each measured pixel lies in.
        error: (N,) measured minus fused.
        weight: (N,) 0..1, 0 for outliers.
        spread: Standard deviation of the inliers.
        network_spread: That of the same pixels from the network alone.
    """

    grid: Grid
    cell: torch.Tensor
    error: torch.Tensor
    weight: torch.Tensor
    spread: float
    network_spread: float

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return (h, w): the sums of values (N,) over the pixels of each cell."""
        zero = torch.zeros(self.grid.size, device=values.device)
        return zero.flatten().index_add(0, self.cell, values).view(self.grid.size)


@dataclass(frozen=True, eq=False)
class _Samples:
    """Measured pixels.

    Attributes:
        cell: (N,) int64, index of the cell of the grid that each lies in.
        log_ratio: (N,) ln of measured over aligned inverse depth.
        variance: (N,) of that.
    """

    cell: torch.Tensor
    log_ratio: torch.Tensor
    variance: torch.Tensor


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
    near, far = depth_range
    q = measurement.inverse_depth
    q = torch.where((q * far >= 1) & (q * near <= 1), q, torch.nan)
    v, u = _sampled_pixels(q)
    if not len(v):
        return MetricDepth(aligned)
    floor = _FADE * float(q[v, u].median())
    size = grid_size((aligned.shape[0], aligned.shape[1]), _COLUMNS)
    samples = _samples(aligned, q, v, u, measurement, floor, size)
    if not len(samples.cell):
        return MetricDepth(aligned)
    field, residuals = _field(_grid(aligned, color, floor, size), samples)
    factor = F.interpolate(field.exp_()[None, None], aligned.shape, mode='bilinear')[0, 0]
    fade = (aligned / floor).clamp_(0, 1)
    corrected = factor.sub_(1).mul_(fade).add_(1).mul_(aligned)
    fused, is_measured = _with_measured(corrected, q, measurement, residuals.spread)
    return MetricDepth(fused, is_measured, residuals)


def _sampled_pixels(measured: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return v and u of measured pixels: on a lattice, if it has enough."""
    height, width = measured.shape
    stride = max(1, round((height * width / _MAX_SAMPLES) ** 0.5))
    first = stride // 2
    v, u = measured[first::stride, first::stride].isfinite().nonzero().unbind(1)
    if len(v) >= _DENSE_SAMPLES:
        return v * stride + first, u * stride + first
    v, u = measured.isfinite().nonzero().unbind(1)
    step = max(1, len(v) // _MAX_SAMPLES)
    return v[::step], u[::step]


def _samples(
    aligned: torch.Tensor,
    measured: torch.Tensor,
    v: torch.Tensor,
    u: torch.Tensor,
    measurement: DepthMeasurement,
    floor: float,
    size: tuple[int, int],
) -> _Samples:
    """Return the measured pixels where the aligned inverse depth exceeds `floor` [1/m]."""
    (height, width), (rows, columns) = measured.shape, size
    y, x = (v + 0.5) / height, (u + 0.5) / width
    predicted = aligned[(y * aligned.shape[0]).long(), (x * aligned.shape[1]).long()]
    usable = predicted > floor
    q = measured[v, u][usable]
    cell = (y * rows).long() * columns + (x * columns).long()
    variance = measurement.variance(q).div_(q.square()).add_(_MISMATCH**2)
    return _Samples(cell[usable], (q / predicted[usable]).log_(), variance)


def _grid(aligned: torch.Tensor, color: torch.Tensor, floor: float, size: tuple[int, int]) -> Grid:
    predicted = F.interpolate(aligned[None, None], size, mode='bilinear')[0, 0]
    half = color[::2, ::2].permute(2, 0, 1)[None].float()
    small = F.interpolate(half, size, mode='area')[0].permute(1, 2, 0)
    return Grid(predicted.nan_to_num(floor).clamp(min=floor).log(), small)


def _field(grid: Grid, samples: _Samples) -> tuple[torch.Tensor, Residuals]:
    """Return the field of ln ratios (h, w), and what it misses."""
    ratio, cell = samples.log_ratio, samples.cell
    spread = network_spread = _deviation(ratio, *_SPREAD_RANGE)
    residuals = Residuals(grid, cell, ratio, ratio, spread, spread)
    weight = (1 + (ratio / (_FIRST * spread)).square_()).square_().reciprocal_()
    for _ in range(_PASSES):
        precision = weight / samples.variance
        total, moment = residuals.summed(precision), residuals.summed(precision * ratio)
        most = _MAX_SAMPLES_PER_CELL / _MISMATCH**2
        limit = (most / total.clamp(min=1e-9)).clamp_(max=1)
        field = grid.diffuse(total * limit, moment * limit)
        error = ratio - field.flatten()[cell]
        spread = _deviation(error[weight > _INLIER], _MISMATCH, _SPREAD_RANGE[1])
        weight = _tukey_weights(error, spread)
        residuals = Residuals(grid, cell, error, weight, spread, network_spread)
    return field, residuals


def _deviation(errors: torch.Tensor, least: float, most: float) -> float:
    """Return the standard deviation of the inliers by the median of all, within bounds."""
    return min(max(1.4826 * float(errors.abs().median()), least), most) if len(errors) else most


def _tukey_weights(error: torch.Tensor, deviation: float) -> torch.Tensor:
    return (1 - (error / (_TUKEY * deviation)).square_()).clamp_(min=0).square_()


def _with_measured(
    corrected: torch.Tensor, measured: torch.Tensor, measurement: DepthMeasurement, spread: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inverse depth (H, W) with measured pixels worked in, and which these are."""
    q = _at_size(measured, (corrected.shape[0], corrected.shape[1]))
    # Where nothing is predicted, as where a mask excludes pixels, nothing is filled in either.
    q = q.masked_fill(corrected.isnan(), torch.nan)
    of_field = (corrected * spread).square_()
    total = measurement.variance(q).add_(of_field)
    error = q - corrected
    agrees = error.square() < total * _AGREEMENT**2
    gain = of_field.div_(total)
    fused = torch.where(agrees, torch.addcmul(corrected, gain, error), corrected)
    known, agreeing = q[::4, ::4].isfinite().sum(), agrees[::4, ::4].sum()
    is_dense = int(known) > _MIN_DENSE * q[::4, ::4].numel()
    if not is_dense or int(agreeing) < _TRUSTED * int(known):
        return fused, agrees
    is_surface = _is_surface(q)
    return torch.where(is_surface & ~agrees, q, fused), agrees | is_surface


def _at_size(measured: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return the measurement at the pixels (H, W) that it was made of, NaN at others."""
    height, width = measured.shape
    if (height, width) == size:
        return measured
    if 2 * height >= size[0]:
        return F.interpolate(measured[None, None], size, mode='nearest-exact')[0, 0]
    v, u = measured.isfinite().nonzero().unbind(1)
    placed = torch.full(size, torch.nan, device=measured.device)
    rows, columns = (v + 0.5) / height * size[0], (u + 0.5) / width * size[1]
    placed[rows.long(), columns.long()] = measured[v, u]
    return placed


def _is_surface(measured: torch.Tensor) -> torch.Tensor:
    """Return (H, W) bool: where a pixel lies in a full block of like inverse depths."""
    found = torch.zeros(measured.shape, dtype=torch.bool, device=measured.device)
    for block in (_BLOCK, _BLOCK[::-1]):
        radii = block[0] // 2, block[1] // 2
        nearest = over_window(measured, torch.maximum, radii, torch.nan)
        farthest = over_window(measured, torch.minimum, radii, torch.nan)
        alike = nearest < farthest * (1 + _BLOCK_SPREAD)
        found |= over_window(alike.view(torch.uint8), torch.bitwise_or, radii, 0).view(torch.bool)
    return found

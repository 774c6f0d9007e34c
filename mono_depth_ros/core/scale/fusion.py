"""Fusion: what was measured of an image, and the network's shape between the measurements."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .depth_measurement import DepthMeasurement
from .diffusion import Grid, grid_size

_COLUMNS = 80
_MAX_SAMPLES = 20_000
_DENSE_SAMPLES = 5_000
_PASSES = 3
_TUKEY = 4.685
_MISMATCH = 0.02
_MAX_CELL_WEIGHT = 4.0
_SPREAD_RANGE = (0.03, 0.3)
_FADE = 0.1
_AGREEMENT = 3.0
_BLOCK = 3, 7
_BLOCK_SPREAD = 0.12


@dataclass(frozen=True, eq=False)
class Fused:
    """An image's inverse depth after fusion.

    Attributes:
        inverse_depth: (H, W) float32 [1/m].
        is_measured: (H, W) bool, where it follows a measurement of that pixel.
    """

    inverse_depth: torch.Tensor
    is_measured: torch.Tensor


@dataclass(frozen=True, eq=False)
class _Samples:
    """Measured pixels: their cell (N,), log of measured over aligned inverse depth, variance."""

    cell: torch.Tensor
    log_ratio: torch.Tensor
    variance: torch.Tensor


def fuse(
    aligned: torch.Tensor,
    color: torch.Tensor,
    measurement: DepthMeasurement,
    depth_range: tuple[float, float],
) -> Fused:
    q, noise = measurement.inverse_depth, measurement.noise
    near, far = depth_range
    q = torch.where((q * far >= 1) & (q * near <= 1), q, torch.nan)
    size = grid_size(tuple(aligned.shape), _COLUMNS)
    v, u = _sampled_pixels(q)
    floor = _FADE * float(q[v, u].median())
    samples = _samples(aligned, q, v, u, noise, floor, size)
    field, spread = _field(_grid(aligned, color, floor, size), samples)
    factor = F.interpolate(field.exp()[None, None], tuple(aligned.shape), mode='bilinear')[0, 0]
    fade = (aligned / floor).clamp_(0, 1)
    fused = aligned * (factor.sub_(1).mul_(fade).add_(1))
    return _with_measured(fused, q, noise, spread)


def _grid(aligned, color, floor, size):
    log = F.interpolate(aligned[None, None], size, mode='bilinear')[0, 0]
    log = log.nan_to_num(floor).clamp(min=0.1 * floor).log()
    half = color[::2, ::2].permute(2, 0, 1)[None].float()
    return Grid(log, F.interpolate(half, size, mode='area')[0].permute(1, 2, 0))


def _sampled_pixels(q):
    height, width = q.shape
    stride = max(1, round((height * width / _MAX_SAMPLES) ** 0.5))
    first = stride // 2
    v, u = q[first::stride, first::stride].isfinite().nonzero().unbind(1)
    if len(v) >= _DENSE_SAMPLES:
        return v * stride + first, u * stride + first
    v, u = q.isfinite().nonzero().unbind(1)
    keep = max(1, len(v) // _MAX_SAMPLES)
    return v[::keep], u[::keep]


def _samples(aligned, q, v, u, noise, floor, size):
    height, width = q.shape
    value = q[v, u]
    y, x = (v + 0.5) / height, (u + 0.5) / width
    H, W = aligned.shape
    a = aligned[(y * H).long(), (x * W).long()]
    usable = a > floor
    cell = (y * size[0]).long() * size[1] + (x * size[1]).long()
    ratio = (value / a).log()
    variance = (noise / value).square() + _MISMATCH**2
    return _Samples(cell[usable], ratio[usable], variance[usable])


def _field(grid, samples):
    r, cell = samples.log_ratio, samples.cell
    height, width = grid.size
    weight = _tukey(r, _spread(r))
    zeros = torch.zeros(height * width, device=r.device)
    for _ in range(_PASSES):
        precision = weight / samples.variance
        p = zeros.index_add(0, cell, precision)
        m = zeros.index_add(0, cell, precision * r)
        limit = (_MAX_CELL_WEIGHT / _MISMATCH**2 / p.clamp(min=1e-9)).clamp(max=1)
        x = grid.diffuse((p * limit).view(height, width), (m * limit).view(height, width))
        error = r - x.flatten()[cell]
        spread = _spread(error[weight > 0.01], _MISMATCH)
        weight = _tukey(error, spread)
    return x, spread


def _spread(values, least=_SPREAD_RANGE[0]):
    if not len(values):
        return _SPREAD_RANGE[1]
    return min(max(1.4826 * float(values.abs().median()), least), _SPREAD_RANGE[1])


def _tukey(error, spread):
    return (1 - (error / (_TUKEY * spread)).square()).clamp(min=0).square()


def _with_measured(fused, q, noise, spread):
    q = _at_size(q, tuple(fused.shape))
    square = fused.square()
    error = q - fused
    total = (square * (spread**2 + _MISMATCH**2)).add_(noise**2)
    agrees = error.square() < total * _AGREEMENT**2
    gain = square.mul_(spread**2).div_(total)
    out = torch.where(agrees, torch.addcmul(fused, gain, error), fused)
    if bool(q.isfinite().float().mean() < 0.2):
        return Fused(out, agrees)
    coherent = _coherent(q)
    return Fused(torch.where(coherent & ~agrees, q, out), agrees | coherent)


def _at_size(q, size):
    if tuple(q.shape) == size:
        return q
    if 2 * q.shape[0] >= size[0]:
        return F.interpolate(q[None, None], size, mode='nearest-exact')[0, 0]
    v, u = q.isfinite().nonzero().unbind(1)
    out = torch.full(size, torch.nan, device=q.device)
    out[((v + 0.5) / q.shape[0] * size[0]).long(), ((u + 0.5) / q.shape[1] * size[1]).long()] = q[
        v, u
    ]
    return out


def _coherent(q):
    """Where a pixel belongs to a block of measured pixels of like inverse depth."""
    out = torch.zeros_like(q, dtype=torch.bool)
    for block in (_BLOCK, _BLOCK[::-1]):
        radii = tuple(side // 2 for side in block)
        hi = over_window(q, torch.maximum, radii, torch.nan)
        lo = over_window(q, torch.minimum, radii, torch.nan)
        alike = (hi < lo * (1 + _BLOCK_SPREAD)).view(torch.uint8)
        out |= over_window(alike, torch.bitwise_or, radii, 0).view(torch.bool)
    return out


def over_window(values, choose, radii, outside):
    v, u = radii
    chosen = F.pad(values, (u, u, v, v), value=outside)
    for axis, radius in enumerate(radii):
        width, span = 2 * radius + 1, 1
        while span < width:
            step = min(span, width - span)
            count = chosen.shape[axis] - step
            chosen = choose(chosen.narrow(axis, 0, count), chosen.narrow(axis, step, count))
            span += step
    return chosen

"""Removal of flying pixels: depths between two surfaces that belong to neither."""

import math

import torch
import torch.nn.functional as F

from ..windows import over_window
from .edge_sharpness import edge_sharpness
from .output_settings import EdgeFilterSettings

# Chosen by benchmarks/results/edges.md. `_BEND` and `_RISE` in units of the threshold; `_LONGEST`
# in pixels of a network that sees `_FINE` of them along the shorter side.
_BEND, _RISE = 0.5, 0.05
_SHARP, _DULL = 0.51, 0.485
"""Edge sharpness from which on edges are sharp, and up to which they are dull."""
_LONGEST, _FINE = 4, 480


def remove_flying_pixels(
    inverse_depth: torch.Tensor,
    settings: EdgeFilterSettings,
    radius: int = 1,
    is_measured: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return inverse depth (H, W) [1/m] with NaN on the ramps that a network makes of steps.

    A ramp lies, along u or along v, behind something nearer and on no surface, neither that
    before it nor that after it. A surface is straight: on a plane inverse depth q is affine in u
    and v, so a floor is kept at any angle of view. With the reach n,

    * behind: q(u - m) or q(u + m) exceeds q(u) by more than `threshold` / 20, with m = n / 2 or
      m = n;
    * bent before it: |q(u - 2 m) - 2 q(u - m) + q(u)| > `threshold` / 2 * q(u - m) with m = n or
      m = 2 n; after it, the same with u + m. The rim of a surface is bent on one side only.

    Ramps are removed with those of their eight neighbors that lie behind something, too. So the
    crest of a thin object is kept, however it is smeared.

    Unknown pixels and inverse depth below 0, which is infinitely far, count as 0. The pixels at
    the border of the image are repeated beyond it. What was measured is kept.

    Args:
        inverse_depth: (H, W) float32 [1/m], NaN unknown.
        settings: Of the filter.
        radius: Size of a pixel of the network [px], at least 1. The reach is four of them where
            the shorter side of the image has 480, one less for each half of that, and two at
            least; only half of that where the edges are sharp, see `edge_sharpness`.
        is_measured: (H, W) bool, which pixels follow a measurement; None if none does.
    """
    if not settings.enabled:
        return inverse_depth
    sharpness = edge_sharpness(inverse_depth, radius, is_measured)
    reach = _reach(sharpness, min(inverse_depth.shape), radius)
    q = inverse_depth.nan_to_num(0.0).clamp_(min=0.0)
    behind_v, ramp_v = _behind_and_ramp(0, q, settings.threshold, reach)
    behind_u, ramp_u = _behind_and_ramp(1, q, settings.threshold, reach)
    ramp = ramp_v.logical_or_(ramp_u).view(torch.uint8)
    is_flying = over_window(ramp, torch.maximum, (1, 1), 0).view(torch.bool)
    is_flying &= behind_v.logical_or_(behind_u)
    if is_measured is not None:
        is_flying &= ~is_measured
    return inverse_depth.masked_fill(is_flying, torch.nan)


def _reach(sharpness: float | None, length: int, radius: int) -> int:
    """Return over how many pixels an edge is looked for, of an image of that shorter side [px]."""
    longest = min(max(_LONGEST + math.log2(length / radius / _FINE), 2), _LONGEST)
    dullness = 1.0 if sharpness is None else (_SHARP - sharpness) / (_SHARP - _DULL)
    return round(radius * longest / 2 * (1 + min(max(dullness, 0.0), 1.0)))


def _behind_and_ramp(
    axis: int, q: torch.Tensor, threshold: float, reach: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (H, W) bool each: where q lies behind something, and where on no surface besides."""
    length, margin = q.shape[axis], 4 * reach
    borders = (margin, margin, 0, 0) if axis else (0, 0, margin, margin)
    padded = F.pad(q[None, None], borders, mode='replicate')[0, 0]

    def shifted(offset: int, count: int = length) -> torch.Tensor:
        return padded.narrow(axis, margin + offset, count)

    half = max(1, reach // 2)
    nearest = torch.maximum(shifted(-reach), shifted(reach))
    for offset in (-half, half):
        torch.maximum(nearest, shifted(offset), out=nearest)
    is_behind = nearest > q * (1 + _RISE * threshold)
    is_bent = [torch.zeros_like(is_behind) for _ in range(2)]
    for step in (reach, 2 * reach):
        count = length + 2 * step
        center = shifted(-step, count)
        bend = torch.add(shifted(-2 * step, count), shifted(0, count)).sub_(center, alpha=2).abs_()
        bent = bend > center * (_BEND * threshold)
        for side, first in zip(is_bent, (0, 2 * step), strict=True):
            side |= bent.narrow(axis, first, length)
    return is_behind, is_behind & is_bent[0] & is_bent[1]

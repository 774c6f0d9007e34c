"""Removal of flying pixels: depths between two surfaces that belong to neither."""

import math
from operator import gt

import torch
import torch.nn.functional as F

from ..cpu_pixels import bands, compared, unknown_outside
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
    behind, ramp = _behind_and_ramp(inverse_depth, settings.threshold, reach)
    is_kept = over_window(ramp.view(torch.uint8), torch.maximum, (1, 1), 0).view(torch.bool)
    is_kept = is_kept.logical_and_(behind).logical_not_()
    if is_measured is not None:
        is_kept |= is_measured
    return unknown_outside(inverse_depth, is_kept)


def _reach(sharpness: float | None, length: int, radius: int) -> int:
    """Return over how many pixels an edge is looked for, of an image of that shorter side [px]."""
    longest = min(max(_LONGEST + math.log2(length / radius / _FINE), 2), _LONGEST)
    dullness = 1.0 if sharpness is None else (_SHARP - sharpness) / (_SHARP - _DULL)
    return round(radius * longest / 2 * (1 + min(max(dullness, 0.0), 1.0)))


def _behind_and_ramp(
    inverse_depth: torch.Tensor, threshold: float, reach: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (H, W) bool each: what lies behind something, and what on no surface besides."""
    margin = 4 * reach
    known = inverse_depth.nan_to_num(0.0).clamp_(min=0.0)
    padded = F.pad(known[None, None], (margin,) * 4, mode='replicate')[0, 0]
    found = (_of_band(padded[rows], threshold, reach) for rows in bands(padded, 2 * margin))
    behind, ramp = (torch.cat(masks) for masks in zip(*found, strict=True))
    return behind, ramp


def _of_band(
    padded: torch.Tensor, threshold: float, reach: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same of some rows with a margin of four reaches on all sides."""
    margin, width = 4 * reach, padded.shape[1]
    height, half = len(padded) - 2 * margin, max(1, reach // 2)
    # Row after row, so that a step along v, too, is a number of places. Beyond the last column
    # lie the first ones of the next row: what is found in the margin is cut off in the end.
    first, count = margin * width, height * width
    q = padded.flatten()
    limit, most_bend = q * (1 + _RISE * threshold), q * (_BEND * threshold)

    def along(stride: int) -> tuple[torch.Tensor, torch.Tensor]:
        def shifted(values: torch.Tensor, steps: int, more: int = 0) -> torch.Tensor:
            start = first + (steps - more) * stride
            return values[start : start + count + 2 * more * stride]

        front = shifted(limit, 0)
        is_behind = compared(shifted(q, -reach), gt, front)
        for steps in (reach, -half, half):
            is_behind |= compared(shifted(q, steps), gt, front)
        is_bent = []
        for step in (reach, 2 * reach):
            bend = shifted(q, -step, step) + shifted(q, step, step)
            bend.sub_(shifted(q, 0, step), alpha=2).abs_()
            bent = compared(bend, gt, shifted(most_bend, 0, step))
            is_bent.append((bent[:count], bent[2 * step * stride :]))
        before, after = (near | far for near, far in zip(*is_bent, strict=True))
        return is_behind, before.logical_and_(after).logical_and_(is_behind)

    (behind_v, ramp_v), (behind_u, ramp_u) = along(width), along(1)
    found = behind_v.logical_or_(behind_u), ramp_v.logical_or_(ramp_u)
    behind, ramp = (mask.view(height, width)[:, margin:-margin] for mask in found)
    return behind, ramp

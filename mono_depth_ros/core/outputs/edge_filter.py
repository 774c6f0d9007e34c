"""Removal of flying pixels: depths between two surfaces that belong to neither."""

import math
from dataclasses import dataclass
from operator import gt

import numpy as np
import torch
import torch.nn.functional as F

from ..cpu_pixels import bands, compared, unknown_outside
from ..windows import over_window
from .edge_sharpness import edge_sharpness
from .output_settings import EdgeFilterSettings

# Chosen with benchmarks/edges.py; results/edges.md has half and twice of some.
_LONGEST, _FINE = 4, 480
"""The longest reach, in pixels of a network that sees `_FINE` of them along the shorter side."""
_DULL = 0.485
"""Edge sharpness up to which edges are dull; taken where too few tell."""
_SHARPNESSES = (0.39, 0.42, _DULL, 0.51, 0.58)
_REACHES = (1.0, 1.0, 1.0, 0.5, 0.4)
"""Share of the longest reach at a sharpness; between them, straight lines."""
_RISES, _BENDS = (0.02, 0.05, 0.05, 0.05, 0.05), (0.38, 0.5, 0.5, 0.5, 0.5)
"""The same of what is steep, and of what is bent, in units of the threshold."""


@dataclass(frozen=True)
class _RampTest:
    """What makes a ramp.

    Attributes:
        reach: How far it is looked around [px].
        rise: Share of its inverse depth by which what it is behind exceeds it.
        bend: Share of the inverse depth beside it by which that may be off its straight line.
        is_step: Whether it must bend down and then up.
    """

    reach: int
    rise: float
    bend: float
    is_step: bool


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

    * behind: q(u - m) or q(u + m) exceeds q(u) by more than 0.05 `threshold`, with m = n / 2 or
      m = n;
    * bent before it: |q(u - 2 m) - 2 q(u - m) + q(u)| > 0.5 `threshold` q(u - m) with m = n or
      m = 2 n; after it, the same with u + m. The rim of a surface is bent on one side only.
    * Where edges are sharp, bent down on the side of what it is behind and up on the other one,
      as a step is; the rounded crease between a floor and a wall bends the same way twice. Where
      they are very dull, ramps are longer than the reach: 0.02 and 0.38 of the threshold do.

    Ramps are removed with those of their eight neighbors that lie behind something, too. So the
    crest of a thin object is kept, however it is smeared.

    Unknown pixels and inverse depth below 0, which is infinitely far, count as 0. The pixels at
    the border of the image are repeated beyond it. What was measured is kept.

    Args:
        inverse_depth: (H, W) float32 [1/m], NaN unknown.
        settings: Of the filter.
        radius: Size of a pixel of the network [px], at least 1. The reach is four of them where
            the shorter side of the image has 480, one less for each half of that, and two at
            least; down to two fifths of that where the edges are sharp, see `edge_sharpness`, but
            not below one of them, nor two pixels of the image.
        is_measured: (H, W) bool, which pixels follow a measurement; None if none does.
    """
    if not settings.enabled:
        return inverse_depth
    sharpness = edge_sharpness(inverse_depth, radius, is_measured)
    test = _ramp_test(sharpness, settings.threshold, min(inverse_depth.shape), radius)
    behind, ramp = _behind_and_ramp(inverse_depth, test)
    is_kept = over_window(ramp.view(torch.uint8), torch.maximum, (1, 1), 0).view(torch.bool)
    is_kept = is_kept.logical_and_(behind).logical_not_()
    if is_measured is not None:
        is_kept |= is_measured
    return unknown_outside(inverse_depth, is_kept)


def _ramp_test(sharpness: float | None, threshold: float, length: int, radius: int) -> _RampTest:
    """Return what makes a ramp in an image of that shorter side [px] and edge sharpness."""
    longest = min(max(_LONGEST + math.log2(length / radius / _FINE), 2), _LONGEST)
    if sharpness is None:
        sharpness = _DULL
    share, rise, bend = (
        float(np.interp(sharpness, _SHARPNESSES, values)) for values in (_REACHES, _RISES, _BENDS)
    )
    return _RampTest(
        reach=max(2, radius, round(radius * longest * share)),
        rise=rise * threshold,
        bend=bend * threshold,
        is_step=sharpness > _DULL,
    )


def _behind_and_ramp(
    inverse_depth: torch.Tensor, test: _RampTest
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (H, W) bool each: what lies behind something, and what on no surface besides."""
    margin = 4 * test.reach
    known = inverse_depth.nan_to_num(0.0).clamp_(min=0.0)
    padded = F.pad(known[None, None], (margin,) * 4, mode='replicate')[0, 0]
    found = (_of_band(padded[rows], test) for rows in bands(padded, 2 * margin))
    behind, ramp = (torch.cat(masks) for masks in zip(*found, strict=True))
    return behind, ramp


def _of_band(padded: torch.Tensor, test: _RampTest) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the same of some rows with a margin of four reaches on all sides."""
    margin, width = 4 * test.reach, padded.shape[1]
    height = len(padded) - 2 * margin
    # Row after row, so that a step along v, too, is a number of places. Beyond the last column
    # lie the first ones of the next row: what is found in the margin is cut off in the end.
    inside = slice(margin * width, (margin + height) * width)
    q = padded.flatten()
    limit, most = q * (1 + test.rise), q * test.bend
    (behind_v, ramp_v), (behind_u, ramp_u) = (
        _along(q, limit, most, inside, stride, test) for stride in (width, 1)
    )
    found = behind_v.logical_or_(behind_u), ramp_v.logical_or_(ramp_u)
    behind, ramp = (mask.view(height, width)[:, margin:-margin] for mask in found)
    return behind, ramp


def _along(
    q: torch.Tensor,
    limit: torch.Tensor,
    most: torch.Tensor,
    inside: slice,
    stride: int,
    test: _RampTest,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N,) bool each, of the pixels inside, by their neighbors every `stride` places.

    Args:
        q: Inverse depth of all pixels.
        limit: What it must exceed for a pixel to be behind it.
        most: How far the pixels to both sides of it may be off a straight line through it.
        inside: Which pixels.
        stride: Places between neighbors.
        test: What makes a ramp.
    """

    def shifted(values: torch.Tensor, steps: int, more: int = 0) -> torch.Tensor:
        first, last = (steps - more) * stride, (steps + more) * stride
        return values[inside.start + first : inside.stop + last]

    front = shifted(limit, 0)
    behind = []
    for sign in (-1, 1):
        near, far = (shifted(q, sign * steps) for steps in (test.reach // 2, test.reach))
        behind.append(compared(near, gt, front).logical_or_(compared(far, gt, front)))
    downs, ups = [], []
    for step in (test.reach, 2 * test.reach):
        bend = shifted(q, -step, step) + shifted(q, step, step)
        bend.sub_(shifted(q, 0, step), alpha=2)
        if test.is_step:
            ups.append(compared(bend, gt, shifted(most, 0, step)))
            bend.neg_()
        else:
            bend.abs_()
        downs.append(compared(bend, gt, shifted(most, 0, step)))
    count = len(front)
    down_before, down_after = _ends(downs, count)
    up_before, up_after = _ends(ups, count) if test.is_step else (down_before, down_after)
    ramp = up_after.logical_and(down_before).logical_and_(behind[0])
    ramp |= up_before.logical_and(down_after).logical_and_(behind[1])
    return behind[0].logical_or_(behind[1]), ramp


def _ends(masks: list[torch.Tensor], count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N,) bool each: the first and the last N of both, joined."""
    near, far = masks
    return near[:count].logical_or(far[:count]), near[-count:].logical_or(far[-count:])

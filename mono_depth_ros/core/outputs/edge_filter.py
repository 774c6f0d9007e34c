"""Removal of flying pixels: depths between two surfaces that belong to neither."""

import torch

from ..windows import over_window
from .output_settings import EdgeFilterSettings


def remove_flying_pixels(
    inverse_depth: torch.Tensor,
    settings: EdgeFilterSettings,
    radius: int = 1,
    is_measured: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return inverse depth (H, W) [1/m] with NaN at discontinuities.

    A pixel is removed if the surface within `radius` pixels in u and v is steep and bent. Steep:
    the largest inverse depth q exceeds the smallest by more than `threshold`. Bent: the second
    difference of q over 2 * radius exceeds half of `threshold`,
    |q(u - 2 radius) - 2 q(u) + q(u + 2 radius)| > threshold / 2 * q(u), or the same in v. On a
    plane q is affine in u and v, so a floor is kept at any angle of view. Both thresholds were
    chosen by benchmarks/results/edges.md.

    Inverse depth of 0 or less is infinitely far. Unknown pixels make no neighbor steep; for the
    bend they count as 0. The radius, at least 1, is the size of a pixel of the network [px], over
    which it blurs a step. Pixels that were measured, if (H, W) bool says which, are kept.
    """
    if not settings.enabled:
        return inverse_depth
    q = inverse_depth.nan_to_num(0.0)
    nearest = over_window(q, torch.maximum, (radius, radius), 0.0)
    known = inverse_depth.nan_to_num(torch.inf)
    farthest = over_window(known, torch.minimum, (radius, radius), torch.inf).clamp_(min=0.0)
    is_steep = nearest > farthest.mul_(1 + settings.threshold)
    bent = _bent(q, settings.threshold / 2, 2 * radius)
    is_bent = over_window(bent, torch.maximum, (radius, radius), 0)
    is_flying = is_steep & is_bent.view(torch.bool)
    if is_measured is not None:
        is_flying &= ~is_measured
    return inverse_depth.masked_fill(is_flying, torch.nan)


def _bent(q: torch.Tensor, threshold: float, step: int) -> torch.Tensor:
    """Return (H, W) uint8, 1 where q bends over `step` pixels, all of them inside the image."""
    limit = q * threshold
    bent = torch.zeros(limit.shape, dtype=torch.uint8, device=limit.device)
    for axis in (0, 1):
        count = limit.shape[axis] - 2 * step
        if count > 0:
            before, here, after = (q.narrow(axis, k * step, count) for k in (0, 1, 2))
            bend = torch.add(before, after).sub_(here, alpha=2).abs_()
            exceeds = bend > limit.narrow(axis, step, count)
            bent.narrow(axis, step, count).bitwise_or_(exceeds.view(torch.uint8))
    return bent

"""Range of depth that is published as known."""

import torch


def clip_range(inverse_depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] of inverse depth [1/m]; NaN outside the range [m]."""
    depth = inverse_depth.reciprocal()
    return torch.where((depth >= nearest) & (depth <= farthest), depth, torch.nan)


def mark_out_of_range(
    depth: torch.Tensor, inverse_depth: torch.Tensor, nearest: float, farthest: float
) -> torch.Tensor:
    """Return clipped depth [m] with the infinities of REP-117 where `clip_range` made it NaN.

    +Inf is farther than the range, as is inverse depth that is not positive; -Inf is nearer.
    Depth unknown for another reason, at edges or where a network saturates, stays NaN: +Inf would
    mean that no object is within range.
    """
    unclipped = inverse_depth.reciprocal()
    reason = torch.full_like(depth, torch.nan)
    reason.masked_fill_((inverse_depth <= 0) | (unclipped > farthest), torch.inf)
    reason.masked_fill_((inverse_depth > 0) & (unclipped < nearest), -torch.inf)
    return torch.where(depth.isnan(), reason, depth)

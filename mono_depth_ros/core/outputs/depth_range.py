"""The range of depth that is published as known."""

import torch


def clip_range(inverse_depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] of inverse depth [1/m]; NaN where it is nearer or farther than that."""
    depth = inverse_depth.reciprocal()
    return torch.where((depth >= nearest) & (depth <= farthest), depth, torch.nan)


def mark_out_of_range(
    depth: torch.Tensor, inverse_depth: torch.Tensor, nearest: float, farthest: float
) -> torch.Tensor:
    """Return gated depth [m] with the infinities of REP-117 where the gate made it NaN.

    +Inf is farther than the gate, which is also where inverse depth is not positive; -Inf is
    nearer. What is not known for another reason, at edges or where a network saturates, is NaN:
    +Inf would say that likely no object is within range.
    """
    behind = inverse_depth.reciprocal()
    reason = torch.full_like(depth, torch.nan)
    reason.masked_fill_((inverse_depth <= 0) | (behind > farthest), torch.inf)
    reason.masked_fill_((inverse_depth > 0) & (behind < nearest), -torch.inf)
    return torch.where(depth.isnan(), reason, depth)

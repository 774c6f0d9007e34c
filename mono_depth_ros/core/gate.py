"""The range of depth that is published as known."""

import torch


def gated(inverse_depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] of inverse depth [1/m]; NaN where it is nearer or farther than that."""
    depth = inverse_depth.reciprocal()
    return torch.where((depth >= nearest) & (depth <= farthest), depth, torch.nan)

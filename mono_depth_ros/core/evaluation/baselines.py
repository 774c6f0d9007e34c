"""Predictions made without looking at the image, which a network must surpass."""

import torch


def constant_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32 relative inverse depth that is constant."""
    return torch.ones(height, width)


def row_gradient_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32 relative inverse depth that grows with the row, as on a floor."""
    return torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)

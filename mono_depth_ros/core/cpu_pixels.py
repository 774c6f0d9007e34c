"""Comparing and selecting pixels, which on a CPU NumPy and OpenCV do several times as fast.

They work on the memory of the tensors. On every other device torch does the same.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch


def shared(values: torch.Tensor) -> Any:
    """Return an array in the same memory on a CPU, elsewhere the tensor itself.

    Slices and operators work alike on both; `torch.as_tensor` makes a tensor of either.
    """
    return values.numpy() if values.device.type == 'cpu' else values


def is_known(values: torch.Tensor) -> torch.Tensor:
    """Return which values of any shape are finite."""
    if values.device.type != 'cpu':
        return values.isfinite()
    return torch.from_numpy(np.isfinite(values.numpy()))


def unknown_outside(values: torch.Tensor, is_kept: torch.Tensor) -> torch.Tensor:
    """Return values (H, W) float32, NaN where they are not kept, (H, W) bool."""
    if values.device.type != 'cpu':
        return torch.where(is_kept, values, torch.nan)
    kept = torch.full(values.shape, torch.nan)
    cv2.copyTo(values.numpy(), is_kept.view(torch.uint8).numpy(), kept.numpy())
    return kept


def interleaved(planes: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return (H, W, C) float32 of C planes (H, W) float32, bit by bit."""
    if planes[0].device.type != 'cpu':
        return torch.stack(tuple(planes), dim=-1)
    return torch.from_numpy(cv2.merge([plane.numpy() for plane in planes]))


def selected(rows: torch.Tensor, is_kept: torch.Tensor) -> torch.Tensor:
    """Return the rows (N, C) that are kept, (N,) bool."""
    if rows.device.type != 'cpu':
        return rows.index_select(0, is_kept.nonzero()[:, 0])  # several times as fast as a mask
    # A row as one value: NumPy copies neighbors that are kept together.
    whole = rows.numpy().view(np.dtype((np.void, rows.shape[1] * rows.element_size())))[:, 0]
    kept = whole[is_kept.numpy()]
    return torch.from_numpy(kept[:, None].view(np.float32))

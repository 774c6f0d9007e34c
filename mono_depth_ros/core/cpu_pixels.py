"""Comparing and selecting pixels, which on a CPU NumPy and OpenCV do several times as fast.

They work on the memory of the tensors. On every other device torch does the same.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F

_BAND_PX = 320_000
"""So many stay in the cache of a CPU, which changes the time only."""


def native(tensor: torch.Tensor) -> tuple[Any, Any]:
    """Return the module that works on a tensor, and the array that it takes: NumPy on a CPU.

    It is for operators, and for functions that both modules have.
    """
    return (np, tensor.numpy()) if tensor.device.type == 'cpu' else (torch, tensor)


def bands(image: torch.Tensor, overlap: int = 0) -> Iterator[slice]:
    """Yield spans of the rows of an image (H, W), on a CPU so small that they stay in its cache.

    Each has `overlap` rows in common with the next one.
    """
    height, width = image.shape
    rows = max(1, _BAND_PX // width) if image.device.type == 'cpu' else height
    for top in range(0, max(1, height - overlap), rows):
        yield slice(top, min(top + rows + overlap, height))


def compared(
    values: torch.Tensor,
    by: Callable[[Any, Any], Any],
    other: torch.Tensor | float,
) -> torch.Tensor:
    """Return (...) bool: what `operator.gt` or another says of values (...) and others."""
    if values.device.type != 'cpu':
        return torch.as_tensor(by(values, other))
    return torch.from_numpy(
        by(values.numpy(), other.numpy() if isinstance(other, torch.Tensor) else other)
    )


def is_known(values: torch.Tensor) -> torch.Tensor:
    """Return which values of any shape are finite."""
    if values.device.type != 'cpu':
        return values.isfinite()
    return torch.from_numpy(np.isfinite(values.numpy()))


def unknown_outside(values: torch.Tensor, is_kept: torch.Tensor) -> torch.Tensor:
    """Return values (H, W) float32, NaN where they are not kept, (H, W) bool."""
    if values.device.type != 'cpu' or not values.numel():
        return torch.where(is_kept, values, torch.nan)
    kept = torch.full(values.shape, torch.nan, dtype=values.dtype)
    cv2.copyTo(values.numpy(), is_kept.view(torch.uint8).numpy(), kept.numpy())
    return kept


def thresholded(values: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Return values float32 of any shape, NaN unless low < value < high.

    By torch on a CPU, too: comparing and masking takes it several times as long.
    """
    above = F.threshold(values, low, torch.nan)
    return F.threshold(above.neg_(), -high, torch.nan).neg_()


def interleaved(planes: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return (H, W, C) float32 of C planes (H, W) float32, bit by bit."""
    if planes[0].device.type != 'cpu' or not planes[0].numel():
        return torch.stack(tuple(planes), dim=-1)
    return torch.from_numpy(cv2.merge([plane.numpy() for plane in planes]))


def places(is_kept: torch.Tensor) -> torch.Tensor:
    """Return where (N,) bool is true, ascending int64."""
    if is_kept.device.type != 'cpu':
        return is_kept.nonzero()[:, 0]
    return torch.from_numpy(np.flatnonzero(is_kept.numpy()))


def selected(rows: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Return some of the rows (N, C) float32: those of (N,) bool, or at (M,) int64 places."""
    if rows.device.type != 'cpu':
        return rows.index_select(0, places(which) if which.dtype == torch.bool else which)
    # A row as one value: NumPy copies those at once that lie side by side and are kept together.
    whole = rows.numpy().view(np.dtype((np.void, rows.shape[1] * rows.element_size())))[:, 0]
    return torch.from_numpy(whole[which.numpy()][:, None].view(rows.numpy().dtype))

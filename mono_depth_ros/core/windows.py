"""Reductions over windows of an image."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F

_ON_CPU: dict[Any, Callable[..., Any]] = {torch.maximum: cv2.dilate, torch.minimum: cv2.erode}


def over_window(
    values: torch.Tensor,
    choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    radii: tuple[int, int],
    outside: float,
) -> torch.Tensor:
    """Return (H, W): the greatest or least value in windows of 2 * radius + 1 rows and columns.

    By OpenCV on a CPU, where it takes half the time.

    Args:
        values: (H, W) float32 or uint8 without NaN.
        choose: `torch.maximum` or `torch.minimum`.
        radii: Of the window, in v and u [px].
        outside: What counts beyond the border.
    """
    if values.device.type != 'cpu':
        return over_window_by_doubling(values, choose, radii, outside)
    window = np.ones([2 * radius + 1 for radius in radii], np.uint8)
    border = {'borderType': cv2.BORDER_CONSTANT, 'borderValue': outside}
    return torch.from_numpy(_ON_CPU[choose](values.numpy(), window, **border))


def over_window_by_doubling(
    values: torch.Tensor,
    choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    radii: tuple[int, int],
    outside: float,
) -> torch.Tensor:
    """Return the same on any device: separable, with doubling spans."""
    v, u = radii
    chosen = F.pad(values, (u, u, v, v), value=outside)
    for axis, radius in enumerate(radii):
        width, span = 2 * radius + 1, 1
        while span < width:
            step = min(span, width - span)
            count = chosen.shape[axis] - step
            chosen = choose(chosen.narrow(axis, 0, count), chosen.narrow(axis, step, count))
            span += step
    return chosen

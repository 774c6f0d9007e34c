"""Smooth fields on grids, at the pixels of an image."""

import cv2
import torch
import torch.nn.functional as F


def upsampled(grid: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (H, W) float32 of a size: a grid (h, w), bilinear between the centers of its cells.

    By OpenCV on a CPU, where it takes a fifth of the time.
    """
    if grid.device.type != 'cpu':
        return F.interpolate(grid[None, None], size, mode='bilinear')[0, 0]
    return torch.from_numpy(cv2.resize(grid.numpy(), size[::-1], interpolation=cv2.INTER_LINEAR))

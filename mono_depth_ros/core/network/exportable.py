"""The network in a form that an exporter records for any size of the image."""

import copy

import torch
from torch import nn

from .depth_anything import DepthAnything
from .dinov2 import GRID_OFFSET, DinoV2
from .families import Network

_A = -0.75  # of the cubic kernel in PyTorch


class ExportableDinoV2(DinoV2):
    """The encoder whose position grid is resampled by products with matrices.

    An exporter records `F.interpolate` with the sizes of the image that it was shown, so that
    the file works at that size alone.
    """

    def position_embedding(self, rows: int, cols: int) -> torch.Tensor:
        """Return (1, 1 + rows * cols, C), as `DinoV2` does."""
        first, rest = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        square = rest.view(self.grid, self.grid, -1)
        # The grid itself is taken as it is. A tensor, so that an exporter records the question.
        is_same = (
            (torch.stack([torch.as_tensor(n) for n in (rows, cols)]) == self.grid)
            .to(rest.dtype)
            .prod()
        )
        offset = GRID_OFFSET * (1 - is_same)
        down, across = (cubic_weights(n, self.grid, n + offset, rest) for n in (rows, cols))
        resampled = torch.einsum('rg,ghc->rhc', down, square)
        resampled = torch.einsum('kh,rhc->rkc', across, resampled)
        return torch.cat((first, resampled.flatten(0, 1)[None]), dim=1)


def cubic_weights(count: int, grid: int, length: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return (count, grid): what each of `count` samples takes from each place of a grid.

    `length` of them, a number that need not be whole, would span the grid.
    Cubic convolution (Keys, 1981) as `F.interpolate` does it, places beyond the ends replicated.
    """
    step = grid / length
    at = (torch.arange(count, dtype=like.dtype, device=like.device) + 0.5) * step - 0.5
    places = torch.arange(grid, dtype=like.dtype, device=like.device)
    weights = torch.zeros_like(at)[:, None] * places
    for offset in (-1, 0, 1, 2):
        tap = at.floor() + offset
        is_there = tap.clamp(0, grid - 1)[:, None] == places
        weights = weights + is_there.to(like.dtype) * _cubic((at - tap).abs())[:, None]
    return weights


def _cubic(distance: torch.Tensor) -> torch.Tensor:
    near = ((_A + 2) * distance - (_A + 3)) * distance**2 + 1
    far = ((_A * distance - 5 * _A) * distance + 8 * _A) * distance - 4 * _A
    return torch.where(distance <= 1, near, far)


def exportable(network: Network) -> nn.Module:
    """Return a copy of a network, with the same weights, for an exporter."""
    made = copy.deepcopy(network)
    made.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    if isinstance(made, DepthAnything):
        made.pretrained.__class__ = ExportableDinoV2
    return made

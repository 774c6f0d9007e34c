"""Diffusion of values that are known at some cells of a grid, hardly across edges."""

import torch
import torch.nn.functional as F

_EDGE_LOG_DEPTH = 0.05
_EDGE_GRAY = 8.0
_STIFFNESS = 500.0
_LEAK = 1e-3
"""Conductance falls by a step of log prediction of `_EDGE_LOG_DEPTH` or of `_EDGE_GRAY` levels of
255 between two cells, from `_STIFFNESS` to `_LEAK` of it: benchmarks/results/fusion.md."""
_SWEEPS = 5
_COARSEST = 10


class Grid:
    """Cells that exchange what they hold with their four neighbors.

    Args:
        log_prediction: (h, w) float32, h and w multiples of a power of 2 until one is at most 10.
        color: (h, w, 3) float32, 0..255.
    """

    def __init__(self, log_prediction: torch.Tensor, color: torch.Tensor) -> None:
        east, south = (_conductance(log_prediction, color, axis) for axis in (1, 0))
        self._levels = [(east, south)]
        while min(self.size) >> len(self._levels) - 1 > _COARSEST:
            east, south = _coarser(east, south)
            self._levels.append((east, south))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in cells."""
        east, south = self._levels[0]
        return east.shape[0], south.shape[1]

    def diffuse(self, precision: torch.Tensor, moment: torch.Tensor) -> torch.Tensor:
        """Return (h, w): what minimizes the squared deviations from values and between neighbors.

        Minimized is sum p (x - m / p)^2 + sum c (x - x')^2 over cells and over pairs of neighbors.
        Solved on the coarsest grid directly and improved by Jacobi sweeps on each finer one
        (cascadic multigrid: Bornemann and Deuflhard, 1996).

        Args:
            precision: (h, w) p, 0 where nothing is known; somewhere it is.
            moment: (h, w) p times the value.
        """
        data = [(precision, moment)]
        for _ in self._levels[1:]:
            data.append((_sum_blocks(data[-1][0]), _sum_blocks(data[-1][1])))
        x = _solve(*data[-1], *self._levels[-1])
        for (p, m), (east, south) in zip(data[-2::-1], self._levels[-2::-1], strict=True):
            x = F.interpolate(x[None, None], scale_factor=2, mode='bilinear')[0, 0]
            x = _relax(x, p, m, east, south)
        return x


def grid_size(size: tuple[int, int], columns: int) -> tuple[int, int]:
    """Return a grid's (height, width) for the aspect of an image's, multiples of 16."""
    height, width = size
    return max(16, 16 * round(columns / 16 * height / width)), columns


def _conductance(log_prediction: torch.Tensor, color: torch.Tensor, axis: int) -> torch.Tensor:
    step = log_prediction.diff(dim=axis) / _EDGE_LOG_DEPTH
    contrast = color.diff(dim=axis).abs().amax(dim=-1) / _EDGE_GRAY
    return _STIFFNESS * (torch.exp(-step.square() - contrast) + _LEAK)


def _coarser(east: torch.Tensor, south: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the conductances between blocks of 2x2: the mean of the two that cross a side."""
    return (east[::2, 1::2] + east[1::2, 1::2]) / 2, (south[1::2, ::2] + south[1::2, 1::2]) / 2


def _sum_blocks(values: torch.Tensor) -> torch.Tensor:
    height, width = values.shape
    return values.view(height // 2, 2, width // 2, 2).sum((1, 3))


def _solve(
    precision: torch.Tensor, moment: torch.Tensor, east: torch.Tensor, south: torch.Tensor
) -> torch.Tensor:
    """Return the solution on a small grid by elimination."""
    width = precision.shape[1]
    along, down = F.pad(east, (0, 1)).flatten()[:-1], south.flatten()
    matrix = torch.diag(precision.flatten())
    for conductance, step in ((along, 1), (down, width)):
        matrix.diagonal(step).sub_(conductance)
        matrix.diagonal(-step).sub_(conductance)
        diagonal = matrix.diagonal()
        diagonal[:-step].add_(conductance)
        diagonal[step:].add_(conductance)
    solution: torch.Tensor = torch.linalg.solve(matrix, moment.flatten())
    return solution.view_as(moment)


def _relax(
    x: torch.Tensor,
    precision: torch.Tensor,
    moment: torch.Tensor,
    east: torch.Tensor,
    south: torch.Tensor,
) -> torch.Tensor:
    """Return x after some Jacobi sweeps."""
    neighbors = tuple(F.pad(c, p) for c, p in zip((east, east, south, south), _PADS, strict=True))
    scale = (precision + sum(neighbors)).reciprocal()
    weights = tuple(c * scale for c in neighbors)
    own = moment * scale
    for _ in range(_SWEEPS):
        y = F.pad(x, (1, 1, 1, 1))
        x = torch.addcmul(own, weights[0], y[1:-1, 2:])
        x.addcmul_(weights[1], y[1:-1, :-2])
        x.addcmul_(weights[2], y[2:, 1:-1])
        x.addcmul_(weights[3], y[:-2, 1:-1])
    return x


_PADS = ((0, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0))
"""Where the conductance to the east, west, south and north neighbor is missing: at the border."""

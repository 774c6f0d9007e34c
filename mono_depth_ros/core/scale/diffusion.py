"""Diffusion of values that are known at some cells of a grid, hardly across edges.

In NumPy on the CPU, wherever the image is: a thousand cells are less work than what starting as
many operations on a GPU takes.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


_EDGE_LOG_DEPTH = 0.05
_EDGE_GRAY = 8.0
_STIFFNESS = 500.0
_LEAK = 1e-3
"""Conductance falls by a step of log prediction of `_EDGE_LOG_DEPTH` or of `_EDGE_GRAY` levels of
255 between two cells, from `_STIFFNESS` to `_LEAK` of it: benchmarks/results/fusion.md."""
_SWEEPS = 5
_COARSEST = 128  # cells of a grid that is solved by elimination
_MULTIPLE = 4  # of the sides, so that a grid of 2,000 cells can be halved to that


class Grid:
    """Cells that exchange what they hold with their four neighbors.

    Args:
        log_prediction: (h, w) float32, of a size by `grid_size`.
        color: (h, w, 3) uint8 or float32, 0..255.

    Attributes:
        log_prediction: As given.
    """

    def __init__(self, log_prediction: Floats, color: npt.NDArray[np.generic]) -> None:
        self.log_prediction = log_prediction
        levels = color.astype(np.float32)
        east, south = (_conductance(log_prediction, levels, axis) for axis in (1, 0))
        self._levels = [_Level(east, south)]
        while self._levels[-1].can_be_halved:
            self._levels.append(self._levels[-1].halved())
        self._laplacian = self._levels[-1].laplacian()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in cells."""
        return self._levels[0].size

    @property
    def coarsest_cells(self) -> int:
        """Number of cells that are solved by elimination."""
        return len(self._laplacian)

    def distance(self, is_anchor: npt.NDArray[np.bool_]) -> Floats:
        """Return how far each cell (h, w) is from the next anchor, in widths of the grid."""
        free = (~is_anchor).astype(np.uint8)
        cells = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float32)
        return np.asarray(cells / np.float32(self.size[1]))

    def diffuse(self, precision: Floats, moment: Floats) -> Floats:
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
        p, m = data[-1]
        matrix = self._laplacian.copy()
        matrix.flat[:: len(matrix) + 1] += p.ravel()
        x: Floats = np.linalg.solve(matrix, m.ravel()).reshape(p.shape)
        for (p, m), level in zip(data[-2::-1], self._levels[-2::-1], strict=True):
            finer = cv2.resize(x, p.shape[::-1], interpolation=cv2.INTER_LINEAR)
            x = level.relaxed(np.asarray(finer, np.float32), p, m)
        return x


class _Level:
    """Conductances of a grid.

    Args:
        east: (h, w) to the next cell of the row, 0 in the last column.
        south: (h, w) to the next cell of the column, 0 in the last row.
    """

    def __init__(self, east: Floats, south: Floats) -> None:
        self.size = east.shape[0], east.shape[1]
        self._east, self._south = east, south
        # Flat, a neighbor is an offset; across the border of the image it has no conductance.
        width = self.size[1]
        before = np.zeros(width, np.float32)
        e, s = (np.concatenate((before, c.ravel())) for c in (east, south))
        self._neighbors = e[width:], e[width - 1 : -1], s[width:], s[:-width]
        self._total = sum(self._neighbors, np.zeros_like(e[width:]))

    @property
    def can_be_halved(self) -> bool:
        """Whether it is too large for elimination, and even."""
        height, width = self.size
        return height * width > _COARSEST and not (height % 2 or width % 2)

    def halved(self) -> '_Level':
        """Return that of blocks of 2x2, whose conductances are those of the way between them."""
        return _Level(_between_blocks(self._east), _between_blocks(self._south.T).T)

    def laplacian(self) -> Floats:
        """Return the matrix (h w, h w) of what flows out of each cell."""
        east, _, south, _ = self._neighbors
        count = len(self._total)
        matrix = np.diag(self._total)
        for conductance, step in ((east, 1), (south, self.size[1])):
            between = matrix.flat[step : count * (count - step) : count + 1] - conductance[:-step]
            matrix.flat[step : count * (count - step) : count + 1] = between
            matrix.flat[step * count :: count + 1] = between
        return matrix

    def relaxed(self, x: Floats, precision: Floats, moment: Floats) -> Floats:
        """Return x (h, w) after some Jacobi sweeps."""
        scale = 1 / (precision.ravel() + self._total)
        weights = [c * scale for c in self._neighbors]
        own = moment.ravel() * scale
        width = self.size[1]
        now = np.zeros(len(own) + 2 * width, np.float32)
        inside = now[width:-width]
        inside[:] = x.ravel()
        offsets = (width + 1, width - 1, 2 * width, 0)
        neighbors = [now[offset : offset + len(own)] for offset in offsets]
        after, flow = np.empty_like(own), np.empty_like(own)
        for _ in range(_SWEEPS):
            after[:] = own
            for weight, neighbor in zip(weights, neighbors, strict=True):
                after += np.multiply(weight, neighbor, out=flow)
            inside[:] = after
        return after.reshape(self.size)


def grid_size(size: tuple[int, int], cells: int) -> tuple[int, int]:
    """Return (height, width) of a grid of nearly square cells, whatever the aspect of an image.

    Args:
        size: (height, width) of the image.
        cells: About how many there shall be.
    """
    side = (size[0] * size[1] / cells) ** 0.5
    height, width = (_MULTIPLE * max(1, round(length / side / _MULTIPLE)) for length in size)
    return height, width


def _conductance(log_prediction: Floats, color: Floats, axis: int) -> Floats:
    step = np.diff(log_prediction, axis=axis) / _EDGE_LOG_DEPTH
    contrast = np.abs(np.diff(color, axis=axis)).max(axis=2) / _EDGE_GRAY
    conductance = np.zeros_like(log_prediction)
    inside = conductance[: step.shape[0], : step.shape[1]]
    inside[:] = _STIFFNESS * (np.exp(-np.square(step) - contrast) + _LEAK)
    return conductance


def _between_blocks(east: Floats) -> Floats:
    """Return the conductances to the next block of 2x2 in a row, from those between cells (h, w).

    In series: half of the way through a block, the side between the two, and half of the way
    through the other; so an edge counts wherever it lies. Two rows are side by side.
    """
    side, inside = east[:, 1::2], 1 / east[:, ::2]
    through = np.empty_like(side)
    through[:, :-1] = (inside[:, :-1] + inside[:, 1:]) / 2
    through[:, -1] = 0  # which leads nowhere: the side of the last column has no conductance
    rows = side / (1 + side * through)
    return rows[::2] + rows[1::2]


def _sum_blocks(values: Floats) -> Floats:
    rows = values[::2] + values[1::2]
    return rows[:, ::2] + rows[:, 1::2]

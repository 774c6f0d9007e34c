"""What Nav2's VoxelLayer does with clouds, written down from its rules for tests.

Columns of up to 16 voxels over a grid of cells. An observation keeps the points within its own
height band; those mark, and rays from the sensor to them clear, at most up to 2 cells before the
point and within the ranges (nav2_costmap_2d: observation_buffer.cpp, voxel_layer.cpp;
nav2_voxel_grid: raytraceLine).
"""

import numpy as np

FREE, LETHAL, NO_INFORMATION = 0, 254, 255


class VoxelLayer:
    """A map around the sensor, x forward, y left, z up [m].

    Args:
        reach_m: The map spans this far from the origin in x and y.
        resolution: Side of a cell [m].
        z_resolution: Height of a voxel [m].
        z_voxels: Voxels in a column, at most 16.
        heights: Least and largest height at which points mark [m].
    """

    def __init__(
        self,
        reach_m: float = 6.0,
        resolution: float = 0.05,
        z_resolution: float = 0.1,
        z_voxels: int = 16,
        heights: tuple[float, float] = (0.0, 2.0),
    ) -> None:
        cells = round(2 * reach_m / resolution)
        self.low = np.array([-reach_m, -reach_m, 0.0])
        self.step = np.array([resolution, resolution, z_resolution])
        self.shape = np.array([cells, cells, z_voxels])
        self.heights = heights
        self.marked = np.zeros(self.shape, bool)
        self.known = np.zeros(self.shape, bool)
        self.cost = np.full((cells, cells), NO_INFORMATION)

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the cell of a place."""
        i, j, _ = ((np.array([x, y, 0.0]) - self.low) / self.step).astype(int)
        return int(i), int(j)

    def clear(
        self,
        points: np.ndarray,
        origin: np.ndarray,
        band: tuple[float, float],
        raytrace_range: tuple[float, float] = (0.0, 3.0),
    ) -> None:
        """Clear along the rays from the origin to the points of an observation."""
        nearest, farthest = (int(np.ceil(r / self.step[0])) for r in raytrace_range)
        for point in _within(points, band):
            end = self._shortened(point, origin)
            voxels = self._line(self._voxel(origin), self._voxel(end), nearest, farthest)
            x, y, z = voxels.T
            self.marked[x, y, z] = False
            self.known[x, y, z] = True
            # Unknown voxels do not matter with the usual unknown_threshold of 15.
            self.cost[x, y] = np.where(self.marked[x, y].any(axis=1), self.cost[x, y], FREE)

    def mark(
        self,
        points: np.ndarray,
        origin: np.ndarray,
        band: tuple[float, float],
        obstacle_range: tuple[float, float] = (0.0, 2.5),
    ) -> None:
        """Mark the points of an observation."""
        points = _within(_within(points, band), self.heights)
        distance = np.linalg.norm(points - origin, axis=1)
        least, most = obstacle_range
        points = points[(distance >= least) & (distance < most)]
        voxels = np.floor((np.maximum(points, [-np.inf, -np.inf, 0]) - self.low) / self.step)
        inside = ((voxels >= 0) & (voxels < self.shape)).all(axis=1)
        x, y, z = voxels[inside].astype(int).T
        self.marked[x, y, z] = self.known[x, y, z] = True
        self.cost[x, y] = LETHAL

    def _voxel(self, place: np.ndarray) -> np.ndarray:
        voxel: np.ndarray = (place - self.low) / self.step
        return voxel

    def _shortened(self, point: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Return the end of a ray: 2 cells before the point, and within the map."""
        ray = point - origin
        distance = np.linalg.norm(ray)
        ray = ray * max(min(1.0, (distance - 2 * self.step[0]) / distance), 0.0)
        high = self.low + self.step * self.shape
        t = 1.0
        for axis in range(3):
            end = origin[axis] + ray[axis]
            margin = 0.01 if axis == 2 else 0.0
            if end > high[axis]:
                t = min(t, (high[axis] - margin - origin[axis]) / ray[axis])
            if end < self.low[axis]:
                t = min(t, (self.low[axis] - origin[axis]) / ray[axis])
        shortened: np.ndarray = origin + ray * (max(t - 1e-5, 0.0) if t < 1 else 1.0)
        return shortened

    @staticmethod
    def _line(start: np.ndarray, end: np.ndarray, nearest: int, farthest: int) -> np.ndarray:
        """Return (N, 3) the voxels on a line, by Bresenham's rule with whole numbers."""
        length = float(np.linalg.norm(end - start))
        if int(length) < nearest or length == 0:
            return np.zeros((0, 3), int)
        share = min(1.0, farthest / length)
        first = (start + (end - start) / length * nearest).astype(int)
        delta = end.astype(int) - first
        size, sign = np.abs(delta), np.where(delta > 0, 1, -1)
        dominant = int(size.max())
        i = np.arange(int(share * dominant) + 1)[:, None]
        steps = (dominant // 2 + i * size) // dominant if dominant else i * size
        steps[:, size.argmax()] = i[:, 0]
        voxels: np.ndarray = first + sign * steps
        return voxels


def _within(points: np.ndarray, band: tuple[float, float]) -> np.ndarray:
    kept: np.ndarray = points[(points[:, 2] >= band[0]) & (points[:, 2] <= band[1])]
    return kept

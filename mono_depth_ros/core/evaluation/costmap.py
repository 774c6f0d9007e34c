"""The costmap of a robot: what Nav2's VoxelLayer does with clouds, by its rules.

Columns of voxels stand on a grid of cells. Points of a marking source mark their voxel if their
height and distance are within limits; rays from the sensor to the points of a clearing source
clear the voxels up to 2 cells before the point (nav2_costmap_2d: observation_buffer.cpp,
voxel_layer.cpp; nav2_voxel_grid: raytraceLine). Clearing comes before marking. Left out are
settings that `config/nav2_voxel_layer.yaml` does not use: `mark_threshold` is 0, the least
distances of rays are 0, and the map does not roll.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import SettingsError
from ..settings import Settings, setting

Array = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]

FREE, LETHAL, NO_INFORMATION = 0, 254, 255
NEAR_M = 0.1
"""Cells are at the same place within this distance, center to center."""
_MAX_CELLS = 5000  # along a side


@dataclass(frozen=True)
class CostmapSettings(Settings):
    """Settings of the costmap; the defaults are those of `config/nav2_voxel_layer.yaml`."""

    resolution: float = setting(
        0.05, 'Edge length of a costmap cell.', unit='m', limits=(0.005, 1.0)
    )
    min_obstacle_height: float = setting(
        0.15, 'Minimum height of an obstacle.', unit='m', limits=(-10.0, 10.0)
    )
    max_obstacle_height: float = setting(
        1.5, 'Maximum height of an obstacle.', unit='m', limits=(-10.0, 10.0)
    )
    obstacle_min_range: float = setting(
        0.3, 'Minimum distance of an obstacle from the camera.', unit='m', limits=(0.0, 100)
    )
    obstacle_max_range: float = setting(
        3.5, 'Maximum distance of an obstacle from the camera.', unit='m', limits=(0.1, 100)
    )
    raytrace_max_range: float = setting(
        5.0, 'Maximum length of a ray that clears.', unit='m', limits=(0.1, 100.0)
    )
    z_resolution: float = setting(
        0.1, 'Height of a voxel of the costmap.', unit='m', limits=(0.01, 10.0)
    )
    z_voxels: int = setting(16, 'Voxels above each other.', limits=(1, 16))
    marks: str = setting(
        'points',
        'Cloud that marks: all points, or those that stand on the ground or hang over it, which '
        'may rise and fall.',
        choices=('points', 'points_nonground'),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for low, high in (
            ('min_obstacle_height', 'max_obstacle_height'),
            ('obstacle_min_range', 'obstacle_max_range'),
        ):
            least, most = getattr(self, low), getattr(self, high)
            if least >= most:
                raise SettingsError(f'{low} is {least} m and {high} {most} m', f'raise {high}')


class VoxelLayer:
    """A map with x and y level, z up, and the floor at z = 0 [m].

    It begins at x and y `low` and ends at `high` [m], at the latest one cell later.

    Attributes:
        cost: (X, Y) FREE, LETHAL or NO_INFORMATION of each cell.
        marked: (X, Y, Z) bool, the voxels behind it.

    Raises:
        SettingsError: The map would have more cells than memory should hold.
    """

    def __init__(
        self,
        settings: CostmapSettings = CostmapSettings(),
        low: tuple[float, float] = (-6.0, -6.0),
        high: tuple[float, float] = (6.0, 6.0),
    ) -> None:
        self.settings = settings
        self._low = np.array([*low, 0.0])
        self._step = np.array([settings.resolution, settings.resolution, settings.z_resolution])
        sides = np.ceil((np.array(high) - low) / settings.resolution - 1e-9).astype(int)
        if not (sides >= 1).all() or (sides > _MAX_CELLS).any():
            raise SettingsError(
                f'a map from {low} to {high} m has {sides.tolist()} cells of '
                f'{settings.resolution} m',
                f'it must have 1 to {_MAX_CELLS} along each side',
            )
        self._shape = np.array([*sides, settings.z_voxels])
        self.marked: Cells = np.zeros(self._shape, bool)
        self.cost = np.full(sides, NO_INFORMATION, np.uint8)

    @property
    def lethal(self) -> Cells:
        """(X, Y) bool: the cells with an obstacle."""
        lethal: Cells = self.cost == LETHAL
        return lethal

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the cell of a place in the map."""
        i, j, _ = ((np.array([x, y, 0.0]) - self._low) / self._step).astype(int)
        return int(i), int(j)

    def cells_of(self, points: Array) -> Cells:
        """Return (X, Y) bool: the cells in which any of the points (N, 3) [m] lies."""
        x, y = np.floor((points[:, :2] - self._low[:2]) / self._step[:2]).T
        inside = (x >= 0) & (x < self._shape[0]) & (y >= 0) & (y < self._shape[1])
        found: Cells = np.zeros(self._shape[:2], bool)
        found[x[inside].astype(int), y[inside].astype(int)] = True
        return found

    def is_obstacle(self, points: Array) -> Cells:
        """Return (N,) bool: which points (N, 3) [m] are within the heights that mark."""
        z = points[:, 2]
        return (z >= self.settings.min_obstacle_height) & (z <= self.settings.max_obstacle_height)

    def clear(self, points: Array, origin: Array) -> None:
        """Clear along the rays from the sensor, (3,) [m], to points (N, 3) [m] of any height.

        A sensor outside the grid clears nothing, as in Nav2.
        """
        start = (origin - self._low) / self._step
        if not ((start >= 0) & (start < self._shape)).all():
            return
        ends = (self._shortened(points, origin) - self._low) / self._step
        farthest = np.ceil(self.settings.raytrace_max_range / self.settings.resolution)
        x, y, z = _lines(start, ends, farthest).T
        self.marked[x, y, z] = False
        crossed = np.zeros(self.cost.shape, bool)
        crossed[x, y] = True
        # Unknown voxels do not matter with the usual unknown_threshold of 15.
        self.cost[crossed & ~self.marked.any(axis=2)] = FREE

    def mark(self, points: Array, origin: Array) -> None:
        """Mark the points (N, 3) [m] that are obstacles within range of the sensor, (3,) [m]."""
        points = points[self.is_obstacle(points)]
        distance = np.linalg.norm(points - origin, axis=1)
        least, most = self.settings.obstacle_min_range, self.settings.obstacle_max_range
        points = points[(distance >= least) & (distance < most)]
        voxels = np.floor((np.maximum(points, [-np.inf, -np.inf, 0]) - self._low) / self._step)
        inside = ((voxels >= 0) & (voxels < self._shape)).all(axis=1)
        x, y, z = voxels[inside].astype(int).T
        self.marked[x, y, z] = True
        self.cost[x, y] = LETHAL

    def _shortened(self, points: Array, origin: Array) -> Array:
        """Return the ends of rays: 2 cells before the points, and within the map."""
        rays = points - origin
        distance = np.linalg.norm(rays, axis=1).clip(min=1e-9)
        rays *= ((distance - 2 * self.settings.resolution) / distance).clip(0, 1)[:, None]
        ends, high = origin + rays, self._low + self._step * self._shape
        share = np.ones(len(points))
        for axis in range(3):
            for outside, wall in (
                (ends[:, axis] >= high[axis], high[axis] - (0.01 if axis == 2 else 0.0)),
                (ends[:, axis] < self._low[axis], self._low[axis]),
            ):
                reached = (wall - origin[axis]) / rays[outside, axis]
                share[outside] = np.minimum(share[outside], reached)
        is_cut = share < 1
        share[is_cut] = (share[is_cut] - 1e-5).clip(min=0)
        shortened: Array = origin + rays * share[:, None]
        return shortened


def near_cells(cells: Cells, resolution: float) -> Cells:
    """Return (X, Y) bool: the cells, of that edge [m], within 0.1 m of any of the given ones."""
    if not cells.any():
        return cells
    others = (~cells).astype(np.uint8)
    distance = cv2.distanceTransform(others, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: Cells = distance * resolution <= NEAR_M * (1 + 1e-6)
    return near


def _lines(start: Array, ends: Array, farthest: float) -> npt.NDArray[np.int64]:
    """Return (M, 3) the voxels on lines to (N, 3) ends, by Bresenham's rule with whole numbers.

    Lines are cut to the length `farthest`; all are in voxels.
    """
    length = np.linalg.norm(ends - start, axis=1).clip(min=1e-9)
    first = start.astype(np.int64)
    delta = ends.astype(np.int64) - first
    dominant = np.abs(delta).max(axis=1)
    count = (np.minimum(1.0, farthest / length) * dominant).astype(np.int64) + 1
    # Many rays share their voxels.
    distinct = np.unique(np.column_stack((delta, dominant, count)), axis=0)
    delta, dominant, count = distinct[:, :3], distinct[:, 3], distinct[:, 4]
    line = np.repeat(np.arange(len(delta)), count)
    i = np.arange(len(line)) - np.repeat(count.cumsum() - count, count)
    across = np.maximum(dominant, 1)[line, None]
    steps = (across // 2 + i[:, None] * np.abs(delta)[line]) // across
    voxels: npt.NDArray[np.int64] = first + np.sign(delta)[line] * steps
    return voxels

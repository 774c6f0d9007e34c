"""Depth as a robot uses it: obstacles found and imagined, and errors by distance."""

import math

import torch

from .costmap import CostmapSettings, VoxelLayer, near_cells
from .metrics import require_same_shape, truth_mask
from .posed_camera import PosedCamera

NEAR_M = 3.0
"""Obstacles nearer than this are to be found."""
FOUND_TOLERANCE = 0.3
"""Share of its true depth by which a found obstacle may be off."""
DISTANCES_M = ((0, 2), (2, 5), (5, 10))
_BAND_ROWS = (0.25, 0.5)
"""Share of the height that is searched by a camera whose mount is not known: the quarter above
the middle, in which a level camera sees no floor."""


def obstacle_recall(
    depth: torch.Tensor,
    truth: torch.Tensor,
    camera: PosedCamera | None = None,
    valid: torch.Tensor | None = None,
    settings: CostmapSettings = CostmapSettings(),
) -> float | None:
    """Return the share of image columns with a near obstacle that have it in `depth`, 0..1.

    An obstacle is the nearest truth of a column, if that is nearer than 3 m, among what lies
    between `min_obstacle_height` and `max_obstacle_height` above the floor. It is found if the
    nearest known depth of the column, by its own height within the same band, is within 30 % of
    it. Without a camera the band is the quarter of the rows above the middle of the image.

    Args:
        depth: (H, W) [m]; not finite or not positive = unknown.
        truth: (H, W) [m], likewise.
        camera: Of both.
        valid: (H, W) bool: what counts, all if None; where the truth is unknown nothing does.
        settings: Of the band.

    Returns:
        None if no column has an obstacle.

    Raises:
        ValueError: The shapes differ.
    """
    require_same_shape(depth, truth)
    counted = truth_mask(truth, valid)
    true_nearest = nearest_in_columns(truth, counted, camera, settings)
    nearest = nearest_in_columns(depth, truth_mask(depth, counted), camera, settings)
    has_obstacle = true_nearest < NEAR_M
    if not bool(has_obstacle.any()):
        return None
    error = (nearest[has_obstacle] / true_nearest[has_obstacle] - 1).abs()
    return float((error <= FOUND_TOLERANCE).double().mean())


def false_obstacle_density(
    depth: torch.Tensor,
    truth: torch.Tensor,
    camera: PosedCamera,
    valid: torch.Tensor | None = None,
    settings: CostmapSettings = CostmapSettings(),
) -> float | None:
    """Return the cells that `depth` marks as obstacles per square meter of free floor [1/m^2].

    Free floor are the cells within `obstacle_max_range` in which the truth has a point nearer to
    z = 0 than `min_obstacle_height`, and no obstacle within 0.1 m. Arguments as for
    `obstacle_recall`. None if the truth sees no free floor.
    """
    require_same_shape(depth, truth)
    counted = truth_mask(truth, valid)
    origin, reach = camera.position.numpy(), settings.obstacle_max_range
    x, y = origin[:2].tolist()
    layer = VoxelLayer(settings, (x - reach, y - reach), (x + reach, y + reach))
    layer.mark(camera.map_points(depth)[truth_mask(depth, counted)].numpy(), origin)
    true_points = camera.map_points(truth)[counted].numpy()
    in_range = ((true_points - origin) ** 2).sum(axis=1) < reach**2
    is_floor = (abs(true_points[:, 2]) < settings.min_obstacle_height) & in_range
    obstacles = layer.cells_of(true_points[layer.is_obstacle(true_points)])
    free = layer.cells_of(true_points[is_floor]) & ~near_cells(obstacles, settings.resolution)
    if not free.any():
        return None
    return float((layer.lethal & free).sum() / (free.sum() * settings.resolution**2))


def median_errors(
    depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None
) -> dict[tuple[int, int], float]:
    """Return the median of |z - z*| [m] by range of the true depth z* [m].

    Ranges are 0..2, 2..5 and 5..10 m, without their ends; one without a pixel that is known in
    both is left out. Arguments as for `obstacle_recall`.
    """
    require_same_shape(depth, truth)
    both = truth_mask(depth, truth_mask(truth, valid))
    z, z_true = depth[both].double(), truth[both].double()
    errors = {}
    for low, high in DISTANCES_M:
        error = (z - z_true)[(z_true >= low) & (z_true < high)].abs()
        if len(error):
            errors[low, high] = float(error.median())
    return errors


def nearest_in_columns(
    depth: torch.Tensor,
    known: torch.Tensor,
    camera: PosedCamera | None = None,
    band: CostmapSettings = CostmapSettings(),
) -> torch.Tensor:
    """Return (W,) the nearest known depth [m] within the band of each column, inf for none.

    Arguments as for `obstacle_recall`, and `known` (H, W) bool.
    """
    if camera is None:
        inside = torch.zeros_like(known)
        first, last = (math.floor(share * len(depth)) for share in _BAND_ROWS)
        inside[first:last] = True
    else:
        z = camera.map_points(depth)[..., 2]
        inside = (z >= band.min_obstacle_height) & (z <= band.max_obstacle_height)
    return depth.masked_fill(~(known & inside), torch.inf).amin(0)

"""Ray casting: the first surface along every pixel's ray."""

from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera
from .pose import NEAR_M, Pose, RayGrid, Window
from .scene import Rooms, Scene, Shape, Solids

SMALL_PX = 4000
"""Solids whose window has at most this many pixels are cast together."""


@dataclass(frozen=True, eq=False)
class Hits:
    """What every pixel's ray meets first.

    Attributes:
        depth: (H, W) float32 [m] along optical +Z.
        surface: (H, W) int64, index of the solid, or number of solids + index of the room.
    """

    depth: torch.Tensor
    surface: torch.Tensor


def cast(scene: Scene, camera: PinholeCamera, pose: Pose) -> Hits:
    """Return what every pixel's ray meets first.

    Raises:
        ValueError: The camera stands outside every room.
    """
    grid = RayGrid(camera, pose)
    depth, room = _leave_rooms(scene.rooms, grid)
    surface = room + scene.solids.shape.numel()
    _meet_solids(scene.solids, grid, depth, surface)
    return Hits(depth, surface)


def _leave_rooms(rooms: Rooms, grid: RayGrid) -> tuple[torch.Tensor, torch.Tensor]:
    """Return depth (H, W) float32 [m] and room (H, W) int64 where rays leave the free space."""
    position = grid.pose.position
    inside = ((position > rooms.low) & (position < rooms.high)).all(-1).tolist()
    if not any(inside):
        raise ValueError(f'the camera at {position.tolist()} m stands outside every room')
    shape = (grid.camera.height, grid.camera.width)
    depth, room = torch.zeros(shape), torch.zeros(shape, dtype=torch.int64)
    spans = []
    for i, seen in enumerate(grid.windows(corners_of(rooms))):
        if seen is None:
            continue
        window = seen[0]
        half = (rooms.high[i] - rooms.low[i]) / 2
        origin, direction = grid.local(
            torch.diag(1 / half), (rooms.high[i] + rooms.low[i]) / 2, window
        )
        enter, leave = _cross_box(origin, direction)
        enter = torch.where(enter <= leave, enter, torch.inf)
        spans.append((i, window, enter, leave))
    changed = True
    while changed:
        changed = False
        for i, window, enter, leave in spans:
            here = depth[window.rows, window.columns]
            further = (enter <= here) & (leave > here)
            if further.any():
                changed = True
                here.copy_(torch.where(further, leave, here))
                room[window.rows, window.columns].masked_fill_(further, i)
    return depth, room


def _meet_solids(
    solids: Solids, grid: RayGrid, depth: torch.Tensor, surface: torch.Tensor
) -> None:
    """Lower `depth` (H, W) and set `surface` (H, W) where a solid is nearer.

    Solids that fill much of the image are met one by one, the nearest first; the many that fill
    little are met all at once, since their cost is the number of calls.
    """
    to_local = solids.rotation.transpose(1, 2) / solids.half_size[:, :, None]
    shapes = solids.shape.tolist()
    large: list[tuple[float, int, Window]] = []
    small: dict[int, list[tuple[int, Window]]] = {}
    for i, found in enumerate(grid.windows(corners_of(solids))):
        if found is None:
            continue
        window, nearest = found
        if window.area > SMALL_PX:
            large.append((nearest, i, window))
        else:
            small.setdefault(shapes[i], []).append((i, window))
    for nearest, i, window in sorted(large, key=lambda item: item[:2]):
        here = depth[window.rows, window.columns]
        if float(here.max()) > nearest:
            origin, direction = grid.local(to_local[i], solids.center[i], window)
            enter = _entry(shapes[i], origin, direction)
            closer = enter < here
            here.copy_(torch.where(closer, enter, here))
            surface[window.rows, window.columns].masked_fill_(closer, i)
    for shape, members in small.items():
        _meet_small(solids, to_local, grid, shape, members, depth.view(-1), surface.view(-1))


def _meet_small(
    solids: Solids,
    to_local: torch.Tensor,
    grid: RayGrid,
    shape: int,
    members: list[tuple[int, Window]],
    depth: torch.Tensor,
    surface: torch.Tensor,
) -> None:
    """Meet solids of one shape as a list of (solid, pixel) pairs; images are flat (H * W,)."""
    index = torch.tensor([i for i, _ in members])
    top = [w.rows.start for _, w in members]
    left = [w.columns.start for _, w in members]
    width = [w.columns.stop - w.columns.start for _, w in members]
    area = torch.tensor([w.area for _, w in members])
    pair = torch.repeat_interleave(torch.arange(len(members)), area)
    first, top_of, left_of, width_of = torch.stack(
        (area.cumsum(0) - area, *map(torch.tensor, (top, left, width)))
    ).index_select(1, pair)
    step = torch.arange(pair.numel()) - first
    down = step.div(width_of, rounding_mode='floor')
    row, column = top_of + down, left_of + step - down * width_of
    matrix = to_local[index]
    axes = (matrix @ grid.pose.rotation).permute(2, 1, 0).reshape(9, -1)
    origin = torch.einsum('nij,nj->in', matrix, grid.pose.position - solids.center[index])
    table = torch.cat((axes, origin)).float().index_select(1, pair)
    direction = table[:3] * grid.x.float().index_select(0, column) + table[6:9]
    direction += table[3:6] * grid.y.float().index_select(0, row)
    enter = _entry(shape, table[9:], direction)
    pixel = row * grid.camera.width + column
    hit = (enter < depth.index_select(0, pixel)).nonzero()[:, 0]
    pixel, enter = pixel.index_select(0, hit), enter.index_select(0, hit)
    depth.scatter_reduce_(0, pixel, enter, 'amin')
    won = (enter == depth.index_select(0, pixel)).nonzero()[:, 0]
    owner = index[pair[hit[won]]]
    surface.scatter_reduce_(0, pixel[won], owner, 'amax', include_self=False)


def _entry(shape: int, o: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    """Return the depth [m] at which rays enter a unit shape, inf for a miss."""
    enter, leave = _CROSS[shape](o, d)
    return torch.where((enter <= leave) & (enter > NEAR_M), enter, torch.inf)


def corners_of(boxes: Rooms | Solids) -> torch.Tensor:
    """Return (N, 8, 3) float64 [m]: the corners of rooms, or of solids' bounding boxes."""
    signs = torch.tensor(
        [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=torch.float64
    )
    if isinstance(boxes, Rooms):
        center, half = (boxes.high + boxes.low) / 2, (boxes.high - boxes.low) / 2
        return center[:, None] + signs * half[:, None]
    offset = (signs * boxes.half_size[:, None]) @ boxes.rotation.transpose(1, 2)
    return boxes.center[:, None] + offset


def _cross_box(o: torch.Tensor, d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where rays enter and leave the unit box; enter > leave is a miss."""
    inverse = d.reciprocal()
    one, two = (-1 - o) * inverse, (1 - o) * inverse
    return torch.minimum(one, two).amax(0), torch.maximum(one, two).amin(0)


def _cross_round(
    o: torch.Tensor, d: torch.Tensor, perpendicular: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where rays enter and leave the unit circle or ball.

    The discriminant is |d|^2 - |o x d|^2, which keeps its digits for thin far things where
    b^2 - a c does not.
    """
    a = (d * d).sum(0)
    b = (o * d).sum(0)
    root = (a - perpendicular).sqrt()
    enter, leave = (-b - root) / a, (root - b) / a
    miss = root.isnan()
    return enter.masked_fill_(miss, torch.inf), leave.masked_fill_(miss, -torch.inf)


def _cross_sphere(o: torch.Tensor, d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = o[1] * d[2] - o[2] * d[1]
    y = o[2] * d[0] - o[0] * d[2]
    z = o[0] * d[1] - o[1] * d[0]
    return _cross_round(o, d, x * x + y * y + z * z)


def _cross_cylinder(o: torch.Tensor, d: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    across = o[0] * d[1] - o[1] * d[0]
    enter, leave = _cross_round(o[:2], d[:2], across * across)
    cap_enter, cap_leave = _cross_box(o[2:], d[2:])
    return torch.maximum(enter, cap_enter), torch.minimum(leave, cap_leave)


_CROSS = {
    int(Shape.BOX): _cross_box,
    int(Shape.SPHERE): _cross_sphere,
    int(Shape.CYLINDER): _cross_cylinder,
}

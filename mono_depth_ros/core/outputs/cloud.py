"""Point clouds: from depth and color, and of rays known to be free, which clear a map."""

import math
from collections.abc import Sequence
from operator import eq, lt

import cv2
import numpy as np
import torch

from ..camera.pinhole import PinholeCamera
from ..cpu_pixels import compared, interleaved, is_known, places, selected
from ..files.message_writers import BYTE_PLACES
from .ground_plane import GroundPlane
from .output_settings import ClearingSettings, CloudSettings

_SECTORS = 180  # directions of 2 degrees, wider than the rays are apart
_SECTOR_RAD = 2 * math.pi / _SECTORS
_MAX_CELLS = 1 << 21  # per axis: 2 km at the smallest voxel size; what is farther shares a cell


def pack_cloud(
    depth: torch.Tensor,
    rays: torch.Tensor,
    rgb: torch.Tensor | None,
    settings: CloudSettings,
    deviation: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return points in the optical frame, ready to be copied into a message.

    They are made of depth (H, W) float32 [m], NaN unknown, rays (2, H, W), x/z and y/z, and color
    (H, W, 3) uint8, if any: (N, C) float32 without NaN or, organized, (H', W', C) with NaN where
    unknown. C is 3 (x, y, z [m]), 4 with the bits 0x00RRGGBB, or 5 with the standard deviation of
    depth (H, W) [m] as well, if that is given beside color.
    """
    step = settings.stride
    z = depth[::step, ::step]
    ray = rays[:, ::step, ::step]
    if settings.min_range > 0 or settings.max_range > 0:
        distance = z * (1 + ray.square().sum(0)).sqrt()
        outside = distance < settings.min_range
        if settings.max_range > 0:
            outside |= distance > settings.max_range
        z = z.masked_fill(outside, torch.nan)
    extras = [] if rgb is None else [pack_color(rgb[::step, ::step])]
    if deviation is not None:
        extras.append(deviation[::step, ::step])
    planes = [ray[0] * z, ray[1] * z, z, *extras]
    if settings.organized:
        return interleaved(planes)
    is_kept = is_known(z).flatten()
    if settings.voxel_size > 0 and settings.voxel_keep == 'nearest':
        is_kept &= _may_be_nearest(planes[:3], settings.voxel_size)
        pixels = places(is_kept)
        dense = interleaved([p.flatten().index_select(0, pixels)[None] for p in planes])[0]
    else:
        dense = selected(interleaved(planes).flatten(0, 1), is_kept)
    if settings.voxel_size == 0 or not len(dense):
        return dense
    return _THIN[settings.voxel_keep](dense, settings.voxel_size)


def clearing_points(
    inverse_depth: torch.Tensor,
    rays: torch.Tensor,
    camera: PinholeCamera,
    settings: ClearingSettings,
    depth_range: tuple[float, float],
    far_below: float,
) -> torch.Tensor:
    """Return (N, 3) float32 [m], the ends of rays known to be free, in the optical frame.

    A consumer such as Nav2's VoxelLayer clears the cells between the camera and each point, so a
    ray has a point only if every pixel of a square around it is known. It ends at the nearest
    surface in the square, which may be the floor, or at `range`.

    Args:
        inverse_depth: (H, W) float32 [1/m], NaN unknown, edges among them.
        rays: (2, H, W) float32, x/z and y/z.
        camera: Of the rays.
        settings: Of the cloud.
        depth_range: Nearest and farthest known depth [m].
        far_below: Inverse depth [1/m] below which a pixel is certainly far; -inf for none.
    """
    near, far = depth_range
    is_known = (inverse_depth * far >= 1) | (inverse_depth < far_below)
    is_known &= inverse_depth * near <= 1
    side = min(settings.stride_px(camera), *inverse_depth.shape)
    rows, columns = (length // side for length in inverse_depth.shape)
    squares = torch.where(is_known, inverse_depth, torch.nan)[: rows * side, : columns * side]
    # The maximum with NaN is NaN.
    nearest = squares.reshape(rows, side, columns, side).amax(dim=(1, 3))
    first, last = slice(0, None, side), slice(side - 1, None, side)
    ray = (rays[:, first, first][:, :rows, :columns] + rays[:, last, last]) / 2
    length = (1 + ray.square().sum(0)).sqrt()
    z = torch.maximum(nearest, length / settings.range).reciprocal()
    ends = torch.stack((ray[0] * z, ray[1] * z, z), dim=-1).flatten(0, 1)
    return ends[z.isfinite().flatten()]


def cut_to_height(ends: torch.Tensor, plane: GroundPlane, max_height_m: float) -> torch.Tensor:
    """Return the ends of rays (N, 3) [m] that say nothing about what is higher.

    A consumer takes a column for free once a ray has crossed it, also above `max_height_m`, where
    a ray crosses what is not marked and hides what stands below. A ray that rises to that height
    ends there. A camera that is higher itself looks over things: of its rays, those are left that
    end below, and before what is higher in the same direction.
    """
    down = torch.tensor(plane.down, device=ends.device)
    height = plane.height_m - ends @ down
    room_m = max_height_m - plane.height_m
    if room_m > 0:
        return ends * (room_m / (height - plane.height_m).clamp(min=room_m))[:, None]
    ahead, left = (ends @ torch.tensor(axis, device=ends.device) for axis in plane.horizontal)
    sector = (torch.atan2(left, ahead) / _SECTOR_RAD).round().long() + _SECTORS // 2
    distance, is_high = torch.hypot(ahead, left), height > max_height_m
    nearest = torch.full((_SECTORS + 1,), torch.inf, device=ends.device)
    nearest.scatter_reduce_(0, sector[is_high], distance[is_high], 'amin')
    return ends[~is_high & (distance < nearest[sector])]


def pack_color(rgb: torch.Tensor) -> torch.Tensor:
    """Return (...) float32 whose bits are 0x00RRGGBB, from (..., 3) uint8."""
    if rgb.device.type == 'cpu':
        bgra = cv2.cvtColor(rgb.numpy().reshape(1, -1, 3), cv2.COLOR_RGB2BGRA).view('<u4')
        bits = (bgra & 0xFFFFFF).astype(np.uint32, copy=False)
        return torch.from_numpy(bits.view(np.float32).reshape(rgb.shape[:-1]))
    packed = torch.zeros((*rgb.shape[:-1], 4), dtype=torch.uint8, device=rgb.device)
    for channel, place in enumerate(BYTE_PLACES):
        packed[..., place] = rgb[..., channel]
    return packed.view(torch.float32)[..., 0]


def nearest_points(points: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return the point of (N, C), N > 0, nearest to the image plane in each cube [m]."""
    cube, count = _cubes(points, voxel_size)
    # Positive floats sort like their bits: the least of (depth, index) in one number.
    depth = points[:, 2].contiguous().view(torch.int32).to(torch.int64)
    ranked = (depth << 32) + torch.arange(len(points), device=points.device)
    least = torch.empty(count, dtype=torch.int64, device=points.device)
    least.scatter_reduce_(0, cube, ranked, 'amin', include_self=False)
    return selected(points, least & 0xFFFFFFFF)


def _may_be_nearest(planes: Sequence[torch.Tensor], voxel_size: float) -> torch.Tensor:
    """Return (H * W,) bool: no neighbor along u or v is nearer and in the same cube [m].

    Of a cube, few points are left, which saves most of the time of `nearest_points`.

    Args:
        planes: x, y and z (H, W) [m].
        voxel_size: Of a cube [m].
    """
    depth, width = planes[2].flatten(), planes[2].shape[1]
    cells = [(plane.flatten() / voxel_size).floor_() for plane in planes]
    may_be = torch.ones_like(depth, dtype=torch.bool)
    # Row after row: what follows the last pixel of a row is no neighbor, and does no harm.
    for step in (1, width):
        pairs = ((cell[step:], cell[:-step]) for cell in cells)
        x, y, z = (compared(second, eq, first) for second, first in pairs)
        is_same = x.logical_and_(y).logical_and_(z)
        is_nearer = compared(depth[step:], lt, depth[:-step])
        may_be[:-step] &= ~(is_same & is_nearer)
        may_be[step:] &= ~is_same.logical_and_(~is_nearer)
    return may_be


def centroids(points: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return the mean position, and color, of the points (N, C), N > 0, in each cube [m]."""
    cube, count = _cubes(points, voxel_size)
    members = cube.bincount(minlength=count)

    def mean(values: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(count, device=points.device)
        return total.scatter_add_(0, cube, values.to(torch.float32)) / members

    columns = [mean(points[:, k]) for k in range(3)]
    if points.shape[1] > 3:
        channels = points[:, 3:4].contiguous().view(torch.uint8)
        rgb = torch.stack([mean(channels[:, place]) for place in BYTE_PLACES], dim=-1)
        columns.append(pack_color((rgb + 0.5).to(torch.uint8)))
        columns += [mean(points[:, k]) for k in range(4, points.shape[1])]
    return torch.stack(columns, dim=-1)


_THIN = {'nearest': nearest_points, 'centroid': centroids}


def _cubes(points: torch.Tensor, voxel_size: float) -> tuple[torch.Tensor, int]:
    """Return (N,) the index of each point's cube, and the number of cubes."""
    cells = [(points[:, k] / voxel_size).floor_().to(torch.int32) for k in range(3)]
    ends = torch.stack([torch.stack(cell.aminmax()) for cell in cells]).tolist()
    counts = [min(high - low + 1, _MAX_CELLS) for low, high in ends]
    # Torch sorts 32 bits twice as fast as 64, and a room fits in them.
    dtype = torch.int32 if math.prod(counts) < 2**31 else torch.int64
    key = torch.zeros(len(points), dtype=dtype, device=points.device)
    for cell, (low, _), count in zip(cells, ends, counts, strict=True):
        key.mul_(count).add_(cell.sub_(low).clamp_(max=count - 1))
    # Neighbors often share a cube, which leaves less to sort.
    key, run = torch.unique_consecutive(key, return_inverse=True)
    key, order = key.sort()
    number = torch.zeros_like(order)
    torch.cumsum(key[1:] != key[:-1], 0, out=number[1:])
    of_run = torch.empty_like(order).scatter_(0, order, number)
    return of_run.index_select(0, run), int(number[-1]) + 1

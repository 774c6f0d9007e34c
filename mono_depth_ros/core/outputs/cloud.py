"""Point clouds: from depth and color, and of rays known to be free, which clear a map."""

import math
from operator import eq

import cv2
import numpy as np
import torch

from ..camera.pinhole import PinholeCamera
from ..cpu_pixels import compared, interleaved, is_known, selected
from ..files.message_writers import BYTE_PLACES
from .ground_plane import GroundPlane
from .output_settings import ClearingSettings, CloudSettings
from .voxel_thinning import nearest_pixels, one_of_each_cube

_SECTORS = 180  # directions of 2 degrees, wider than the rays are apart
_SECTOR_RAD = 2 * math.pi / _SECTORS


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
    z, ray = depth[::step, ::step], rays[:, ::step, ::step]
    rgb, deviation = (it if it is None else it[::step, ::step] for it in (rgb, deviation))
    if settings.min_range > 0 or settings.max_range > 0:
        distance = z * (1 + ray.square().sum(0)).sqrt()
        outside = distance < settings.min_range
        if settings.max_range > 0:
            outside |= distance > settings.max_range
        z = z.masked_fill(outside, torch.nan)
    is_thinned = settings.voxel_size > 0 and not settings.organized
    if is_thinned and settings.voxel_keep == 'nearest':
        # From here on they are an image of one row.
        pixels = nearest_pixels(z, ray, settings.voxel_size)
        z, ray = (it.flatten(-2).index_select(-1, pixels)[..., None, :] for it in (z, ray))
        rgb, deviation = (it if it is None else _row(it, pixels) for it in (rgb, deviation))
    extras = [] if rgb is None else [pack_color(rgb)]
    if deviation is not None:
        extras.append(deviation)
    packed = interleaved([ray[0] * z, ray[1] * z, z, *extras])
    if settings.organized:
        return packed
    dense = selected(packed.flatten(0, 1), is_known(z).flatten())
    if is_thinned and settings.voxel_keep == 'centroid':
        return centroids(dense, settings.voxel_size)
    return dense


def _row(image: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Return some pixels (N,) of an image (H, W, ...) as an image (1, N, ...)."""
    rows = image.flatten(0, 1)
    return (selected(rows, pixels) if rows.ndim > 1 else rows.index_select(0, pixels))[None]


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
    if rgb.device.type == 'cpu' and rgb.numel():
        bgra = cv2.cvtColor(rgb.numpy().reshape(1, -1, 3), cv2.COLOR_RGB2BGRA).view('<u4')
        bits = (bgra & 0xFFFFFF).astype(np.uint32, copy=False)
        return torch.from_numpy(bits.view(np.float32).reshape(rgb.shape[:-1]))
    packed = torch.zeros((*rgb.shape[:-1], 4), dtype=torch.uint8, device=rgb.device)
    for channel, place in enumerate(BYTE_PLACES):
        packed[..., place] = rgb[..., channel]
    return packed.view(torch.float32)[..., 0]


def centroids(points: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return the mean position, and color, of the points (N, C) in each cube [m]."""
    one = one_of_each_cube(points[:, :3].unbind(1), voxel_size)
    numbers = compared(one, eq, torch.arange(len(one), device=points.device)).cumsum(0)
    cube, count = numbers.index_select(0, one).sub_(1), int(numbers[-1]) if len(numbers) else 0
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

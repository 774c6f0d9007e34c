"""Depth and colour to a packed point cloud."""

import sys
from dataclasses import dataclass

import torch

from .errors import SettingsError
from .settings import Settings, setting

_SMALLEST_VOXEL = 0.001

_PLACES = (2, 1, 0) if sys.byteorder == 'little' else (1, 2, 3)
"""Which byte of 0x00RRGGBB in memory is red, green, blue."""


@dataclass(frozen=True)
class CloudSettings(Settings):
    """The form of the point cloud."""

    organized: bool = setting(
        False, 'Keep the image grid, with NaN where depth is unknown, instead of a dense list.'
    )
    color: bool = setting(True, 'Give points the colour of their pixel.')
    stride: int = setting(
        1, 'Take every n-th pixel in both directions.', unit='px', minimum=1, maximum=64
    )
    voxel_size: float = setting(
        0.0,
        'Keep the nearest point in each cube of this size, from 0.001; 0 keeps all.',
        unit='m',
        minimum=0.0,
        maximum=10.0,
    )
    max_range: float = setting(
        0.0,
        'Leave out points farther than this from the camera, along the ray; 0 keeps all.',
        unit='m',
        minimum=0.0,
        maximum=1000.0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.voxel_size < _SMALLEST_VOXEL:
            raise SettingsError(
                f'cloud.voxel_size is {self.voxel_size} m; it must be 0 (keep all points) or at '
                f'least {_SMALLEST_VOXEL} m'
            )
        if self.organized and self.voxel_size > 0:
            raise SettingsError(
                f'cloud.voxel_size is {self.voxel_size} m with cloud.organized: thinning breaks '
                'the image grid; set one of them to its default'
            )


def pack_cloud(
    depth: torch.Tensor, rays: torch.Tensor, rgb: torch.Tensor | None, settings: CloudSettings
) -> torch.Tensor:
    """Return points in the optical frame, ready to be copied into a message.

    Args:
        depth: (H, W) float32 [m], NaN unknown.
        rays: (2, H, W) float32, x/z and y/z.
        rgb: (H, W, 3) uint8, or None for points without colour.
        settings: The form of the cloud.

    Returns:
        (N, C) float32 without NaN or, organised, (H', W', C) with NaN where unknown. C is 3
        (x, y, z [m]) or 4, the last holding the bits 0x00RRGGBB.
    """
    step = settings.stride
    z = depth[::step, ::step]
    ray = rays[:, ::step, ::step]
    if settings.max_range > 0:
        distance = z * (1 + ray.square().sum(0)).sqrt()
        z = z.masked_fill(distance > settings.max_range, torch.nan)
    points = torch.empty((*z.shape, 3 if rgb is None else 4), device=z.device)
    torch.mul(ray[0], z, out=points[..., 0])
    torch.mul(ray[1], z, out=points[..., 1])
    points[..., 2] = z
    if rgb is not None:
        points[..., 3] = pack_colour(rgb[::step, ::step])
    if settings.organized:
        return points
    # Picking rows by number is several times as fast as by mask.
    known = z.isfinite().flatten().nonzero()[:, 0]
    dense = points.flatten(0, 1).index_select(0, known)
    return dense if settings.voxel_size == 0 else thin(dense, settings.voxel_size)


def pack_colour(rgb: torch.Tensor) -> torch.Tensor:
    """Return (...) float32 whose bits are 0x00RRGGBB, from (..., 3) uint8."""
    packed = torch.zeros((*rgb.shape[:-1], 4), dtype=torch.uint8, device=rgb.device)
    for channel, place in enumerate(_PLACES):
        packed[..., place] = rgb[..., channel]
    return packed.view(torch.float32)[..., 0]


def thin(points: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return the point of (N, C) nearest to the image plane in each cube of `voxel_size` [m]."""
    # Positive floats sort like their bits, and torch sorts whole numbers ten times as fast.
    nearest_first = points[:, 2].contiguous().view(torch.int32).argsort(stable=True)
    points = points.index_select(0, nearest_first)
    # 21 bits each: what they cannot tell apart is 2 km away at the smallest voxel size.
    x, y, z = (points[:, :3] / voxel_size).floor().to(torch.int64).unbind(-1)
    cube, by_cube = ((x << 42) + (y << 21) + z).sort(stable=True)
    is_first = torch.ones_like(cube, dtype=torch.bool)
    is_first[1:] = cube[1:] != cube[:-1]
    return points.index_select(0, by_cube[is_first])

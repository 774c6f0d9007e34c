"""Thinning of a cloud: which points share a cube, and which of them is the nearest."""

import math
from collections.abc import Sequence
from operator import eq, ne

import torch

from ..cpu_pixels import bands, compared, is_known, native, places

_MAX_CELLS = 1 << 21  # per axis: 2 km at the smallest voxel size; what is farther shares a cell
_SLOTS = 1 << 20
"""Of the table of cubes, 4 MB. A room has fewer cubes; with more it takes longer."""
_ROW_BITS = 8
"""Of the cells in a row of the table, that lie beside each other so as to share cache lines."""
_SPREAD = 0x9E3779B1 - (1 << 32)
"""2^32 by the golden ratio, as a prime: Knuth, The Art of Computer Programming, section 6.4."""


def nearest_pixels(depth: torch.Tensor, rays: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return the pixels (N,) int64, ascending, whose point is the nearest of those in its cube.

    Nearest to the image plane; of those equally near the first.

    Args:
        depth: (H, W) float32 [m], positive, NaN unknown.
        rays: (2, H, W) float32, x/z and y/z.
        voxel_size: Edge of a cube [m].
    """
    pixels = places(_may_be_nearest(depth, rays, voxel_size).flatten())
    x, y, z = (it.flatten().index_select(0, pixels) for it in (*rays, depth))
    cube = one_of_each_cube((x.mul_(z), y.mul_(z), z), voxel_size)
    # Positive floats sort like their bits: depth and place in one number.
    rank = z.view(torch.int32).to(torch.int64).bitwise_left_shift_(32)
    rank += torch.arange(len(rank), device=rank.device)
    least = torch.full_like(rank, torch.iinfo(torch.int64).max).scatter_reduce_(
        0, cube, rank, 'amin'
    )
    return pixels.index_select(0, places(compared(least.index_select(0, cube), eq, rank)))


def one_of_each_cube(points: Sequence[torch.Tensor], voxel_size: float) -> torch.Tensor:
    """Return (N,) int64: for each point one of those in its cube, the same for all of them.

    Args:
        points: x, y and z (N,) float32 [m].
        voxel_size: Edge of a cube [m].
    """
    key = _cube_keys(points, voxel_size)
    slot = (key + (key >> _ROW_BITS) * _SPREAD).bitwise_and_(_SLOTS - 1).to(torch.int64)
    # What is written last stays. Only slots that were written are read.
    table = torch.empty(_SLOTS, dtype=torch.int32, device=key.device)
    every = torch.arange(len(key), dtype=torch.int32, device=key.device)
    one = table.scatter_(0, slot, every).index_select(0, slot).to(torch.int64)
    left = places(compared(key.index_select(0, one), ne, key))
    while len(left):  # they share a slot with another cube, which is through
        at, wanted = slot.index_select(0, left), key.index_select(0, left)
        found = table.scatter_(0, at, left.to(torch.int32)).index_select(0, at).to(torch.int64)
        one.scatter_(0, left, found)
        left = left.index_select(0, places(compared(key.index_select(0, found), ne, wanted)))
    return one


def _may_be_nearest(depth: torch.Tensor, rays: torch.Tensor, voxel_size: float) -> torch.Tensor:
    """Return (H, W) bool: known, and no neighbor along u or v is nearer and in the same cube.

    Of a cube few points are left, which saves most of the time of what follows.
    """
    may_be = is_known(depth)
    for rows in bands(depth, overlap=1):
        _drop_farther_neighbors(depth[rows], rays[:, rows], voxel_size, may_be[rows])
    return may_be


def _drop_farther_neighbors(
    depth: torch.Tensor, rays: torch.Tensor, voxel_size: float, may_be: torch.Tensor
) -> None:
    """Set (H, W) bool to False where a neighbor is nearer and in the same cube."""
    by, kept = native(may_be.view(-1))
    x, y, z = (native(it.flatten())[1] for it in (*rays, depth))
    cells = [by.floor(axis / voxel_size) for axis in (x * z, y * z, z)]
    # Row after row: what follows the last pixel of a row is no neighbor, and does no harm.
    for step in (1, depth.shape[1]):
        is_nearer = z[step:] < z[:-step]
        is_apart = cells[0][step:] != cells[0][:-step]
        for cell in cells[1:]:
            is_apart |= cell[step:] != cell[:-step]
        kept[step:] &= is_apart | is_nearer
        kept[:-step] &= is_apart | ~is_nearer


def _cube_keys(points: Sequence[torch.Tensor], voxel_size: float) -> torch.Tensor:
    """Return (N,) int32 or int64, another number for each cube; along x they follow each other."""
    cells = [(axis / voxel_size).floor_().to(torch.int32) for axis in reversed(points)]
    if not len(cells[0]):
        return cells[0]
    ends = torch.stack([torch.stack(cell.aminmax()) for cell in cells]).tolist()
    counts = [min(high - low + 1, _MAX_CELLS) for low, high in ends]
    for cell, (low, high) in zip(cells, ends, strict=True):
        if high - low >= _MAX_CELLS:
            cell.clamp_(max=low + _MAX_CELLS - 1)
    # 32 bits take half the time, and a room fits in them.
    key = cells[0].to(torch.int32 if math.prod(counts) < 2**31 else torch.int64)
    for cell, count in zip(cells[1:], counts[1:], strict=True):
        key.mul_(count).add_(cell)
    return key

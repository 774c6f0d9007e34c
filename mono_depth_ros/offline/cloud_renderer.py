"""Pictures of point clouds: squares with a depth buffer.

Points are drawn with NumPy alone, since robots and servers have neither a display nor Open3D.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera
from ..core.files.encodings import Pixels
from ..core.files.message_writers import unpack_color
from .figures import Cell, Column, draw_rows

Points = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating]

_NEAREST_M = 0.05
_LARGEST_PX = 16
_PREVIEW_POINTS = 1_000_000
_WIDTH_PX, _HEIGHT_PX = 800, 600
_SUPERSAMPLING = 2
_FILLED = 0.92
_DISTANCE = 1.8
_STRETCH = 10.0
_OVERLAP = 1.3
_VIEWS = {'from the right': (0.35, -0.3, -0.9), 'from the left and above': (-0.8, -0.45, -0.6)}
"""From the middle of the cloud to the viewer: right, down, forward."""


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """A camera at a position (3,) [m] in the frame of the points it looks at.

    The rows of `rotation` (3, 3) are its axes right, down and forward, in that frame.
    """

    camera: PinholeCamera
    position: Floats
    rotation: Floats

    @classmethod
    def toward(cls, camera: PinholeCamera, position: Floats, target: Floats) -> 'Viewpoint':
        """Return the view from `position` to `target` [m] in an optical frame, where -y is up."""
        forward = (target - position) / np.linalg.norm(target - position)
        right = np.cross([0.0, 1.0, 0.0], forward)
        right /= np.linalg.norm(right)
        return cls(camera, position, np.stack((right, np.cross(forward, right), forward)))

    def project(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return u, v [px] and the distance along the view's axis [m] of (N, 3) points."""
        x, y, z = self.rotation @ (points - self.position).T
        safe = np.maximum(z, _NEAREST_M)
        u = self.camera.fx * x / safe + self.camera.cx
        v = self.camera.fy * y / safe + self.camera.cy
        return u, v, z


def write_preview(path: Path, points: Points, camera: PinholeCamera) -> None:
    """Write a picture of packed points, thinned to a million; none of an empty cloud."""
    rows = points.reshape(-1, points.shape[-1])
    known = rows[np.isfinite(rows[:, 2])]
    if not len(known):
        return
    k = math.ceil(math.sqrt(len(known) / _PREVIEW_POINTS))
    if k > 1:
        u, v = _pixels(known, camera)
        known = known[(u % k == 0) & (v % k == 0)]
        size = -(-camera.width // k), -(-camera.height // k)
        camera = PinholeCamera(*size, camera.fx / k, camera.fy / k, camera.cx / k, camera.cy / k)
    write_cloud_picture(path, {'': known}, camera)


def write_cloud_picture(path: Path, clouds: Mapping[str, Points], camera: PinholeCamera) -> None:
    """Write clouds as PNG: a row for each by its name, a column for each viewpoint.

    They are (N, 4) points, N > 0, see `pack_cloud`, in the optical frame of `camera`, which saw
    them; a single one may have the name ''.
    """
    everything = np.concatenate([points[:, :3] for points in clouds.values()])
    views = {label: fitting_view(everything, np.array(d)) for label, d in _VIEWS.items()}
    rows = [
        [Cell(cloud_picture(points, camera, view), name) for view in views.values()]
        for name, points in clouds.items()
    ]
    draw_rows(path, '', [Column(label) for label in views], rows, _WIDTH_PX)


def view_from_the_right(points: Points) -> Viewpoint:
    """Return the view from the right of packed points (N, 4), N > 0, see `fitting_view`."""
    return fitting_view(points[:, :3], np.array(_VIEWS['from the right']))


def cloud_picture(points: Points, camera: PinholeCamera, view: Viewpoint) -> Pixels:
    """Return (600, 800, 3) uint8 RGB of packed points (N, 4) that `camera` saw, on black."""
    xyz, rgb = points[:, :3].astype(np.float64), unpack_color(points[:, 3])
    return _reduced(draw_points(xyz, rgb, point_sizes(xyz, camera), view))


def draw_cloud(xyz: Points, rgb: Pixels, point_size_px: float) -> Pixels:
    """Return (600, 800, 3) uint8 RGB of (N, 3) points [m], N > 0, as squares of that edge."""
    view = fitting_view(xyz, np.array(_VIEWS['from the right']))
    edge = np.full(len(xyz), _SUPERSAMPLING * point_size_px)
    return _reduced(_painted(*view.project(xyz.astype(np.float64)), edge, rgb, view.camera))


def fitting_view(xyz: Floats, direction: Floats) -> Viewpoint:
    """Return the view of (N, 3) points from a direction that shows nearly all of them large."""
    target = np.median(xyz, axis=0)
    eye = target + direction / np.linalg.norm(direction) * _DISTANCE * np.linalg.norm(target)
    # Larger than it will be shown: averaged then, for smooth edges.
    width, height = _SUPERSAMPLING * _WIDTH_PX, _SUPERSAMPLING * _HEIGHT_PX
    unit = Viewpoint.toward(PinholeCamera(width, height, 1, 1, 0, 0), eye, target)
    u, v, z = unit.project(xyz)
    low_u, high_u = np.percentile(u[z > 0], (1, 99))
    low_v, high_v = np.percentile(v[z > 0], (1, 99))
    focal_px = _FILLED * min(width / max(high_u - low_u, 1e-3), height / max(high_v - low_v, 1e-3))
    cx = (width - 1) / 2 - focal_px * (low_u + high_u) / 2
    cy = (height - 1) / 2 - focal_px * (low_v + high_v) / 2
    lens = PinholeCamera(width, height, focal_px, focal_px, cx, cy)
    return Viewpoint(lens, unit.position, unit.rotation)


def point_sizes(xyz: Floats, camera: PinholeCamera) -> Floats:
    """Return (N,) [m]: a little more than the distance to the next point in the image.

    The next one is below or to the right, whichever is farther. What a pixel covers at that depth
    is the least; where the next point is more than ten times as far it is also the most, so that
    a surface seen at a grazing angle is closed and no step is bridged.
    """
    u, v = _pixels(xyz, camera)
    grid = np.full((camera.height + 1, camera.width + 1, 3), np.nan)
    grid[v, u] = xyz
    right = np.linalg.norm(grid[v, u + 1] - xyz, axis=1)
    below = np.linalg.norm(grid[v + 1, u] - xyz, axis=1)
    pixel = xyz[:, 2] / camera.fx
    gap = np.fmax(right, below)
    size: Floats = np.where(gap <= _STRETCH * pixel, np.maximum(gap, pixel), pixel)
    return _OVERLAP * size


def draw_points(points: Floats, rgb: Pixels, size: Floats, view: Viewpoint) -> Pixels:
    """Return (H, W, 3) uint8: (N, 3) points [m] on black, as squares with edges (N,) [m]."""
    u, v, z = view.project(points)
    edge = np.ceil(size * view.camera.fx / np.maximum(z, _NEAREST_M)).clip(1, _LARGEST_PX)
    return _painted(u, v, z, edge, rgb, view.camera)


def nearest_points(
    u: Floats, v: Floats, z: Floats, size: Floats, width: int, height: int
) -> npt.NDArray[np.int64]:
    """Return (height, width): the number of the point seen in each pixel, -1 for none.

    Points (N,) have columns and rows [px], a distance along the axis [m], of which less than 5 cm
    is not seen, and squares with edges of `size` [px].
    """
    drawn = np.flatnonzero(z > _NEAREST_M)
    left = np.rint(u - (size - 1) / 2).astype(np.int64)
    top = np.rint(v - (size - 1) / 2).astype(np.int64)
    pixels, owners = [], []
    largest = math.ceil(size.max(initial=0))
    for dv, du in np.ndindex(largest, largest):
        owner = drawn[size[drawn] > max(du, dv)]
        column, row = left[owner] + du, top[owner] + dv
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        owners.append(owner[inside])
        pixels.append((row * width + column)[inside])
    seen = np.full(height * width, -1)
    if owners:
        owner, pixel = np.concatenate(owners), np.concatenate(pixels)
        far_first = np.argsort(-z[owner], kind='stable')
        # Of several points in a pixel the last one assigned, the nearest, stays.
        seen[pixel[far_first]] = owner[far_first]
    return seen.reshape(height, width)


def _painted(
    u: Floats, v: Floats, z: Floats, edge: Floats, rgb: Pixels, camera: PinholeCamera
) -> Pixels:
    """Return (H, W, 3) uint8, the points on black; edge is (N,) [px]."""
    nearest = nearest_points(u, v, z, edge, camera.width, camera.height)
    picture = np.zeros((camera.height, camera.width, 3), np.uint8)
    picture[nearest >= 0] = rgb[nearest[nearest >= 0]]
    return picture


def _pixels(
    points: Floats, camera: PinholeCamera
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the column and row of each point (N, 3 or 4) in the image it was seen in."""
    x, y, z = points[:, :3].T
    u = np.rint(camera.fx * x / z + camera.cx).astype(np.int64)
    v = np.rint(camera.fy * y / z + camera.cy).astype(np.int64)
    return u, v


def _reduced(picture: Pixels) -> npt.NDArray[Any]:
    return cv2.resize(picture, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA)

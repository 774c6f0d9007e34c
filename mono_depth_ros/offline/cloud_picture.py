"""Clouds from two viewpoints, without a viewer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera
from ..core.files.file_writers import write_picture
from .splats import Floats, Viewpoint, draw_points

Points = npt.NDArray[np.float32]
Pixels = npt.NDArray[Any]

_WIDTH_PX, _HEIGHT_PX = 800, 600
_GAP_PX = 8
_FILLED = 0.92
_DISTANCE = 1.8
_STRETCH = 10.0
_OVERLAP = 1.3
_VIEWS = {'from the right': (0.35, -0.3, -0.9), 'from the left and above': (-0.8, -0.45, -0.6)}
"""Where the viewer stands, as seen from the middle of the cloud: right, down, forward."""


def write_cloud_picture(path: Path, clouds: Mapping[str, Points], camera: PinholeCamera) -> None:
    """Write clouds as PNG: a row for each by its name, a column for each viewpoint.

    Args:
        path: The file.
        clouds: (N, 4) points in the camera's optical frame, N > 0, see `pack_cloud`; a single one
            may have the name ''.
        camera: Which they were seen with.
    """
    everything = np.concatenate([points[:, :3] for points in clouds.values()])
    views = {label: fitting_view(everything, np.array(d)) for label, d in _VIEWS.items()}
    rows = [
        [
            _labeled(_draw(points, camera, view), f'{name}, {label}' if name else label)
            for label, view in views.items()
        ]
        for name, points in clouds.items()
    ]
    gap = np.full((_HEIGHT_PX, _GAP_PX, 3), 255, np.uint8)
    strips = [np.hstack((row[0], gap, row[1])) for row in rows]
    gap = np.full((_GAP_PX, strips[0].shape[1], 3), 255, np.uint8)
    picture = np.vstack([part for strip in strips for part in (gap, strip)][1:])
    write_picture(path, picture)


def fitting_view(xyz: Floats, direction: Floats) -> Viewpoint:
    """Return the view of (N, 3) points from a direction that shows nearly all of them large."""
    target = np.median(xyz, axis=0)
    eye = target + direction / np.linalg.norm(direction) * _DISTANCE * np.linalg.norm(target)
    # Twice as large as it will be shown: averaged then, for smooth edges.
    width, height = 2 * _WIDTH_PX, 2 * _HEIGHT_PX
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
    x, y, z = xyz.T
    u = np.rint(camera.fx * x / z + camera.cx).astype(np.int64)
    v = np.rint(camera.fy * y / z + camera.cy).astype(np.int64)
    grid = np.full((camera.height + 1, camera.width + 1, 3), np.nan)
    grid[v, u] = xyz
    right = np.linalg.norm(grid[v, u + 1] - xyz, axis=1)
    below = np.linalg.norm(grid[v + 1, u] - xyz, axis=1)
    pixel = z / camera.fx
    gap = np.fmax(right, below)
    size: Floats = np.where(gap <= _STRETCH * pixel, np.maximum(gap, pixel), pixel)
    return _OVERLAP * size


def _draw(points: Points, camera: PinholeCamera, view: Viewpoint) -> Pixels:
    xyz = points[:, :3].astype(np.float64)
    bits = np.ascontiguousarray(points[:, 3]).view(np.uint32)
    rgb = np.stack([bits >> shift & 0xFF for shift in (16, 8, 0)], axis=1).astype(np.uint8)
    picture = draw_points(xyz, rgb, point_sizes(xyz, camera), view)
    return cv2.resize(picture, (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_AREA)


def _labeled(picture: Pixels, text: str) -> Pixels:
    place = (2 * _GAP_PX, _HEIGHT_PX - 2 * _GAP_PX)
    labeled = picture.copy()
    for color, thickness in ((0, 0, 0), 4), ((255, 255, 255), 1):
        cv2.putText(
            labeled, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, thickness, cv2.LINE_AA
        )
    return labeled

"""Points drawn as squares with a depth buffer: a cloud in a picture, with NumPy alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera

Floats = npt.NDArray[np.floating]

_NEAREST_M = 0.05
_LARGEST_PX = 16


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """A camera that looks at points.

    Attributes:
        camera: Its intrinsics.
        position: (3,) [m], where it stands in the frame of the points.
        rotation: (3, 3), its axes right, down and forward as rows, in the frame of the points.
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


def draw_points(
    points: Floats, rgb: npt.NDArray[np.uint8], size: Floats, view: Viewpoint
) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) uint8, the points on black.

    Args:
        points: (N, 3) [m].
        rgb: (N, 3).
        size: (N,) [m], edge of the square that a point stands for.
        view: From where.
    """
    u, v, z = view.project(points)
    edge = np.ceil(size * view.camera.fx / np.maximum(z, _NEAREST_M)).clip(1, _LARGEST_PX)
    nearest = nearest_points(u, v, z, edge, view.camera.width, view.camera.height)
    picture = np.zeros((view.camera.height, view.camera.width, 3), np.uint8)
    picture[nearest >= 0] = rgb[nearest[nearest >= 0]]
    return picture


def nearest_points(
    u: Floats, v: Floats, z: Floats, size: Floats, width: int, height: int
) -> npt.NDArray[np.int64]:
    """Return (height, width): which point is seen in each pixel, -1 for none.

    Args:
        u: (N,) [px], columns of the points.
        v: (N,) [px], rows.
        z: (N,) [m], distance along the axis; nearer than 5 cm, or behind, is not seen.
        size: (N,) [px], edge of each point's square.
        width: Of the picture.
        height: Of the picture.
    """
    drawn = np.flatnonzero(z > _NEAREST_M)
    left = np.rint(u - (size - 1) / 2).astype(np.int64)
    top = np.rint(v - (size - 1) / 2).astype(np.int64)
    pixels, owners = [], []
    largest = int(size.max(initial=0))
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

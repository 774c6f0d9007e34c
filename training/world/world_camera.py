"""Pinhole cameras in the world, and the lights that are treated as such for their shadows."""

import math
from dataclasses import dataclass

import numpy as np

from .furnished_scene import FurnishedScene

NEAR_M, FAR_M = 0.08, 200.0
_LAMP_FOV_DEG = 150.0


@dataclass(frozen=True)
class WorldCamera:
    """A pinhole camera in the world.

    Attributes:
        width: Of the image [px].
        height: Of the image [px].
        focal_px: Focal length [px], the same in both directions.
        position: Of the optical center [m].
        axes: (3, 3) rows: right, down and forward in the world.
    """

    width: int
    height: int
    focal_px: float
    position: np.ndarray
    axes: np.ndarray

    def matrix(self) -> np.ndarray:
        """Return the (4, 4) projection to clip space; the first image row is the lowest there."""
        view = np.eye(4)
        view[:3, :3] = self.axes
        view[:3, 3] = -self.axes @ self.position
        n, f = NEAR_M, FAR_M
        projection = np.zeros((4, 4))
        projection[0, 0] = 2 * self.focal_px / self.width
        projection[1, 1] = 2 * self.focal_px / self.height
        projection[2, 2], projection[2, 3] = (f + n) / (f - n), -2 * f * n / (f - n)
        projection[3, 2] = 1
        return projection @ view

    def rays(self) -> np.ndarray:
        """Return a unit vector (H, W, 3) along each pixel's ray in the world."""
        u = np.arange(self.width) + 0.5 - self.width / 2
        v = np.arange(self.height) + 0.5 - self.height / 2
        ray = np.stack([*np.meshgrid(u, v), np.full((self.height, self.width), self.focal_px)], -1)
        return ray / np.linalg.norm(ray, axis=-1, keepdims=True) @ self.axes


def light_matrix(scene: FurnishedScene) -> np.ndarray:
    """Return the (4, 4) projection of the main light, as if it were a camera."""
    if scene.sun:
        return _sun_matrix(np.array(scene.main_light), scene.bounds)
    size = 2 * math.tan(math.radians(_LAMP_FOV_DEG / 2))
    down = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    return WorldCamera(2, 2, 2 / size, np.array(scene.main_light), down).matrix()


def _sun_matrix(toward: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the parallel projection of the sun over the bounds and a margin."""
    right = np.cross(toward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    up = np.cross(right, toward)
    center = bounds.mean(axis=0)
    radius = np.linalg.norm(bounds[1] - bounds[0]) / 2 + 1.0
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, up, -toward]) / radius
    matrix[2, :3] /= 2.5
    matrix[:3, 3] = -matrix[:3, :3] @ center
    return matrix

"""Where a camera stands and looks, its rays, and the part of the image a box can touch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..core.camera.pinhole import PinholeCamera

NEAR_M = 1e-3
"""Nothing is seen nearer than this."""


@dataclass(frozen=True, eq=False)
class Pose:
    """The camera in the world, z up.

    Attributes:
        position: (3,) float64 [m], the optical center.
        rotation: (3, 3) float64, optical frame (x right, y down, z forward) -> world.
    """

    position: torch.Tensor
    rotation: torch.Tensor

    @classmethod
    def looking(
        cls, position: Sequence[float], yaw: float, pitch: float = 0.0, roll: float = 0.0
    ) -> 'Pose':
        """Return the pose at `position` [m] that looks along `yaw` from +x toward +y [rad].

        Positive `pitch` looks down, positive `roll` turns the camera clockwise as its user
        sees it [rad].
        """
        forward = (
            math.cos(pitch) * math.cos(yaw),
            math.cos(pitch) * math.sin(yaw),
            -math.sin(pitch),
        )
        z = torch.tensor(forward, dtype=torch.float64)
        x = torch.tensor((math.sin(yaw), -math.cos(yaw), 0.0), dtype=torch.float64)
        y = torch.linalg.cross(z, x)
        c, s = math.cos(roll), math.sin(roll)
        rotation = torch.stack((c * x + s * y, c * y - s * x, z), dim=1)
        return cls(torch.tensor(tuple(position), dtype=torch.float64), rotation)

    @property
    def matrix(self) -> torch.Tensor:
        """(4, 4) float64, from the optical frame to the world."""
        matrix = torch.eye(4, dtype=torch.float64)
        matrix[:3, :3], matrix[:3, 3] = self.rotation, self.position
        return matrix

    def moved(self, right_m: float) -> 'Pose':
        """Return the pose shifted along its own optical x axis."""
        return Pose(self.position + right_m * self.rotation[:, 0], self.rotation)


@dataclass(frozen=True)
class Window:
    """The rows and columns of an image that an object can touch."""

    rows: slice
    columns: slice

    @property
    def area(self) -> int:
        """Number of pixels."""
        height = int(self.rows.stop - self.rows.start)
        return height * int(self.columns.stop - self.columns.start)


class RayGrid:
    """The rays of a camera at a pose, direction with optical z = 1, so that t is depth."""

    def __init__(self, camera: PinholeCamera, pose: Pose) -> None:
        self.camera = camera
        self.pose = pose
        self.x = (torch.arange(camera.width, dtype=torch.float64) - camera.cx) / camera.fx
        self.y = (torch.arange(camera.height, dtype=torch.float64) - camera.cy) / camera.fy

    def local(
        self, to_local: torch.Tensor, center: torch.Tensor, window: Window
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return origin (3, 1, 1) and directions (3, h, w), float32, in a local frame.

        Args:
            to_local: (3, 3) world -> local, with scale.
            center: (3,) origin of the local frame in the world [m].
            window: The part of the image.
        """
        axes = to_local @ self.pose.rotation
        along_x = (axes[:, 0, None] * self.x[window.columns]).float()
        along_y = (axes[:, 1, None] * self.y[window.rows] + axes[:, 2, None]).float()
        origin = (to_local @ (self.pose.position - center)).float()
        return origin[:, None, None], along_y[:, :, None] + along_x[:, None, :]

    def windows(self, corners: torch.Tensor) -> list[tuple[Window, float] | None]:
        """Return for each (8, 3) corner set its window and nearest depth, None if unseen."""
        local = (corners - self.pose.position) @ self.pose.rotation
        z = local[..., 2]
        uv = local[..., :2] / z.clamp(min=1e-6)[..., None]
        camera = self.camera
        scale = torch.tensor((camera.fx, camera.fy), dtype=torch.float64)
        shift = torch.tensor((camera.cx, camera.cy), dtype=torch.float64)
        uv = uv * scale + shift
        low, high = uv.amin(1).tolist(), uv.amax(1).tolist()
        nearest, farthest = z.amin(1).tolist(), z.amax(1).tolist()
        found: list[tuple[Window, float] | None] = []
        for (u0, v0), (u1, v1), z0, z1 in zip(low, high, nearest, farthest, strict=True):
            if z1 < NEAR_M:
                found.append(None)
                continue
            if z0 < 1e-2:
                u0, v0, u1, v1 = 0, 0, camera.width, camera.height
            left, right = max(math.floor(u0), 0), min(math.ceil(u1) + 1, camera.width)
            top, bottom = max(math.floor(v0), 0), min(math.ceil(v1) + 1, camera.height)
            seen = left < right and top < bottom
            found.append((Window(slice(top, bottom), slice(left, right)), z0) if seen else None)
        return found

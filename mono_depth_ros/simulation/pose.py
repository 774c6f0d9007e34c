"""Where a camera stands and looks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch


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

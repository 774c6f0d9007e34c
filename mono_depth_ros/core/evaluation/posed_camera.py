"""A camera and its place in a map, from which depth becomes points of the map."""

from dataclasses import dataclass

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CalibrationError
from ..outputs.ground_plane import GroundPlane
from ..scale.tilt import Tilt

_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class PosedCamera:
    """A camera and where it stands; the map has z up and the floor at z = 0 [m].

    Attributes:
        pinhole: Its intrinsics, of rectified images.
        pose: (4, 4) float64, from the optical frame (x right, y down, z forward) to the map.

    Raises:
        CalibrationError: The pose is no rotation and translation.
    """

    pinhole: PinholeCamera
    pose: torch.Tensor

    def __post_init__(self) -> None:
        is_pose = self.pose.shape == (4, 4) and bool(self.pose.isfinite().all())
        if is_pose:
            turn = self.pose[:3, :3].double()
            last = self.pose.new_tensor((0, 0, 0, 1))
            is_turn = bool(((turn @ turn.T - torch.eye(3)).abs() < _TOLERANCE).all())
            is_pose = is_turn and float(turn.det()) > 0 and bool((self.pose[3] == last).all())
        if not is_pose:
            raise CalibrationError(
                f'the pose is {self.pose.tolist()}', 'it must be a 4x4 rotation and translation'
            )

    @classmethod
    def above_floor(cls, pinhole: PinholeCamera, height_m: float, tilt: Tilt) -> 'PosedCamera':
        """Return a camera above the origin of a map whose x axis points ahead.

        Raises:
            CalibrationError: The camera looks straight down, so that nothing is ahead.
        """
        up = -torch.tensor(tilt.down, dtype=torch.float64)
        ahead = torch.tensor((0.0, 0.0, 1.0), dtype=torch.float64)
        ahead = ahead - (ahead @ up) * up
        if float(ahead.norm()) < _TOLERANCE:
            raise CalibrationError(f'the pitch is {tilt.pitch_rad} rad', 'it must be below pi/2')
        ahead = ahead / ahead.norm()
        pose = torch.eye(4, dtype=torch.float64)
        pose[:3, :3] = torch.stack((ahead, torch.linalg.cross(up, ahead), up))
        pose[2, 3] = height_m
        return cls(pinhole, pose)

    @property
    def position(self) -> torch.Tensor:
        """(3,) float64 [m], the optical center in the map."""
        return self.pose[:3, 3].double()

    @property
    def ground_plane(self) -> GroundPlane:
        """The floor as the camera sees it."""
        x, y, z = (-self.pose[2, :3].double()).tolist()
        return GroundPlane((x, y, z), float(self.position[2]), 'pose')

    def in_map(self, points: torch.Tensor) -> torch.Tensor:
        """Return points (..., 3) float64 [m] of the optical frame in that of the map."""
        return points.double() @ self.pose[:3, :3].double().T + self.position

    def map_points(self, depth: torch.Tensor) -> torch.Tensor:
        """Return (H, W, 3) float64 [m] in the map of depth (H, W) [m], NaN where that is."""
        height, width = depth.shape
        x, y = self.pinhole.resized(width, height).rays().double()
        z = depth.double()
        return self.in_map(torch.stack((x * z, y * z, z), dim=-1))

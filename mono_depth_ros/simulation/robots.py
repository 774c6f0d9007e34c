"""Robots that carry the camera through the simulated world."""

import math
from dataclasses import dataclass

import torch

from ..core.camera.rigid_transform import RigidTransform
from .drive import Drive
from .pose import Pose

_LEVEL_CAMERA = RigidTransform.of((0, 0, 0), (-0.5, 0.5, -0.5, 0.5))
"""An optical frame (x right, y down, z forward) that looks along x of a body with z up."""
_ROLL_DEG, _ROLL_S = 5.0, 3.1
_NOD_DEG, _NOD_S = 4.0, 2.3
_CLIMB_M, _CLIMB_S = 0.15, 7.0
"""Amplitude and period of a flight; a drive keeps 0.5 m clear of everything."""


@dataclass(frozen=True)
class SimulatedRobot:
    """How a camera is carried along a drive.

    Attributes:
        base_frame: What odometry places, x forward and z up; '' if that is the camera itself,
            which then nods as the drive does, and its sensors with it.
        pitch_deg: Of the camera on the base, positive = looking down. Sensors stand level.
        flies: The base is at the camera, climbs and tilts; else it is on the floor below.
    """

    base_frame: str = ''
    pitch_deg: float = 0.0
    flies: bool = False

    def base_at(self, drive: Drive, t_s: float) -> RigidTransform:
        """Return the pose of the base in the world."""
        pose = drive.pose_at(t_s)
        ahead = pose.rotation[:, 2].tolist()
        turn = RigidTransform.of((0, 0, 0), _about(2, math.atan2(ahead[1], ahead[0])))
        x, y, z = pose.position.tolist()
        if not self.flies:
            return RigidTransform.of((x, y, 0), turn.quaternion.tolist())
        nod = _about(1, math.radians(_NOD_DEG) * math.sin(2 * math.pi * t_s / _NOD_S))
        roll = _about(0, math.radians(_ROLL_DEG) * math.sin(2 * math.pi * t_s / _ROLL_S))
        place = (x, y, z + _CLIMB_M * math.sin(2 * math.pi * t_s / _CLIMB_S))
        tilt = RigidTransform.of((0, 0, 0), nod) @ RigidTransform.of((0, 0, 0), roll)
        return RigidTransform.of(place, (turn @ tilt).quaternion.tolist())

    def camera_on_base(self, drive: Drive) -> RigidTransform:
        """Return the pose of the optical frame in that of the base."""
        height_m = 0.0 if self.flies else drive.height_m
        return RigidTransform.of((0, 0, height_m), self._pitched().quaternion.tolist())

    def camera_at(self, drive: Drive, t_s: float) -> Pose:
        """Return the pose of the camera in the world."""
        if not self.base_frame:
            return drive.pose_at(t_s)
        camera = self.base_at(drive, t_s) @ self.camera_on_base(drive)
        return Pose(torch.from_numpy(camera.position), torch.from_numpy(camera.rotation))

    def mounted(self, mount: RigidTransform) -> RigidTransform:
        """Return where a sensor stands in the optical frame, from where it were, looked it level.

        It looks where the base does.
        """
        return self._pitched().inverse() @ _LEVEL_CAMERA @ mount

    def _pitched(self) -> RigidTransform:
        return (
            RigidTransform.of((0, 0, 0), _about(1, math.radians(self.pitch_deg))) @ _LEVEL_CAMERA
        )


ROBOTS = {
    'rig': SimulatedRobot(),
    'turtlebot': SimulatedRobot('base_footprint', pitch_deg=8.0),
    'outdoor_lidar': SimulatedRobot('base_footprint', pitch_deg=8.0),
    'drone': SimulatedRobot('base_link', pitch_deg=25.0, flies=True),
}


def _about(axis: int, angle: float) -> tuple[float, float, float, float]:
    quaternion = [0.0, 0.0, 0.0, math.cos(angle / 2)]
    quaternion[axis] = math.sin(angle / 2)
    x, y, z, w = quaternion
    return x, y, z, w

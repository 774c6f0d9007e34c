"""Pose of a depth sensor in the optical frame of the camera."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import SettingsError

IDENTITY = '0 0 0 0 0 0 1'
_FORM = 'x y z qx qy qz qw'
_REMEDY = (
    f'give seven numbers {_FORM}: the position [m] and the orientation of the sensor in the '
    f"camera's optical frame (x right, y down, z forward); '{IDENTITY}' is the frame itself"
)


@dataclass(frozen=True, eq=False)
class SensorPose:
    """Where a sensor stands in the optical frame of the camera: p' = rotation p + position.

    Attributes:
        position: (3,) float64 [m], of the sensor.
        rotation: (3, 3) float64.
    """

    position: npt.NDArray[np.float64]
    rotation: npt.NDArray[np.float64]

    @classmethod
    def parse(cls, text: str) -> 'SensorPose':
        """Return the pose of `x y z qx qy qz qw`; the quaternion may have any length but 0.

        Raises:
            SettingsError: There are not seven finite numbers, or the quaternion is 0.
        """
        try:
            numbers = [float(word) for word in text.replace(',', ' ').split()]
        except ValueError:
            numbers = []
        if len(numbers) != 7 or not all(map(math.isfinite, numbers)):
            raise SettingsError(f'alignment.sensor_pose is {text!r}', _REMEDY)
        position, quaternion = np.array(numbers[:3]), np.array(numbers[3:])
        largest = np.abs(quaternion).max()
        if not largest:
            what = f'alignment.sensor_pose is {text!r}, of which the quaternion is 0'
            raise SettingsError(what, _REMEDY)
        quaternion /= largest  # the squares of very small or large ones are 0 or infinite
        x, y, z, w = quaternion / np.linalg.norm(quaternion)
        rotation = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        return cls(position, rotation)

    def apply(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return points (N, 3) [m] of the sensor's frame in the optical frame."""
        placed: npt.NDArray[np.float64] = points @ self.rotation.T + self.position
        return placed

"""What a sensor beside the camera measured, and where the sensor stood."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..camera.rigid_transform import RigidTransform


@dataclass(frozen=True, eq=False)
class SensorReading:
    """A message, and the pose of its sensor in the optical frame of the image that it measures.

    Attributes:
        message: By its fields.
        pose_at: Returns that pose, the camera as of the stamp of the image, so many seconds after
            the stamp of the message.
    """

    message: Any
    pose_at: Callable[[float], RigidTransform]

    @classmethod
    def fixed(cls, message: Any, pose: RigidTransform) -> 'SensorReading':
        """Return the reading of a sensor that does not move to the camera."""
        return cls(message, lambda _: pose)

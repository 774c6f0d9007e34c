"""What a sensor beside the camera measured, and where the sensor stood."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..camera.rigid_transform import RigidTransform
from ..errors import TransformError

_LAGS_NS = (0, 10_000_000, 20_000_000, 40_000_000, 70_000_000, 100_000_000)
"""How far odometry may lag behind an image or the last ray of a scan: then its last known place
counts, so that the motion of the rest is not lost."""


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


class Frames(Protocol):
    """Knows where frames stand in one another."""

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame.

        As of a stamp [ns], or the newest time that all between them have.

        Raises:
            TransformError: Nothing connects them, or not at that time.
        """


@dataclass(frozen=True)
class SensorPlacement:
    """Where a sensor stands in the camera, as frames tell.

    Attributes:
        frames: What tells.
        camera: Frame of the image, and its stamp [ns].
        sensor: Frame of the message, and its stamp [ns].
        fixed_frame: In which the world stands still; '' if the robot does.
        warn: Told where nothing says how the robot moves.
    """

    frames: Frames
    camera: tuple[str, int]
    sensor: tuple[str, int]
    fixed_frame: str
    warn: Callable[[str], None]

    def reading(self, message: Any) -> SensorReading:
        """Return the reading of a message."""
        return SensorReading(message, self.pose_at)

    def pose_at(self, passed_s: float) -> RigidTransform:
        """Return the pose so long after the stamp of the message; see `SensorReading`.

        Where nothing tells how the robot moves, it is taken to stand still.

        Raises:
            TransformError: Nothing connects sensor and camera.
        """
        (camera, image_ns), (sensor, measured_ns) = self.camera, self.sensor
        unmoved = ''
        if self.fixed_frame:
            try:
                at_image = self._lookup(camera, self.fixed_frame, image_ns)
                at_ns = measured_ns + round(passed_s * 1e9)
                return at_image @ self._lookup(self.fixed_frame, sensor, at_ns)
            except TransformError as error:
                unmoved = str(error)
        try:
            pose = self.frames.lookup(camera, sensor)
        except TransformError as error:
            raise TransformError(
                f'where the sensor stands is not known: {error.what}',
                error.remedy
                or 'have the robot description or a static_transform_publisher say where both '
                'stand, or set alignment.sensor_pose',
            ) from error
        if unmoved:
            self.warn(
                f'measurements are placed as if the robot stood still: {unmoved}; '
                f'alignment.fixed_frame, {self.fixed_frame!r}, must be the frame of its odometry, '
                "and known at the stamps of both; '' if the robot does stand still"
            )
        return pose

    def _lookup(self, target: str, source: str, stamp_ns: int) -> RigidTransform:
        """Return what TF says at a stamp [ns], or shortly before it.

        Raises:
            TransformError: It says nothing of that time.
        """
        errors = []
        for lag_ns in _LAGS_NS:
            try:
                return self.frames.lookup(target, source, stamp_ns - lag_ns)
            except TransformError as error:
                errors.append(error)
        raise errors[0]

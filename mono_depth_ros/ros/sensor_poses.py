"""Where a sensor stood when it measured, seen from the camera when it took an image."""

from collections.abc import Callable
from typing import Any

from std_msgs.msg import Header

from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import TransformError
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.sensor_reading import SensorPlacement, SensorReading
from .messages import nanoseconds
from .tf_buffer import INSTALL, Tf


def sensor_reading(
    source: str,
    message: Any,
    image: Header,
    alignment: AlignmentSettings,
    tf: Tf | None,
    warn: Callable[[str], None],
) -> SensorReading:
    """Return a message of a sensor, with its pose by `alignment.sensor_pose` or else by TF.

    Args:
        source: That it came from.
        message: With a header.
        image: Header of the image that it measures.
        alignment: Says where poses come from.
        tf: What listens to TF, None while nothing does.
        warn: Told where TF does not say how the robot moves.

    Raises:
        TransformError: Nothing can tell the pose.
    """
    frame = message.header.frame_id
    pose = alignment.pose_of(source)
    if pose is not None or frame == image.frame_id:
        return SensorReading.fixed(message, pose or RigidTransform.identity())
    if tf is None:
        raise TransformError(f'points are in {frame!r}, the image in {image.frame_id!r}', INSTALL)
    camera = image.frame_id, nanoseconds(image.stamp)
    sensor = frame, nanoseconds(message.header.stamp)
    return SensorPlacement(tf, camera, sensor, alignment.fixed_frame, warn).reading(message)

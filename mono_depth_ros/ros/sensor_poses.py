"""Where a sensor stood when it measured, seen from the camera when it took an image."""

from collections.abc import Callable
from functools import partial
from typing import Any

from std_msgs.msg import Header

from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import TransformError
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.sensor_pose import parse_pose
from ..core.scale.sensor_reading import SensorReading
from .messages import nanoseconds
from .tf_buffer import INSTALL, Tf


def sensor_reading(
    message: Any,
    image: Header,
    alignment: AlignmentSettings,
    tf: Tf | None,
    warn: Callable[[str], None],
) -> SensorReading:
    """Return a message of a sensor, with its pose by `alignment.sensor_pose` or else by TF.

    Args:
        message: With a header.
        image: Header of the image that it measures.
        alignment: Says where poses come from.
        tf: What listens to TF, None while nothing does.
        warn: Told where TF does not say how the robot moves.

    Raises:
        TransformError: Nothing can tell the pose.
    """
    frame = message.header.frame_id
    if alignment.sensor_pose or frame == image.frame_id:
        return SensorReading.fixed(message, parse_pose(alignment.sensor_pose))
    if tf is None:
        raise TransformError(f'points are in {frame!r}, the image in {image.frame_id!r}', INSTALL)
    fixed_frame = alignment.fixed_frame
    return SensorReading(message, partial(_pose_at, message.header, image, fixed_frame, tf, warn))


def _pose_at(
    measured: Header,
    image: Header,
    fixed_frame: str,
    tf: Tf,
    warn: Callable[[str], None],
    passed_s: float,
) -> RigidTransform:
    """Return the pose of a sensor, so long after its stamp, in the camera at the image's stamp.

    Where TF does not tell how the robot moves, it is taken to stand still.

    Raises:
        TransformError: TF does not connect sensor and camera.
    """
    camera, sensor = image.frame_id, measured.frame_id
    unmoved = ''
    if fixed_frame:
        try:
            at_image = tf.lookup(camera, fixed_frame, nanoseconds(image.stamp))
            measured_ns = nanoseconds(measured.stamp) + round(passed_s * 1e9)
            return at_image @ tf.lookup(fixed_frame, sensor, measured_ns)
        except TransformError as error:
            unmoved = str(error)
    try:
        pose = tf.lookup(camera, sensor)
    except TransformError as error:
        raise TransformError(
            f'where the sensor stands is not known: {error.what}',
            error.remedy
            or 'have the robot description or a static_transform_publisher say where both '
            'stand, or set alignment.sensor_pose',
        ) from error
    if unmoved:
        warn(
            f'measurements are placed as if the robot stood still: {unmoved}; '
            f'alignment.fixed_frame, {fixed_frame!r}, must be the frame of its odometry, and '
            "known at the stamps of both; '' if the robot does stand still"
        )
    return pose

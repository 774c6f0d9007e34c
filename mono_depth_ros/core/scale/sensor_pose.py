"""Pose of a depth sensor in the optical frame of the camera, as a text."""

from ..camera.rigid_transform import RigidTransform
from ..errors import SettingsError

IDENTITY = '0 0 0 0 0 0 1'
_FORM = 'x y z qx qy qz qw'
_REMEDY = (
    f'give seven numbers {_FORM}: the position [m] and the orientation of the sensor in the '
    f"camera's optical frame (x right, y down, z forward); '{IDENTITY}' is the frame itself"
)


def pose_text(pose: RigidTransform) -> str:
    """Return a pose as `parse_pose` reads it."""
    return ' '.join(map(repr, (*pose.position.tolist(), *pose.quaternion.tolist())))


def parse_pose(text: str) -> RigidTransform:
    """Return the pose of `x y z qx qy qz qw`; the quaternion may have any length but 0.

    An empty text is the optical frame itself.

    Raises:
        SettingsError: There are not seven finite numbers, or the quaternion is 0.
    """
    if not text:
        return RigidTransform.identity()
    try:
        numbers = [float(word) for word in text.replace(',', ' ').split()]
    except ValueError:
        numbers = []
    if len(numbers) != 7:
        raise SettingsError(f'alignment.sensor_pose is {text!r}', _REMEDY)
    if not any(numbers[3:]):
        what = f'alignment.sensor_pose is {text!r}, of which the quaternion is 0'
        raise SettingsError(what, _REMEDY)
    try:
        return RigidTransform.of(numbers[:3], numbers[3:])
    except ValueError as error:
        raise SettingsError(f'alignment.sensor_pose is {text!r}', _REMEDY) from error

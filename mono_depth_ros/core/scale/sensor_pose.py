"""Poses of depth sensors in the optical frame of the camera, as a text."""

import re

from ..camera.rigid_transform import RigidTransform
from ..errors import SettingsError

IDENTITY = '0 0 0 0 0 0 1'
_NAMED = re.compile(r'\s*([a-z]+):? +(.*)')
_FORM = 'x y z qx qy qz qw'
_REMEDY = (
    f'give seven numbers {_FORM}: the position [m] and the orientation of the sensor in the '
    f"camera's optical frame (x right, y down, z forward); '{IDENTITY}' is the frame itself"
)


def pose_text(pose: RigidTransform) -> str:
    """Return a pose as `parse_pose` reads it."""
    return ' '.join(map(repr, (*pose.position.tolist(), *pose.quaternion.tolist())))


def place_text(pose: RigidTransform) -> str:
    """Return in words where a sensor stands in the optical frame, and where it looks."""
    x, y, z = pose.position
    ahead = ' '.join(f'{part:.2f}' for part in pose.rotation[:, 0])
    return (
        f'it stands {x:.2f} m right, {y:.2f} m below and {z:.2f} m ahead of the camera, and its x '
        f'axis points along {ahead} (right, down, ahead)'
    )


def parse_poses(text: str) -> dict[str, RigidTransform]:
    """Return the poses of `x y z qx qy qz qw`, or of several of that after a name each.

    They are separated by semicolons. A pose without a name has the name ''.

    Raises:
        SettingsError: One is none, see `parse_pose`, or two have one name.
    """
    poses: dict[str, RigidTransform] = {}
    for part in text.split(';') if text else ():
        named = _NAMED.fullmatch(part)
        name, pose = named.groups() if named else ('', part)
        if name in poses:
            whose = f'of {name!r}' if name else 'without a name'
            raise SettingsError(f'alignment.sensor_pose has two poses {whose}: {text!r}', _REMEDY)
        poses[name] = parse_pose(pose or ' ')
    return poses


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

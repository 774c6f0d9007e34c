"""The pose of a sensor as text."""

import numpy as np
import pytest

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sensor_pose import IDENTITY, parse_pose, pose_text

POINTS = np.random.default_rng(0).normal(size=(20, 3))


def test_the_default_is_the_optical_frame_itself() -> None:
    for text in (AlignmentSettings().sensor_pose, IDENTITY):
        np.testing.assert_array_equal(parse_pose(text).apply(POINTS), POINTS)


def test_a_body_frame_in_the_optical_one() -> None:
    # A LiDAR 0.2 m above the camera and 0.1 m behind it, x forward, y left, z up.
    pose = parse_pose('0 -0.2 -0.1 0.5 -0.5 0.5 0.5')
    ahead, left, up = np.eye(3)
    expected = [[0, -0.2, 0.9], [-1, -0.2, -0.1], [0, -1.2, -0.1]]
    np.testing.assert_allclose(pose.apply(np.stack((ahead, left, up))), expected, atol=1e-15)


def test_a_pose_is_read_as_it_is_written() -> None:
    pose = parse_pose('0.1 -0.2 0.3 0.1 -0.4 0.3 0.8')
    np.testing.assert_allclose(parse_pose(pose_text(pose)).apply(POINTS), pose.apply(POINTS))


@pytest.mark.parametrize('length', [1.0, -1.0, 3.0, 1e-200, 1e200])
def test_a_quaternion_of_any_length(length: float) -> None:
    quaternion = np.array((0.1, -0.4, 0.3, 0.8))
    stated = ' '.join(map(repr, (length * quaternion).tolist()))
    placed = parse_pose(f'1,2, 3 {stated}').apply(POINTS)
    x, y, z, w = (quaternion / np.linalg.norm(quaternion)).tolist()
    u = np.array((x, y, z))
    turned = POINTS + 2 * np.cross(u, np.cross(u, POINTS) + w * POINTS)
    np.testing.assert_allclose(placed, turned + np.array((1, 2, 3)), atol=1e-12)


@pytest.mark.parametrize(
    'text', [' ', '1 2 3', '1 2 3 4 5 6', '0 0 0 0 0 0 1 0', '0 0 0 0 0 0 w', '0 0 0 0 0 0 nan']
)
def test_what_is_no_pose_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(SettingsError, match='give seven numbers x y z qx qy qz qw') as caught:
        AlignmentSettings(sensor_pose=text)
    assert f'alignment.sensor_pose is {text!r}' in str(caught.value)


def test_a_quaternion_of_zero_is_refused_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r'the quaternion is 0; give .*'):
        AlignmentSettings(sensor_pose='1 2 3 0 0 0 0')

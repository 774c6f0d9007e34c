"""Robots carry the camera so that it, its sensors and its base stand where they say."""

import math

import numpy as np
import pytest

from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.ros.robot_recipes import RECIPES
from mono_depth_ros.simulation.drive import CLEARANCE_M, Drive
from mono_depth_ros.simulation.robots import ROBOTS

DOWN = (0.0, 0.0, -1.0)
LEVEL = RigidTransform.of((0.05, 0.25, 0.0), (0.5, -0.5, 0.5, 0.5))
TIMES_S = (0.0, 2.5, 11.0)


@pytest.fixture(scope='module')
def drive() -> Drive:
    return Drive(13)


def in_world(drive: Drive, robot: str, t_s: float) -> RigidTransform:
    """Return the pose of the camera."""
    pose = ROBOTS[robot].camera_at(drive, t_s)
    return RigidTransform.of_matrix(pose.position.numpy(), pose.rotation.numpy())


def test_the_rig_is_what_drives(drive: Drive) -> None:
    for t_s in TIMES_S:
        pose, driven = ROBOTS['rig'].camera_at(drive, t_s), drive.pose_at(t_s)
        assert (pose.matrix == driven.matrix).all()
    mounted = ROBOTS['rig'].mounted(LEVEL)
    np.testing.assert_allclose(mounted.position, LEVEL.position)
    np.testing.assert_allclose(mounted.rotation, LEVEL.rotation, atol=1e-12)


@pytest.mark.parametrize('robot', ['turtlebot', 'outdoor_lidar'])
def test_on_wheels_the_camera_has_one_height_and_pitch(drive: Drive, robot: str) -> None:
    for t_s in TIMES_S:
        base, camera = ROBOTS[robot].base_at(drive, t_s), in_world(drive, robot, t_s)
        np.testing.assert_allclose(base.position[:2], drive.pose_at(t_s).position[:2])
        assert base.position[2] == 0
        np.testing.assert_allclose(base.rotation[:, 2], (0, 0, 1), atol=1e-12)
        assert camera.position[2] == pytest.approx(drive.height_m)
        ahead = camera.rotation[:, 2]
        assert math.degrees(-math.asin(ahead[2])) == pytest.approx(8.0)
        assert ahead @ base.rotation[:, 1] == pytest.approx(0)
        assert camera.rotation[:, 0] @ np.array(DOWN) == pytest.approx(0), 'it rolls'


@pytest.mark.parametrize('robot', ['turtlebot', 'outdoor_lidar'])
def test_a_laser_on_wheels_is_level_below_the_camera(drive: Drive, robot: str) -> None:
    camera = in_world(drive, robot, 2.5)
    laser = camera @ ROBOTS[robot].mounted(LEVEL)
    np.testing.assert_allclose(laser.rotation[:, 2], (0, 0, 1), atol=1e-12)
    assert laser.position[2] == pytest.approx(drive.height_m - 0.25)
    base = ROBOTS[robot].base_at(drive, 2.5)
    np.testing.assert_allclose(laser.rotation[:, 0], base.rotation[:, 0], atol=1e-12)


def test_a_drone_is_never_level_for_long(drive: Drive) -> None:
    times_s = np.linspace(0, 20, 60)
    cameras = [in_world(drive, 'drone', t_s) for t_s in times_s]
    rolls = [math.degrees(math.asin(camera.rotation[:, 0] @ DOWN)) for camera in cameras]
    pitches = [math.degrees(-math.asin(camera.rotation[2, 2])) for camera in cameras]
    heights = [camera.position[2] for camera in cameras]
    assert max(rolls) > 3
    assert min(rolls) < -3
    assert 18 < min(pitches) < 24 < 26 < max(pitches) < 32
    assert 0.2 < np.ptp(heights) < 2 * CLEARANCE_M
    bases = [ROBOTS['drone'].base_at(drive, t_s) for t_s in times_s]
    for base, camera in zip(bases, cameras, strict=True):
        np.testing.assert_allclose(base.position, camera.position)


def test_a_recipe_says_how_its_robot_carries_the_camera() -> None:
    """What `simulated:=true` tells the node is what the simulated robot is."""
    assert RECIPES.keys() == ROBOTS.keys() - {'rig'}
    for name, recipe in RECIPES.items():
        assert recipe.camera['robot'] == name
    recipe = RECIPES['turtlebot']
    stated = {name: float(recipe.arguments[name]) for name in ('camera_height', 'camera_pitch')}
    drive = Drive(int(recipe.camera['seed']))
    assert stated['camera_height'] == pytest.approx(drive.height_m, abs=1e-3)
    assert stated['camera_pitch'] == pytest.approx(math.radians(8), abs=1e-3)

"""What a LiDAR, a laser and a time-of-flight sensor see, against the true depth of the scene."""

import math

import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.range_sensors import ConeRanger, MultizoneSensor, SpinningLidar
from mono_depth_ros.simulation.raycast import cast

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
ABOVE = RigidTransform.of((0.05, -0.2, -0.1), (0.5, -0.5, 0.5, 0.5))
HERE = RigidTransform.of((0.0, 0.0, 0.0), (0.5, -0.5, 0.5, 0.5))


@pytest.fixture(scope='module')
def drive() -> Drive:
    return Drive(3)


def relative_errors(drive: Drive, points: np.ndarray, mount: RigidTransform) -> np.ndarray:
    """Return the relative errors of depth of the points in view of the camera."""
    truth = cast(drive.scene, CAMERA, drive.pose_at(1.0)).depth.numpy()
    inverse_depth = measure_points(points, mount, CAMERA).inverse_depth.numpy()
    seen = np.isfinite(inverse_depth)
    return 1 / (inverse_depth[seen] * truth[seen]) - 1


@pytest.mark.parametrize('beams', [1, 16, 64])
def test_a_lidar_above_the_camera_sees_the_same_surfaces(drive: Drive, beams: int) -> None:
    lidar = SpinningLidar((0.0,)) if beams == 1 else SpinningLidar.of_beams(beams)
    points = lidar.scan(drive.scene, drive.pose_at(1.0), ABOVE)
    errors = relative_errors(drive, points, ABOVE)
    assert len(errors) > 100 * beams
    # Pixels are 0.3 degrees wide, and beside an edge a pixel may see another surface.
    assert np.median(np.abs(errors)) < 0.015
    assert np.quantile(np.abs(errors), 0.9) < 0.05


def test_it_turns_once_round_and_counterclockwise(drive: Drive) -> None:
    """Against the distances of four cameras that look ahead, left, back and right."""
    lidar = SpinningLidar((0.0,), columns=360, noise_m=0.0)
    pose = drive.pose_at(1.0)
    ranges = lidar.ranges(drive.scene, pose, HERE)[0]
    assert ranges.shape == (360,)
    x, _, z = pose.rotation.T
    for turned, (ahead, right) in enumerate([(z, x), (-x, z), (-z, -x), (x, -z)]):
        rotation = np.stack([right, pose.rotation[:, 1], ahead], axis=1)
        view = Pose(pose.position, pose.rotation.new_tensor(rotation))
        middle = cast(drive.scene, PinholeCamera(1, 1, 1e3, 1e3, 0.0, 0.0), view).depth.item()
        at = round((math.radians(90 * turned) % (2 * math.pi) + math.pi) / (2 * math.pi) * 360)
        around = ranges[[(at - 1) % 360, at % 360]]
        assert around.min() * 0.9 < middle < around.max() * 1.1


def test_noise_follows_the_seed_and_far_walls_give_no_echo(drive: Drive) -> None:
    pose = drive.pose_at(1.0)
    noisy = [SpinningLidar((0.0,)).ranges(drive.scene, pose, HERE, seed) for seed in (0, 0, 1)]
    assert (noisy[0] == noisy[1]).all()
    assert np.std((noisy[0] - noisy[2])[np.isfinite(noisy[0])]) == pytest.approx(0.028, rel=0.2)
    near = SpinningLidar((0.0,), farthest_m=2.0).ranges(drive.scene, pose, HERE)
    assert (
        np.isinf(near) == (SpinningLidar((0.0,), noise_m=0.0).ranges(drive.scene, pose, HERE) >= 2)
    ).all()


def test_zones_tell_the_median_distance(drive: Drive) -> None:
    sensor = MultizoneSensor(noise=0.0, farthest_m=20.0)
    points = sensor.scan(drive.scene, drive.pose_at(1.0), HERE)
    assert 48 < len(points) <= 64
    assert np.abs(np.degrees(np.arctan2(points[:, 1], points[:, 0]))).max() < 22.5
    errors = relative_errors(drive, points, HERE)
    assert np.median(np.abs(errors)) < 0.03
    assert len(MultizoneSensor(farthest_m=2.5).scan(drive.scene, drive.pose_at(1.0), HERE)) < 64


def test_ultrasound_tells_what_is_nearest_in_its_cone(drive: Drive) -> None:
    pose = drive.pose_at(1.0)
    truth = cast(drive.scene, CAMERA, pose).depth.double().numpy()
    x, y = CAMERA.rays().double().numpy()
    lengthened = np.sqrt(1 + x * x + y * y)
    for fov_deg in (15.0, 40.0):
        sensor = ConeRanger(fov_deg, farthest_m=50.0, noise_m=0.0)
        in_cone = lengthened < 1 / math.cos(math.radians(fov_deg / 2))
        nearest = (truth * lengthened)[in_cone].min()
        assert sensor.range(drive.scene, pose, HERE) == pytest.approx(nearest, rel=0.02)
    assert ConeRanger(farthest_m=0.5).range(drive.scene, pose, HERE) == math.inf
    noisy = [ConeRanger(farthest_m=50.0).range(drive.scene, pose, HERE, seed) for seed in (0, 1)]
    assert 0 < abs(noisy[0] - noisy[1]) < 0.1

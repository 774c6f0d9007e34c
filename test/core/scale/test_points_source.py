"""Source `points`: what a cloud says about an image, and what it cannot say."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import AlignmentError, PointsError
from mono_depth_ros.core.files.message_writers import cloud_fields
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.core.scale.range_explanation import explain_out_of_range
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sensor_pose import IDENTITY, parse_pose
from mono_depth_ros.core.scale.sensor_reading import SensorReading
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera(64, 48, 50.0, 55.0, 30.0, 25.0)
HERE = parse_pose(IDENTITY)
BODY = parse_pose('0 -0.2 -0.1 0.5 -0.5 0.5 0.5')


def seen_points(depth: np.ndarray) -> np.ndarray:
    """Return (N, 3) points [m] of depth (H, W) in the optical frame."""
    x, y = CAMERA.rays().numpy().astype(float)
    return np.stack((x * depth, y * depth, depth), axis=-1).reshape(-1, 3)


def wavy_depth() -> np.ndarray:
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    return 3 + np.sin(u / 20) + v / 30


@pytest.mark.parametrize('pose', [HERE, BODY])
def test_each_point_is_the_depth_of_its_pixel(pose: RigidTransform) -> None:
    depth = wavy_depth()
    of_sensor = (seen_points(depth) - pose.position) @ pose.rotation
    measured = measure_points(of_sensor, pose, CAMERA)
    np.testing.assert_allclose(measured.inverse_depth.numpy(), 1 / depth, rtol=1e-5)


def test_pixels_without_a_point_are_unknown() -> None:
    depth = wavy_depth()
    measured = measure_points(seen_points(depth)[::7], HERE, CAMERA).inverse_depth
    assert int(measured.isfinite().sum()) == len(range(0, depth.size, 7))


def test_of_points_in_one_pixel_the_nearest_counts() -> None:
    ray = np.array((0.1, -0.2, 1.0))
    points = np.stack([ray * z for z in (4.0, 2.0, 3.0, -1.0)])
    measured = measure_points(points, HERE, CAMERA).inverse_depth
    assert measured[measured.isfinite()].tolist() == [0.5]
    assert measured[round(25 - 0.2 * 55), round(30 + 0.1 * 50)] == 0.5


def test_returns_without_an_echo_are_left_out() -> None:
    pose = parse_pose('0 0 0.5 0 0 0 1')
    holes = [(0.0, 0.0, 0.0), (np.nan, 0.0, 1.0), (0.0, np.inf, 1.0), (0.0, 0.0, 1e300)]
    points = np.array([*holes, (0.0, 0.0, 1.5)])
    measured = measure_points(points, pose, CAMERA).inverse_depth
    assert measured[measured.isfinite()].tolist() == [0.5]
    with pytest.raises(AlignmentError, match='none of 4 points has an echo'):
        measure_points(points[:4], pose, CAMERA)


def test_zones_of_a_tof_sensor_without_an_echo_are_left_out() -> None:
    """65.535 m is what 16 bits of millimeters have for it."""
    depth = wavy_depth()
    depth[:20] = np.float32(65.535)
    measured = measure_points(seen_points(depth), HERE, CAMERA).inverse_depth
    assert int(measured.isfinite().sum()) == 28 * 64
    with pytest.raises(AlignmentError, match=r'65\.535 m ahead'):
        measure_points(seen_points(np.full_like(depth, 65.535)), HERE, CAMERA)


def test_landmarks_in_a_frame_that_stands_still_are_all_seen() -> None:
    """The camera tracked them itself; it is 30 m from the origin of odometry by now."""
    depth = np.where(np.arange(64) % 4 < 2, 2.0, 8.0) * np.ones((48, 1))
    away = RigidTransform.of((20.0, 3.0, -22.0), (0.5, -0.5, 0.5, 0.5))
    of_odometry = (seen_points(depth)[::3] - away.position) @ away.rotation
    measured = measure_points(of_odometry, away, CAMERA).inverse_depth
    assert int(measured.isfinite().sum()) == len(of_odometry)


def test_no_point_in_view_says_where_they_are() -> None:
    points = np.array([(0, 0, -2)] * 3 + [(50, 0, 1)] * 2, float)
    with pytest.raises(AlignmentError) as caught:
        measure_points(points, HERE, CAMERA)
    said = str(caught.value)
    assert 'none of 5 points lies in the view of the camera: 3 lie behind it and 2 outside' in said
    assert 'alignment.sensor_pose, must tell the pose of the sensor in the optical frame' in said
    assert 'not in millimeters' in said


def test_points_need_a_camera() -> None:
    with pytest.raises(AlignmentError, match=r'5 points .*; publish camera_info, or set fov_deg'):
        measure_points(np.ones((5, 3)), HERE, None)


def test_points_in_millimeters_are_explained() -> None:
    measured = measure_points(1000 * seen_points(wavy_depth()), HERE, CAMERA)
    said = explain_out_of_range(measured, (0.1, 80.0))
    assert 'of 3072 points lie within' in said
    assert 'if points are in millimeters; they must be in meters' in said


@pytest.mark.parametrize(
    ('depth_m', 'noise_m'), [(0.5, 0.0224), (1.0, 0.0283), (10.0, 0.201), (40.0, 0.8)]
)
def test_noise_is_two_centimeters_and_two_percent(depth_m: float, noise_m: float) -> None:
    points = seen_points(np.full((CAMERA.height, CAMERA.width), depth_m))
    sigma = measure_points(points, HERE, CAMERA).sigma()
    np.testing.assert_allclose(sigma.numpy() * depth_m**2, noise_m, rtol=0.01)


def test_the_source_reads_the_message_and_the_pose() -> None:
    depth = wavy_depth()
    of_sensor = (seen_points(depth) - BODY.position) @ BODY.rotation
    fields = cloud_fields(of_sensor.astype(np.float32), is_dense=True)
    fields['fields'] = [SimpleNamespace(**field) for field in fields['fields']]
    blank = torch.zeros(CAMERA.height, CAMERA.width)
    frame = PredictedFrame(blank, blank, CAMERA, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, '')
    settings = AlignmentSettings(source='points')
    reading = SensorReading.fixed(SimpleNamespace(**fields), BODY)
    measured = SOURCES['points'].measure(frame, reading, settings)
    known = measured.inverse_depth.isfinite().numpy()
    assert known.mean() > 0.99
    np.testing.assert_allclose(measured.inverse_depth.numpy()[known], 1 / depth[known], rtol=1e-3)
    del fields['fields'][1]
    with pytest.raises(PointsError, match='has x, z; x, y and z are needed'):
        SOURCES['points'].measure(
            frame, SensorReading.fixed(SimpleNamespace(**fields), BODY), settings
        )

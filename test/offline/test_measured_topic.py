"""Points of a bag measure its images: types of fields, moments, damage, frames."""

from pathlib import Path

import numpy as np
import pytest
from recordings import CAMERA, START_NS, camera_bag, cloud, depth, image, stamp
from rosbags.rosbag2 import StoragePlugin

from mono_depth_ros.core.errors import (
    AlignmentError,
    CalibrationError,
    MonoDepthError,
    PointsError,
    RecordingError,
)
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sensor_pose import parse_pose
from mono_depth_ros.core.scale.stereo_matching import MatchingSettings
from mono_depth_ros.offline.bags import Bag
from mono_depth_ros.offline.images import ImageFrame, ReadingSettings
from mono_depth_ros.offline.measured_topic import MeasuredTopic
from mono_depth_ros.offline.topic_observer import topic_observer

READING = ReadingSettings()
MATCHING = MatchingSettings(num_disparities=16)
POSE = '0 -0.2 -0.1 0.5 -0.5 0.5 0.5'
MS = 1_000_000


def wall(depth_m: float, pose: str = POSE) -> np.ndarray:
    """Return points of a wall, every fourth pixel, in the frame of the sensor."""
    x, y = CAMERA.rays().numpy()
    points = np.stack((x, y, np.ones_like(x)), axis=-1)[::4, ::4].reshape(-1, 3) * depth_m
    placed = parse_pose(pose)
    return (points - placed.position) @ placed.rotation


def frame(i: int, ms: float = 0.0) -> ImageFrame:
    rgb = np.zeros((48, 64, 3), np.uint8)
    return ImageFrame(rgb, stamp(i) + round(ms * MS), frame_id='camera')


def begun(path: Path, topic: str = '', **alignment: object) -> MeasuredTopic:
    settings = AlignmentSettings(
        **{'source': 'points', 'sensor_pose': POSE, **alignment},
    )
    measuring = MeasuredTopic('', topic, MATCHING, READING, settings)
    measuring.begin(path)
    return measuring


def measured_depth(measuring: MeasuredTopic, path: Path, i: int, ms: float = 0.0) -> float | None:
    """Return the depth [m] of the wall that measures an image, None if nothing does."""
    observed = measuring.observe(path, frame(i, ms), CAMERA)
    if observed is None:
        return None
    known = observed.inverse_depth[observed.inverse_depth.isfinite()]
    assert len(known) == 12 * 16
    assert float(known.max() - known.min()) < 0.02 * float(known.mean())
    return 1 / float(known.median())


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_points_of_any_type_are_found_by_the_type_of_their_topic(
    tmp_path: Path, storage: StoragePlugin
) -> None:
    nothing = np.full((24, 3), np.nan)
    clouds = [
        cloud(stamp(0), wall(2.0)),
        cloud(stamp(1), wall(3.0), 'f8'),
        cloud(stamp(2), wall(4.0), big_endian=True, rows=12),
        cloud(stamp(3), np.concatenate((nothing, wall(5.0))), 'f8', big_endian=True),
    ]
    path = camera_bag(tmp_path / 'bag', 4, storage, **{'lidar/points': clouds})
    measuring = begun(path)
    assert measuring.is_projected
    for i in range(4):
        assert measured_depth(measuring, path, i) == pytest.approx(2.0 + i, rel=1e-3)
    assert measuring.note() == ''


def test_the_nearest_moment_counts_within_the_tolerance(tmp_path: Path) -> None:
    late = {0: 4, 1: -15, 2: 60, 3: 19}
    clouds = [cloud(stamp(i) + ms * MS, wall(2.0 + i)) for i, ms in late.items()]
    path = camera_bag(tmp_path / 'bag', 5, points=clouds)
    measuring = begun(path)
    assert measured_depth(measuring, path, 0) == pytest.approx(2.0, rel=1e-3)
    assert measured_depth(measuring, path, 1) == pytest.approx(3.0, rel=1e-3)
    assert measured_depth(measuring, path, 2) is None
    assert 'the nearest is 0.060 s away, and alignment.stamp_tolerance is 0.02' in (
        measuring.doubts()
    )
    assert measured_depth(measuring, path, 3) == pytest.approx(5.0, rel=1e-3)
    assert measuring.doubts() == ''
    # With more tolerance, a cloud still belongs to the nearest image alone.
    wide = begun(path, stamp_tolerance=0.1)
    assert [measured_depth(wide, path, i) is None for i in (2, 3)] == [True, False]
    assert wide.doubts() == ''
    assert measured_depth(wide, path, 4) is None
    assert f'belongs to the image at {stamp(3) / 1e9:.6f} s' in wide.doubts()


def test_time_that_jumps_back_finds_what_was_recorded_after_the_jump(tmp_path: Path) -> None:
    rounds = [(10 * i, 2.0 + i) for i in range(4)] + [(10 * i, 7.0 + i) for i in range(4)]
    clouds, images = [], []
    for k, (i, depth_m) in enumerate(rounds):
        kind, _, raw = cloud(stamp(i), wall(depth_m))
        clouds.append((kind, stamp(k), raw))
        kind, _, raw = image(i, np.zeros((48, 64, 3), np.uint8), 'rgb8')
        images.append((kind, stamp(k), raw))
    path = camera_bag(tmp_path / 'bag', 1, points=clouds, other=images)
    measuring = MeasuredTopic(
        '/other', '', MATCHING, READING, AlignmentSettings(source='points', sensor_pose=POSE)
    )
    measuring.begin(path)
    for i, depth_m in rounds:
        assert measured_depth(measuring, path, i) == pytest.approx(depth_m, rel=1e-3)


def test_images_recorded_out_of_order_cost_no_other_measurement(tmp_path: Path) -> None:
    clouds = [cloud(stamp(i), wall(2.0 + i)) for i in range(5)]
    path = camera_bag(tmp_path / 'bag', 5, points=clouds)
    measuring = begun(path)
    assert measured_depth(measuring, path, 2) == pytest.approx(4.0, rel=1e-3)
    measured_depth(measuring, path, 1)
    assert measured_depth(measuring, path, 3) == pytest.approx(5.0, rel=1e-3)
    assert measured_depth(measuring, path, 4) == pytest.approx(6.0, rel=1e-3)


@pytest.mark.parametrize('stray_ns', [0, START_NS + 10**17])
@pytest.mark.parametrize('where', [0, 2])
def test_a_stamp_that_is_damaged_hides_no_other_cloud(
    tmp_path: Path, stray_ns: int, where: int
) -> None:
    clouds = []
    for i in range(5):
        kind, _, raw = cloud(stray_ns if i == where else stamp(i), wall(2.0 + i))
        clouds.append((kind, stamp(i), raw))
    path = camera_bag(tmp_path / 'bag', 5, points=clouds)
    measuring = begun(path)
    for i in range(5):
        found = measured_depth(measuring, path, i)
        assert found == (None if i == where else pytest.approx(2.0 + i, rel=1e-3))
    if stray_ns or where:
        assert measuring.note() == '/points: messages whose stamps are out of line: 1'


def test_damaged_clouds_are_errors_of_their_own_frame(tmp_path: Path) -> None:
    whole = cloud(stamp(5), wall(7.0))
    clouds = [
        cloud(stamp(0), wall(2.0), cut=40),
        cloud(stamp(1), wall(3.0), names='xyq'),
        cloud(stamp(2), np.zeros((0, 3))),
        cloud(stamp(3), np.full((50, 3), np.nan)),
        (whole[0], stamp(4), cloud(stamp(4), wall(6.0))[2][:200]),
        whole,
    ]
    path = camera_bag(tmp_path / 'bag', 6, points=clouds)
    measuring = begun(path)
    for i, (kind, reason) in enumerate(
        [
            (PointsError, 'and 3224 bytes; these are 3264 bytes'),
            (PointsError, 'a cloud has x, y, q; x, y and z are needed'),
            (AlignmentError, 'none of 0 points has an echo'),
            (AlignmentError, 'none of 0 points has an echo'),
            (RecordingError, r'is damaged or no sensor_msgs/msg/PointCloud2'),
        ]
    ):
        with pytest.raises(kind, match=reason):
            measuring.observe(path, frame(i), CAMERA)
    assert measured_depth(measuring, path, 5) == pytest.approx(7.0, rel=1e-3)


def test_any_damage_to_a_cloud_is_an_error_of_ours(tmp_path: Path) -> None:
    raw = cloud(stamp(0), wall(2.0))[2]
    random = np.random.default_rng(0)
    clouds = []
    for i in range(150):
        damaged = bytearray(raw[: int(random.integers(12, len(raw)))] if i % 3 == 0 else raw)
        for place in random.integers(12, min(180, len(damaged)) if i % 2 else len(damaged), 4):
            damaged[place] = int(random.integers(256))
        damaged[:12] = cloud(stamp(i), wall(2.0))[2][:12]
        clouds.append(('sensor_msgs/msg/PointCloud2', stamp(i), bytes(damaged)))
    path = camera_bag(tmp_path / 'bag', 1, points=clouds)
    measuring, refused = begun(path), 0
    for i in range(150):
        try:
            measuring.observe(path, frame(i), CAMERA)
        except MonoDepthError:
            refused += 1
    assert refused > 50


def test_several_topics_of_points_are_named(tmp_path: Path) -> None:
    clouds = [cloud(stamp(0), wall(2.0))]
    path = camera_bag(tmp_path / 'bag', 1, a=clouds, b=clouds)
    with pytest.raises(RecordingError, match=r'several topics of clouds of points, .* /a .* /b '):
        begun(path)
    assert measured_depth(begun(path, '/b'), path, 0) == pytest.approx(2.0, rel=1e-3)
    with pytest.raises(RecordingError, match='has no topic of disparity images'):
        begun(path, source='disparity')


def test_points_in_another_frame_without_a_pose_are_noted(tmp_path: Path) -> None:
    identity = '0 0 0 0 0 0 1'
    clouds = [cloud(stamp(0), wall(2.0, identity))]
    path = camera_bag(tmp_path / 'bag', 1, points=clouds)
    measuring = begun(path, sensor_pose=identity)
    assert measured_depth(measuring, path, 0) == pytest.approx(2.0, rel=1e-3)
    assert "points are in frame 'lidar', images in 'camera'" in measuring.note()


def test_points_without_a_pose_or_a_camera_are_refused(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag', 1, points=[cloud(stamp(0), wall(2.0))])
    with pytest.raises(CalibrationError, match='nothing tells where their sensor is'):
        topic_observer(Bag(path), '/cam/image_raw', '/points', MATCHING, READING)
    with pytest.raises(CalibrationError, match='a measurement needs a calibration of the image'):
        begun(path).observe(path, frame(0), None)


def test_registered_depth_is_found_by_its_type_too(tmp_path: Path) -> None:
    depths = [image(i, depth(i), '32FC1') for i in range(2)]
    path = camera_bag(tmp_path / 'bag', 2, **{'cam/depth': depths})
    measuring = begun(path, source='depth')
    assert not measuring.is_projected
    observed = measuring.observe(path, frame(1), CAMERA)
    np.testing.assert_allclose(observed.inverse_depth.numpy(), 0.5)

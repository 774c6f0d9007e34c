"""Sensors of a bag are placed by its own transforms, and several measure its images together."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recordings import CAMERA, camera_bag, cloud, stamp

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import TransformError
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sensor_reading import SensorReading
from mono_depth_ros.core.scale.stereo_matching import MatchingSettings
from mono_depth_ros.offline.bag_transforms import BagTransforms
from mono_depth_ros.offline.bag_writer import header
from mono_depth_ros.offline.bags import LASER_SCAN, RANGE, Bag, typestore
from mono_depth_ros.offline.images import ImageFrame, ReadingSettings
from mono_depth_ros.offline.measured_topic import MeasuredTopic

TF = 'tf2_msgs/msg/TFMessage'
LASER = RigidTransform.of((0.0, 0.2, 0.0), (0.5, -0.5, 0.5, 0.5))
"""0.2 m below the camera, x ahead, z up."""
WALL_M = 2.0


def message(kind: str, stamp_ns: int, frame_id: str, **fields: Any) -> tuple[str, int, bytes]:
    found = typestore().types[kind](header=header(stamp_ns, frame_id), **fields)
    return kind, stamp_ns, bytes(typestore().serialize_cdr(found, kind))


def scan(i: int, late_ns: int = 0) -> tuple[str, int, bytes]:
    """Return a scan of a wall across the view."""
    angles = np.linspace(-0.4, 0.4, 81)
    return message(
        LASER_SCAN,
        stamp(i) + late_ns,
        'laser',
        angle_min=-0.4,
        angle_max=0.4,
        angle_increment=0.01,
        time_increment=0.0,
        scan_time=0.0,
        range_min=0.1,
        range_max=10.0,
        ranges=(WALL_M / np.cos(angles)).astype(np.float32),
        intensities=np.zeros(0, np.float32),
    )


def sonar(i: int, range_m: float) -> tuple[str, int, bytes]:
    return message(
        RANGE,
        stamp(i),
        'laser',
        radiation_type=0,
        field_of_view=0.2,
        min_range=0.02,
        max_range=4.0,
        range=range_m,
        variance=0.0,
    )


def transform(
    parent: str, child: str, stamp_ns: int, pose: RigidTransform
) -> tuple[str, int, bytes]:
    types = typestore().types
    stamped = types['geometry_msgs/msg/TransformStamped'](
        header=header(stamp_ns, parent),
        child_frame_id=child,
        transform=types['geometry_msgs/msg/Transform'](
            translation=types['geometry_msgs/msg/Vector3'](*pose.position.tolist()),
            rotation=types['geometry_msgs/msg/Quaternion'](*pose.quaternion.tolist()),
        ),
    )
    return TF, stamp_ns, bytes(typestore().serialize_cdr(types[TF]([stamped]), TF))


MOUNT = [transform('camera', 'laser', stamp(0), LASER)]


def measuring(path: Path, source: str, **alignment: object) -> MeasuredTopic:
    settings = AlignmentSettings(**{'source': source, **alignment})
    found = MeasuredTopic(
        '', '', MatchingSettings(num_disparities=16), ReadingSettings(), settings
    )
    found.begin(path)
    return found


def frame(i: int) -> ImageFrame:
    rgb = np.zeros((48, 64, 3), np.uint8)
    return ImageFrame(rgb, stamp(i), frame_id='camera', logged_ns=stamp(i))


def test_a_scan_is_placed_by_the_static_transform_of_its_bag(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag', 2, scan=[scan(0), scan(1)], tf_static=MOUNT)
    sensor = measuring(path, 'scan')
    assert sensor.is_projected
    observed = sensor.observe(path, frame(1), CAMERA)
    v, u = np.nonzero(observed.inverse_depth.isfinite().numpy())
    assert len(u) > 10
    assert set(v) <= {29, 30}, 'at 23.5 + 60 * 0.2 / 2 = 29.5'
    assert 1 / observed.inverse_depth[v[0], u[0]] == pytest.approx(WALL_M, rel=1e-3)
    assert 'as if the robot stood still' in sensor.note()
    still = measuring(path, 'scan', fixed_frame='')
    still.observe(path, frame(1), CAMERA)
    assert still.note() == ''


def test_what_moved_meanwhile_is_moved_by_the_transforms_of_the_bag(tmp_path: Path) -> None:
    """The robot drives at 1 m/s toward a wall, 2 m away 0.04 s before an image."""
    steps = [
        transform('odom', 'camera', stamp(i), RigidTransform.of((0, 0, 0.1 * i), (0, 0, 0, 1)))
        for i in range(6)
    ]
    path = camera_bag(tmp_path / 'bag', 6, scan=[scan(2, 60_000_000)], tf_static=MOUNT, tf=steps)
    sensor = measuring(path, 'scan', stamp_tolerance=0.05)
    observed = sensor.observe(path, frame(3), CAMERA).inverse_depth
    depth = observed[observed.isfinite()].reciprocal()
    assert float(depth.median()) == pytest.approx(WALL_M - 0.04, rel=1e-3)
    assert sensor.note() == ''


def test_time_that_jumps_back_forgets_what_moved(tmp_path: Path) -> None:
    there, here = (RigidTransform.of((x, 0, 0), (0, 0, 0, 1)) for x in (5, 1))
    late = [transform('odom', 'camera', stamp(300 + i), there) for i in range(2)]
    early = [
        (kind, stamp(400 + i), raw)
        for i, (kind, _, raw) in enumerate(
            transform('odom', 'camera', stamp(i), here) for i in range(2)
        )
    ]
    bag = Bag(camera_bag(tmp_path / 'bag', 1, tf=late + early))
    frames = BagTransforms(bag)
    frames.read_to(stamp(301))
    assert frames.lookup('odom', 'camera', stamp(300)).position[0] == 5
    frames.read_to(stamp(401))
    assert frames.lookup('odom', 'camera', stamp(1)).position[0] == 1
    with pytest.raises(TransformError, match='and not at'):
        frames.lookup('odom', 'camera', stamp(300))


def test_a_laser_that_nothing_places_is_refused(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag', 1, scan=[scan(0)])
    with pytest.raises(TransformError, match='give --sensor-pose'):
        measuring(path, 'scan').observe(path, frame(0), CAMERA)
    by_hand = measuring(path, 'scan', sensor_pose='0 0.2 0 0.5 -0.5 0.5 0.5')
    assert by_hand.observe(path, frame(0), CAMERA) is not None


def test_a_range_waits_for_the_prediction(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'bag', 1, range=[sonar(0, 1.5)], tf_static=MOUNT)
    reading = measuring(path, 'range').observe(path, frame(0), CAMERA)
    assert isinstance(reading, SensorReading)
    assert reading.message.range == pytest.approx(1.5)
    np.testing.assert_allclose(reading.pose_at(0.0).position, LASER.position, atol=1e-12)


def test_two_topics_of_a_bag_measure_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = CAMERA.rays().numpy()
    points = np.stack((x, y, np.ones_like(x)), axis=-1)[::3, ::3].reshape(-1, 3)
    points = points * (WALL_M + 0.5 * points[:, :1])
    seen = (points - LASER.position) @ LASER.rotation
    path = camera_bag(
        tmp_path / 'bag',
        2,
        scan=[scan(0), scan(1)],
        points=[cloud(stamp(i), seen, frame_id='laser') for i in range(2)],
        tf_static=MOUNT,
    )
    common = ['--set', 'encoder=tiny', '--set', 'alignment.max_residual=10.0']
    common += ['--set', 'alignment.max_uncertainty=10.0', '--formats', 'npy']
    for k, both in enumerate(
        (
            ['--set', 'alignment.source=scan,points'],
            ['--measured-topic', '/scan, /points'],
        )
    ):
        out = tmp_path / f'out{k}'
        assert main(['estimate', str(path), '-o', str(out), *common, *both]) == 0
        (first, *_) = sorted(out.rglob('*_depth.npy'))
        assert math.isfinite(float(np.nanmedian(np.load(first))))
    twice = ['--measured-topic', '/scan,/scan']
    assert main(['estimate', str(path), '-o', str(tmp_path / 'no'), *common, *twice]) == 1
    assert 'which both are scan' in capsys.readouterr().err

"""`mono_depth evaluate` on images: their depth is estimated on the way, as `estimate` does."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Writer

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.scale.sensor_pose import parse_pose
from mono_depth_ros.offline.bag_writer import camera_info_message, header, image_message
from mono_depth_ros.offline.bags import CAMERA_INFO, IMAGE, POINT_CLOUD, typestore
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'
POSE = '0 -0.2 -0.1 0.5 -0.5 0.5 0.5'
CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
BASELINE_M = 0.1
TINY = ('--encoder', 'tiny', '--variant', 'relative', '--device', 'cpu')
SEEN = (*TINY, '--fov', '75')
VIEWS = 2
START_NS = 1_700_000_000_000_000_000

pytestmark = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason='needs the weights of encoder tiny in the package'
)


@pytest.fixture(scope='module')
def views() -> list[StereoFrame]:
    drive = Drive(1)
    rig = StereoRig(CAMERA, BASELINE_M)
    return [rig.capture(drive.scene, drive.pose_at(k), seed=k) for k in range(VIEWS)]


@pytest.fixture(scope='module')
def rides(views: list[StereoFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the views with what measures them; the truth has names that differ."""
    folder = tmp_path_factory.mktemp('rides')
    for name in ('left', 'right', 'truth', 'scan', 'sparse'):
        (folder / name).mkdir()
    for k, view in enumerate(views):
        depth = view.depth.numpy()
        cv2.imwrite(str(folder / f'left/{k:03}.png'), view.left.numpy()[..., ::-1])
        cv2.imwrite(str(folder / f'right/{k:03}.png'), view.right.numpy()[..., ::-1])
        np.save(folder / f'truth/depth_{k}.npy', depth)
        write_ply(folder / f'scan/{k:03}.ply', scan(depth).astype(np.float32))
        sparse = np.zeros_like(depth)
        sparse[::4] = np.nan_to_num(depth[::4])
        np.save(folder / f'sparse/{k:03}.npy', sparse)
    return folder


def scan(depth: np.ndarray) -> np.ndarray:
    """Return points of every fourth row, in the frame of the sensor."""
    x, y = CAMERA.rays().numpy()
    points = np.stack((x * depth, y * depth, depth), axis=-1)[::4].reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)]
    pose = parse_pose(POSE)
    return (points - pose.position) @ pose.rotation


def evaluated(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    path = tmp_path / 'result.json'
    status = main(['evaluate', *map(str, arguments), '--json', str(path)])
    return status, json.loads(path.read_text())


def abs_rel(result: dict[str, Any], kind: str = 'none') -> float:
    return float(result['mean'][kind]['abs_rel'])


def test_without_a_scale_predictions_are_relative(rides: Path, tmp_path: Path) -> None:
    status, result = evaluated(tmp_path, rides / 'left', rides / 'truth', *TINY)
    assert status == 0
    assert result['asked']['quantity'] == 'relative_inverse_depth'
    assert [frame['name'] for frame in result['frames']] == ['0', '1']
    assert 0.05 < abs_rel(result, 'scale_shift') < 0.5


@pytest.mark.parametrize(
    ('measured', 'most'),
    [
        (('--points', 'scan', '--sensor-pose', POSE), 0.08),
        (('--measured-depth', 'sparse'), 0.08),
        (('--right', 'right', '--baseline', BASELINE_M, '--num-disparities', 32), 0.2),
    ],
)
def test_each_source_gives_meters(
    rides: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    measured: tuple[object, ...],
    most: float,
) -> None:
    monkeypatch.chdir(rides)
    errors = {}
    for model in ('global', 'fused'):
        arguments = ('left', 'truth', *SEEN, *measured, '--model', model)
        status, result = evaluated(tmp_path, *arguments)
        assert status == 0
        assert result['asked']['quantity'] == 'depth'
        assert 'f_score_10cm' in result['mean']['none']
        errors[model] = abs_rel(result)
    assert errors['fused'] < most
    assert errors['fused'] < errors['global']


def test_depth_is_that_of_estimate(rides: Path, tmp_path: Path) -> None:
    arguments = (*SEEN, '--points', rides / 'scan', '--sensor-pose', POSE)
    output = ('-o', tmp_path / 'out', '--formats', 'npy')
    assert main(['estimate', str(rides / 'left'), *map(str, (*arguments, *output))]) == 0
    _, stored = evaluated(tmp_path, tmp_path / 'out', rides / 'truth')
    _, estimated = evaluated(tmp_path, rides / 'left', rides / 'truth', *arguments)
    for one, other in zip(estimated['frames'], stored['frames'], strict=True):
        assert one['name'] == other['name']
        assert one['none']['abs_rel'] == other['none']['abs_rel']


def point_cloud(stamp_ns: int, points: np.ndarray) -> Any:
    types = typestore().types
    fields = [
        types['sensor_msgs/msg/PointField'](name=name, offset=8 * k, datatype=8, count=1)
        for k, name in enumerate('xyz')
    ]
    data = points.astype('<f8').view(np.uint8).ravel()
    size = (1, len(points), fields, False, 24, 24 * len(points))
    return types[POINT_CLOUD](header(stamp_ns, 'lidar'), *size, data, True)


def test_a_bag_is_measured_by_its_clouds(
    views: list[StereoFrame], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {'/image_raw': IMAGE, '/camera_info': CAMERA_INFO, '/points': POINT_CLOUD}
    kinds['/truth/depth'] = IMAGE
    with Writer(tmp_path / 'ride', version=9) as writer:
        to = {
            topic: writer.add_connection(topic, kind, typestore=typestore())
            for topic, kind in kinds.items()
        }
        for k, view in enumerate((*views, views[0])):
            stamp = START_NS + k * 100_000_000
            head, depth = header(stamp, 'camera'), view.depth.numpy()
            cloud = point_cloud(stamp + 7_000_000, scan(depth))
            if k == VIEWS:
                cloud.data = cloud.data[:100]
            raw = bytes(typestore().serialize_cdr(cloud, POINT_CLOUD))
            writer.write(to['/camera_info'], stamp, camera_info_message(CAMERA, head))
            left = view.left.numpy()
            writer.write(to['/image_raw'], stamp, image_message(left, 'rgb8', head))
            writer.write(to['/points'], stamp, raw)
            writer.write(to['/truth/depth'], stamp, image_message(depth, '32FC1', head))
    bag = tmp_path / 'ride'
    arguments = (*TINY, '--set', 'alignment.source=points', '--sensor-pose', POSE)
    status, result = evaluated(tmp_path, bag, bag, *arguments)
    assert status == 1
    assert len(result['frames']) == VIEWS
    (failed,) = result['failed']
    assert 'bytes; these are' in failed['reason']
    assert abs_rel(result) < 0.08
    assert 'f_score_10cm' in result['mean']['none']
    capsys.readouterr()
    named = (*TINY, '--measured-topic', '/points', '--model', 'global')
    status, result = evaluated(tmp_path, bag, bag, *named, '--sensor-pose', POSE)
    assert status == 1
    assert 0.03 < abs_rel(result) < 0.5


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (('--points', 'none.ply', *SEEN), 'none.ply does not exist'),
        (('--points', 'scan', '--measured-topic', '/t', *SEEN), '--points is for pictures and'),
        (('--points', 'scan', *TINY), 'needs a calibration of the image: give --calibration'),
        (('--measured-topic', '/points', *TINY), '--measured-topic is for bags alone'),
        (('--set', 'alignment.source=points', *TINY), 'no argument names its measurements'),
        (('--right', 'right', *SEEN), 'need --baseline'),
    ],
)
def test_what_is_wrong_is_named(
    rides: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    reason: str,
) -> None:
    monkeypatch.chdir(rides)
    assert main(['evaluate', 'left', 'truth', *arguments]) == 1
    assert reason in capsys.readouterr().err

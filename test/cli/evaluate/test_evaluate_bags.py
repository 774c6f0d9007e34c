"""Depth topics of bags as truth and as prediction, matched by their stamps."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from mono_depth_ros.cli.main import main

STORE = get_typestore(Stores.ROS2_JAZZY)
START_NS = 1_600_000_000_000_000_000
TRUTH = 1 + np.arange(48, dtype=np.float32).reshape(6, 8) / 10


def header(stamp_ns: int) -> Any:
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    time = STORE.types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    return STORE.types['std_msgs/msg/Header'](stamp=time, frame_id='camera')


def depth_image(stamp_ns: int, depth: np.ndarray) -> Any:
    height, width = depth.shape
    return STORE.types['sensor_msgs/msg/Image'](
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding='32FC1',
        is_bigendian=0,
        step=4 * width,
        data=depth.astype('<f4').view(np.uint8).ravel(),
    )


def write_bag(path: Path, topics: dict[str, dict[int, np.ndarray]]) -> Path:
    """Write depth images by topic and milliseconds since the start."""
    with Writer(path, version=9) as writer:
        for topic, images in topics.items():
            kind = 'sensor_msgs/msg/Image'
            connection = writer.add_connection(topic, kind, typestore=STORE)
            for ms, depth in images.items():
                stamp = START_NS + ms * 1_000_000
                raw = STORE.serialize_cdr(depth_image(stamp, depth), kind)
                writer.write(connection, stamp, raw)
    return path


def camera_info(width: int, height: int, focal_px: float) -> Any:
    k = np.array([focal_px, 0, (width - 1) / 2, 0, focal_px, (height - 1) / 2, 0, 0, 1])
    return STORE.types['sensor_msgs/msg/CameraInfo'](
        header=header(START_NS),
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=k,
        r=np.eye(3).ravel(),
        p=np.pad(k.reshape(3, 3), ((0, 0), (0, 1))).ravel(),
        binning_x=0,
        binning_y=0,
        roi=STORE.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False),
    )


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    images = {0: TRUTH, 100: 2 * TRUTH, 200: 3 * TRUTH}
    return write_bag(tmp_path / 'truth', {'/camera/depth/image_rect': images})


def evaluated(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    path = tmp_path / 'result.json'
    status = main(['evaluate', *map(str, arguments), '--json', str(path)])
    return status, json.loads(path.read_text())


def test_bag_against_bag(truth: Path, tmp_path: Path) -> None:
    late = {15: 1.1 * TRUTH, 120: 2 * TRUTH, 221: TRUTH}
    predictions = write_bag(tmp_path / 'mine', {'/mono_depth/depth/image_rect': late})
    status, result = evaluated(tmp_path, predictions, truth)
    assert status == 0
    names = [frame['name'] for frame in result['frames']]
    assert names == ['1600000000.000000000', '1600000000.100000000']
    errors = [frame['none']['abs_rel'] for frame in result['frames']]
    assert errors == pytest.approx([0.1, 0], abs=1e-6)


def test_the_camera_of_the_truth_is_that_of_its_bag(tmp_path: Path) -> None:
    wall = np.full((60, 80), 2.0, np.float32)
    bag = write_bag(tmp_path / 'wall', {'/camera/depth/image_rect': {0: wall}})
    _, without = evaluated(tmp_path, bag, bag)
    assert 'f_score_10cm' in without['not_measured']
    kind = 'sensor_msgs/msg/CameraInfo'
    with Writer(tmp_path / 'calibrated', version=9) as writer:
        images, infos = (
            writer.add_connection(f'/camera/depth/{name}', message, typestore=STORE)
            for name, message in (('image_rect', 'sensor_msgs/msg/Image'), ('camera_info', kind))
        )
        for connection, message in (
            (infos, camera_info(80, 60, 70.0)),
            (images, depth_image(START_NS, wall)),
        ):
            raw = STORE.serialize_cdr(message, connection.msgtype)
            writer.write(connection, START_NS, raw)
    calibrated = tmp_path / 'calibrated'
    _, result = evaluated(tmp_path, calibrated, calibrated)
    assert result['mean']['none']['f_score_10cm'] == 1
    predictions = write_bag(tmp_path / 'mine', {'/depth': {0: 1.075 * wall}})
    _, result = evaluated(tmp_path, predictions, calibrated)
    assert result['mean']['none']['f_score_10cm'] == 0
    assert result['mean']['none']['f_score_20cm'] == 1


def test_files_named_by_stamps_against_a_bag(truth: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'predictions' / 'drive'
    folder.mkdir(parents=True)
    for ms, factor in ((0, 1.1), (100, 2.4), (200, 3.9)):
        np.save(folder / f'1600000000_{ms:03}000000_depth.npy', factor * TRUTH)
    _, result = evaluated(tmp_path, folder.parent, truth)
    errors = [frame['none']['abs_rel'] for frame in result['frames']]
    assert errors == pytest.approx([0.1, 0.2, 0.3], abs=1e-6)


def test_names_of_estimate_say_the_quantity(truth: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'predictions'
    folder.mkdir()
    name = '1600000000_000000000_relative_inverse_depth.npy'
    np.save(folder / name, 40 / TRUTH - 1)
    _, result = evaluated(tmp_path, folder, truth)
    assert result['asked']['quantity'] == 'relative_inverse_depth'
    assert result['mean']['scale_shift']['abs_rel'] == pytest.approx(0, abs=1e-6)


def test_several_topics_are_named(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = write_bag(tmp_path / 'both', {'/a/depth': {0: TRUTH}, '/b/depth': {0: 2 * TRUTH}})
    assert main(['evaluate', str(both), str(truth)]) == 1
    assert '/a/depth' in capsys.readouterr().err
    _, result = evaluated(tmp_path, both, truth, '--topic', '/b/depth')
    assert result['mean']['none']['abs_rel'] == pytest.approx(1)
    _, result = evaluated(tmp_path, both, both, '--topic', '/b/depth', '--truth-topic', '/a/depth')
    assert result['mean']['none']['abs_rel'] == pytest.approx(1)


def test_truncated_truth_gives_what_came_before(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {ms: np.random.default_rng(ms).uniform(1, 2, (60, 80)) for ms in range(0, 4000, 100)}
    bag = write_bag(tmp_path / 'many', {'/depth': many})
    status, whole = evaluated(tmp_path, bag, bag)
    assert (status, len(whole['frames'])) == (0, 40)
    (file,) = bag.glob('*.db3')
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert main(['evaluate', str(truth), str(bag)]) == 1
    assert 'many' in capsys.readouterr().err


def test_depth_of_another_view_is_refused(
    shared_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / '1600000000_000000000_depth.npy', np.ones((480, 640)))
    bag = shared_dir / 'data/bags/realsense'
    assert main(['evaluate', str(tmp_path), str(bag)]) == 1
    errors = capsys.readouterr().err
    assert 'another field of view' in errors
    assert 'register the depth to /camera/color/image_raw first' in errors

"""`mono_depth calibrate` as a user calls it, in a simulated room whose truth is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from mono_depth_ros import MonoDepth, PinholeCamera
from mono_depth_ros.cli.calibrate.calibration_report import parameter_file
from mono_depth_ros.cli.main import main
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

STORE = get_typestore(Stores.ROS2_JAZZY)
CAMERA = PinholeCamera(320, 240, 250.0, 250.0, 159.5, 119.5)
BASELINE_M = 0.12
RIG = ('--focal', CAMERA.fx, '--baseline', BASELINE_M)
START_NS = 1_600_000_000_000_000_000


@pytest.fixture(scope='module', autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def room() -> list[StereoFrame]:
    """Return four pairs along a drive."""
    drive = Drive(seed=2)
    rig = StereoRig(CAMERA, BASELINE_M)
    return [rig.capture(drive.scene, drive.pose_at(3.0 + 0.5 * i), seed=i) for i in range(4)]


@pytest.fixture
def pictures(room: list[StereoFrame], tmp_path: Path) -> tuple[Path, Path]:
    """Return folders of left and of right pictures with the same names."""
    for side in ('left', 'right'):
        (tmp_path / side).mkdir()
        for i, pair in enumerate(room):
            pixels = getattr(pair, side).numpy()
            cv2.imwrite(str(tmp_path / side / f'{i}.png'), pixels[..., ::-1])
    return tmp_path / 'left', tmp_path / 'right'


def calibrated(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    path = tmp_path / 'new' / 'parameters.yaml'
    command = [
        'calibrate',
        *map(str, arguments),
        '--encoder',
        'tiny',
        '--variant',
        'relative',
        '-o',
        str(path),
    ]
    status = main(command)
    return status, yaml.safe_load(path.read_text())['/**']['ros__parameters']


def error_of(parameters: dict[str, Any], pair: StereoFrame) -> float:
    """Return the median relative error of depth with the parameters found."""
    mono = MonoDepth('tiny', scale=parameters['scale'], shift=parameters['shift'])
    truth = pair.depth.numpy()
    return float(np.nanmedian(np.abs(mono(pair.left).depth - truth) / truth))


def test_tape_measurements(
    pictures: tuple[Path, Path], room: list[StereoFrame], tmp_path: Path
) -> None:
    picture, truth = pictures[0] / '0.png', room[0].depth
    places = [(u, v) for u in (40, 160, 280) for v in (60, 140, 220)]
    at = [part for u, v in places for part in ('--at', f'{u},{v}={float(truth[v, u]):.3f}')]
    status, parameters = calibrated(tmp_path, picture, *at)
    assert status == 0
    assert parameters.keys() == {'encoder', 'variant', 'scale', 'shift'}
    assert (parameters['encoder'], parameters['variant']) == ('tiny', 'relative')
    assert error_of(parameters, room[0]) < 0.1

    rays = CAMERA.rays()
    straight = [
        part
        for u, v in places
        for part in (
            '--at',
            f'{u},{v}={float(truth[v, u] * (1 + rays[:, v, u].square().sum()).sqrt()):.3f}',
        )
    ]
    _, same = calibrated(tmp_path, picture, *straight, '--straight', '--focal', CAMERA.fx)
    assert same['scale'] == pytest.approx(parameters['scale'], rel=0.01)
    assert same['shift'] == pytest.approx(parameters['shift'], abs=0.003)


def test_stereo_pairs(
    pictures: tuple[Path, Path],
    room: list[StereoFrame],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    left, right = pictures
    status, parameters = calibrated(tmp_path, left, '--right', right, *RIG)
    assert status == 0
    output = capsys.readouterr().out
    assert '4 looked at: median error' in output
    assert 'error if left out' in output
    assert 'params_file:=' in output
    assert np.mean([error_of(parameters, pair) for pair in room]) < 0.12


def test_a_pair_that_cannot_be_used_costs_itself(
    pictures: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = pictures
    (right / '1.png').write_bytes(b'')
    (right / '2.png').unlink()
    status, _ = calibrated(tmp_path, left, '--right', right, *RIG)
    assert status == 0
    printed = capsys.readouterr()
    assert '2 looked at' in printed.out
    assert 'mono_depth calibrate: 1: ' in printed.err
    assert 'mono_depth calibrate: 2: ' in printed.err


def test_disparity_maps(
    pictures: tuple[Path, Path], room: list[StereoFrame], tmp_path: Path
) -> None:
    maps = tmp_path / 'maps'
    maps.mkdir()
    for i, pair in enumerate(room):
        np.save(maps / f'{i}.npy', pair.disparity.numpy())
    _, parameters = calibrated(tmp_path, pictures[0], '--disparity', maps, *RIG)
    assert np.mean([error_of(parameters, pair) for pair in room]) < 0.12


def message(kind: str, **fields: Any) -> Any:
    return STORE.types[kind](**fields)


def header(ms: int) -> Any:
    stamp = START_NS + ms * 1_000_000
    time = message('builtin_interfaces/msg/Time', sec=stamp // 10**9, nanosec=stamp % 10**9)
    return message('std_msgs/msg/Header', stamp=time, frame_id='left_camera')


def image(ms: int, encoding: str, pixels: np.ndarray) -> Any:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
    return message(
        'sensor_msgs/msg/Image',
        header=header(ms),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=data.size // height,
        data=data,
    )


def camera_info(ms: int, tx: float = 0.0) -> Any:
    f, cx, cy = CAMERA.fx, CAMERA.cx, CAMERA.cy
    roi = message(
        'sensor_msgs/msg/RegionOfInterest',
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False,
    )  # fmt: skip
    return message(
        'sensor_msgs/msg/CameraInfo',
        header=header(ms),
        height=240,
        width=320,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([f, 0, cx, 0, f, cy, 0, 0, 1.0]),
        r=np.eye(3).ravel(),
        p=np.array([f, 0, cx, tx, 0, f, cy, 0, 0, 0, 1.0, 0]),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


def disparity_image(ms: int, disparity: np.ndarray) -> Any:
    roi = camera_info(ms).roi
    return message(
        'stereo_msgs/msg/DisparityImage',
        header=header(ms),
        image=image(ms, '32FC1', disparity.astype(np.float32)),
        f=CAMERA.fx,
        t=BASELINE_M,
        valid_window=roi,
        min_disparity=0.0,
        max_disparity=64.0,
        delta_d=1 / 16,
    )


@pytest.fixture
def bag(room: list[StereoFrame], tmp_path: Path) -> Path:
    """Return a bag of both cameras, matched disparity, and depth that comes 5 ms late."""
    kinds = {
        '/left/image_rect': 'sensor_msgs/msg/Image',
        '/left/camera_info': 'sensor_msgs/msg/CameraInfo',
        '/right/image_rect': 'sensor_msgs/msg/Image',
        '/right/camera_info': 'sensor_msgs/msg/CameraInfo',
        '/disparity': 'stereo_msgs/msg/DisparityImage',
        '/registered/depth': 'sensor_msgs/msg/Image',
    }
    path = tmp_path / 'drive'
    with Writer(path, version=9) as writer:
        topics = {t: writer.add_connection(t, kind, typestore=STORE) for t, kind in kinds.items()}
        for i, pair in enumerate(room):
            ms = 200 * i
            disparity = match_disparity(pair.left, pair.right).nan_to_num(-1).numpy()
            written = (
                image(ms, 'rgb8', pair.left.numpy()),
                camera_info(ms),
                image(ms, 'rgb8', pair.right.numpy()),
                camera_info(ms, -CAMERA.fx * BASELINE_M),
                disparity_image(ms, disparity),
                image(ms + 5, '32FC1', pair.depth.numpy()),
            )
            for (topic, connection), msg in zip(topics.items(), written, strict=True):
                raw = STORE.serialize_cdr(msg, kinds[topic])
                writer.write(connection, START_NS + ms * 1_000_000, raw)
    return path


@pytest.mark.parametrize('measured', ['/disparity', '/registered/depth', '/right/image_rect'])
def test_bag(
    bag: Path,
    room: list[StereoFrame],
    tmp_path: Path,
    measured: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = ('--topic', '/left/image_rect', '--measured-topic', measured)
    status, parameters = calibrated(tmp_path, bag, *chosen)
    assert status == 0
    assert '4 looked at' in capsys.readouterr().out
    assert np.mean([error_of(parameters, pair) for pair in room]) < 0.12
    _, fewer = calibrated(tmp_path, bag, *chosen, '--views', 2)
    assert '2 looked at' in capsys.readouterr().out
    assert fewer['scale'] == pytest.approx(parameters['scale'], rel=0.5)


def test_disparity_of_a_bag_is_found_alone(bag: Path, tmp_path: Path) -> None:
    _, found = calibrated(tmp_path, bag, '--topic', '/left/image_rect')
    named = ('--topic', '/left/image_rect', '--measured-topic', '/disparity')
    assert calibrated(tmp_path, bag, *named)[1] == found


def test_scale_in_pixels_of_disparity(tmp_path: Path) -> None:
    """A prediction p meant disparity 25 p + 3 px: the depth of both must be one."""
    given = ('--scale-disparity', 25, '--shift-disparity', 3, '--focal', 500, '--baseline', 0.12)
    _, parameters = calibrated(tmp_path, *given)
    for p in (0.5, 2.0, 7.0):
        expected = 500 * 0.12 / (25 * p + 3)
        found = 1 / (parameters['scale'] * p + parameters['shift'])
        assert found == pytest.approx(expected, rel=1e-5)


def test_conversion_is_for_relative_networks(capsys: pytest.CaptureFixture[str]) -> None:
    given = ['calibrate', '--scale-disparity', '25', '--focal', '500', '--baseline', '0.12']
    assert main(given) == 0
    text = capsys.readouterr().out
    assert yaml.safe_load(text)['/**']['ros__parameters']['variant'] == 'relative'
    assert 'disparity = 25.0 px * prediction' in text
    assert main([*given, '--variant', 'metric_indoor']) == 1
    assert 'belong to a relative network' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        ((), 'one thing gives the scale'),
        (('LEFT/0.png',), 'one thing gives the scale'),
        (('LEFT/0.png', '--at', '9,9=2'), '1 measurement; a relative network needs two'),
        (('LEFT', '--at', '9,9=2'), 'is not one picture'),
        (('LEFT/0.png', 'LEFT/1.png', '--at', '9,9=2'), 'one picture at a time'),
        (('LEFT/0.png', '--at', '999,9=2', '--at', '9,9=1'), 'outside of the picture'),
        (('LEFT/0.png', '--at', '9,9=2', '--at', '9,99=1', '--straight'), 'give --fov'),
        (('LEFT/9.png', '--at', '9,9=2', '--at', '9,99=1'), 'does not exist'),
        (('LEFT', '--right', 'LEFT', *RIG), 'no view could be used'),
        (('LEFT', '--right', 'RIGHT'), 'need --baseline'),
        (('LEFT', '--right', 'RIGHT', '--straight', *RIG), '--straight is about --at'),
        (('--scale-disparity', '25'), 'needs --focal'),
        (('--scale-disparity', '25', 'LEFT/0.png', *RIG), 'looks at nothing else'),
        (('--scale-disparity', '-25', *RIG), 'scale is -0.83'),
    ],
)
def test_what_does_not_determine_it(
    pictures: tuple[Path, Path],
    arguments: tuple[object, ...],
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    left, right = map(str, pictures)
    named = [str(a).replace('LEFT', left).replace('RIGHT', right) for a in arguments]
    assert main(['calibrate', '--encoder', 'tiny', '--variant', 'relative', *named]) == 1
    errors = capsys.readouterr().err
    assert reason in errors
    assert 'Traceback' not in errors


def test_bag_without_measurements_names_what_there_is(
    shared_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bags = shared_dir / 'data/bags'
    bag = str(bags / 'motorcycle_stereo')
    left = ('--topic', '/stereo/left/image_rect_color')
    assert main(['calibrate', '--encoder', 'tiny', '--variant', 'relative', bag, *left]) == 1
    assert '--measured-topic RIGHT, out of /stereo/left' in capsys.readouterr().err
    right = ('--measured-topic', '/stereo/right/image_rect_color')
    assert (
        main(['calibrate', '--encoder', 'tiny', '--variant', 'relative', bag, *left, *right]) == 0
    )
    assert (
        main(['calibrate', '--encoder', 'tiny', '--variant', 'relative', str(bags / 'realsense')])
        == 1
    )
    assert 'register the depth' in capsys.readouterr().err


def test_numbers_in_the_file_are_floats_to_ros() -> None:
    values = {'scale': 25.0, 'shift': 0.0, 'depth_scale': 1.23456789e-7, 'input_size': 266}
    text = parameter_file(
        {'encoder': 'vits', 'rectify': True, 'checkpoint': '/a b: c', **values}, ()
    )
    found = yaml.safe_load(text)['/**']['ros__parameters']
    assert found == {
        'encoder': 'vits', 'rectify': True, 'checkpoint': '/a b: c',
        'scale': 25.0, 'shift': 0.0, 'depth_scale': 1.23457e-7, 'input_size': 266,
    }  # fmt: skip
    assert 'e-' not in text
    assert isinstance(found['scale'], float)

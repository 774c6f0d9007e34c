"""`mono_depth estimate` as a user runs it, on pictures, a video, bags and what is broken."""

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from plyfile import PlyData

from mono_depth_ros.cli.estimate_arguments import (
    add_arguments,
    image_reading,
    is_metric,
    offline_settings,
)
from mono_depth_ros.cli.main import main
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoRig

WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'
TINY = ['--encoder', 'tiny', '--variant', 'relative', '--device', 'cpu']
BOUND_S = 240.0
STEREO = ['--right', 'p000.png', '--baseline', '0.1', '--focal', '100']
GROUND = ['--set', 'alignment.source=ground', '--set', 'alignment.camera_height=0.4']

pytestmark = pytest.mark.skipif(
    not WEIGHTS.is_file(), reason='needs the weights of encoder tiny in the package'
)


def noise(seed: int, height: int = 96, width: int = 128) -> np.ndarray:
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        cv2.imwrite(str(folder / f'p{i:03d}.png'), noise(i))
    return folder


def write_video(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (128, 96))
    for i in range(frames):
        writer.write(noise(i))
    writer.release()
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())


def estimate(*arguments: object) -> int:
    return main(['estimate', *map(str, arguments), *TINY])


def test_a_folder_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = write_pictures(tmp_path / 'in', 3), tmp_path / 'out'
    assert estimate(folder, '-o', out, '--scale', 0.5, '--fov', 60, '--preview') == 0
    kinds = ('colormap.png', 'depth.npy', 'points.ply', 'points.png')
    assert files(out) == [f'p{i:03d}_{kind}' for i in range(3) for kind in kinds]
    depth = np.load(out / 'p001_depth.npy')
    assert (depth.dtype, depth.shape) == (np.float32, (96, 128))
    assert f'3 written to {out}' in capsys.readouterr().out


def test_no_meters_are_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = write_pictures(tmp_path / 'in', 1), tmp_path / 'out'
    assert estimate(folder, '-o', out, '--fov', 60) == 0
    assert files(out) == ['p000_colormap.png', 'p000_relative_inverse_depth.npy']
    error = capsys.readouterr().err
    assert error.count('depth in meters is not known') == 1
    assert '--scale' in error
    assert estimate(folder, '-o', out, '--fov', 60, '--formats', 'npy,ply') == 1
    assert 'ply need meters' in capsys.readouterr().err


def test_parameters_of_the_node_count(tmp_path: Path) -> None:
    folder, out = write_pictures(tmp_path / 'in', 1), tmp_path / 'out'
    params = tmp_path / 'mine.yaml'
    params.write_text('/**:\n  ros__parameters:\n    scale: 0.5\n    output_scale: 0.25\n')
    assert estimate(folder, '-o', out, '--params-file', params, '--set', 'max_depth=50') == 0
    assert np.load(out / 'p000_depth.npy').shape == (24, 32)
    assert estimate(folder, '-o', out, '--set', 'output_scale=7') == 1
    assert estimate(folder, '-o', out, '--depth-scale', 2) == 1


def test_bad_input_is_counted_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = write_pictures(tmp_path / 'in', 2), tmp_path / 'out'
    (folder / 'zero.png').touch()
    (folder / 'text.jpg').write_text('no picture')
    cv2.imwrite(str(folder / 'one.png'), np.zeros((1, 1, 3), np.uint8))
    whole = write_video(tmp_path / 'clip.avi', 30).read_bytes()
    (folder / 'cut.avi').write_bytes(whole[: len(whole) // 2])
    (folder / 'zero.mp4').touch()
    (folder / 'torn.mcap').write_bytes(b'\x89MCAP0\r\n' + bytes(99))
    absent = tmp_path / 'absent.png'
    assert estimate(folder, absent, '-o', out, '--scale', 0.5) == 7
    output = capsys.readouterr()
    assert ', 7 failed' in output.out
    for name in ('zero.png', 'text.jpg', 'one.png', 'cut.avi', 'zero.mp4', 'torn.mcap', 'absent'):
        assert sum(name in line for line in output.err.splitlines()) == 1, name
    assert {'p000_depth.npy', 'p001_depth.npy', 'cut_depth.mp4'} <= set(files(out))


def test_a_video_becomes_a_video(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / 'clip.avi', 7), tmp_path / 'out'
    assert estimate(clip, '-o', out) == 0
    assert files(out) == ['clip_depth.mp4']
    capture = cv2.VideoCapture(str(out / 'clip_depth.mp4'))
    assert (capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)) == (7, 10)
    ok, frame = capture.read()
    assert ok
    assert frame.shape == (96, 128, 3)
    assert frame.std() > 5


def test_shards_together_are_the_whole(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / 'in', 5)
    for shard in ('1/2', '2/2'):
        assert estimate(folder, '-o', tmp_path / 'out', '--shard', shard, '--scale', 0.5) == 0
    assert estimate(folder, '-o', tmp_path / 'whole', '--scale', 0.5) == 0
    assert files(tmp_path / 'out') == files(tmp_path / 'whole')
    for name in files(tmp_path / 'whole'):
        whole = (tmp_path / 'whole' / name).read_bytes()
        assert (tmp_path / 'out' / name).read_bytes() == whole


@pytest.mark.parametrize('shard', ['0/2', '3/2', '1', 'a/b', '-1/2'])
def test_what_is_no_shard(shard: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        estimate(tmp_path, '-o', tmp_path / 'out', f'--shard={shard}')
    assert exit_.value.code == 2


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['--right', 'p000.png'], 'need --baseline'),
        (['--right', 'p000.png', '--baseline', '0.1'], 'need --focal or --calibration'),
        (['--disparity', 'none.png', '--baseline', '0.1'], 'none.png does not exist'),
        (['--calibration', 'none.yaml'], 'none.yaml cannot be read'),
        (['--set', 'nonsense=1'], 'nonsense is no parameter'),
        (['--set', 'alignment.source=disparity'], 'no argument names its measurements'),
        (['--set', 'alignment.source=depth'], 'no argument names its measurements'),
        (['--set', 'alignment.source=ground'], 'set the height of the camera'),
        ([*STEREO, *GROUND], 'alignment.source is ground, and an argument names'),
        ([*STEREO, '--set', 'alignment.source=depth'], 'alignment.source is depth, and an arg'),
        ([*STEREO, '--set', 'alignment.source=none'], 'alignment.source is none'),
        (['--set', 'alignment.source=points'], 'no argument names its measurements'),
        (['--points', 'none.ply'], 'none.ply does not exist'),
        (['--points', 'p000.png', '--measured-topic', '/t'], '--points is for pictures and --mea'),
        (['--points', 'p000.png', '--sensor-pose', '1 2 3'], 'give seven numbers'),
        (['--points', 'p000.png', *GROUND], 'alignment.source is ground, and an argument names'),
        ([*GROUND, '--set', 'alignment.camera_pitch_from=imu'], 'needs a running graph'),
        (['--measured-topic', '/disparity'], '--measured-topic is for bags alone'),
        (['--params-file', 'none.yaml'], 'none.yaml cannot be read'),
        (['--output', 'p001.png'], 'cannot write to p001.png'),
    ],
)
def test_what_is_wrong_is_named_before_anything_starts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(write_pictures(tmp_path / 'in', 2))
    assert estimate('p000.png', '-o', tmp_path / 'out', *arguments) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / 'out').exists() or not files(tmp_path / 'out')


def test_the_source_of_scale_is_what_was_set(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def settings(measured: tuple[str, ...], *arguments: object) -> AlignmentSettings:
        args = parser.parse_args(['a.png', '-o', 'out', *map(str, arguments), *TINY])
        chosen = offline_settings(args, measured)
        assert is_metric(chosen) == (chosen.pipeline.alignment.source != 'none')
        return chosen.pipeline.alignment

    params = tmp_path / 'node.yaml'
    params.write_text("/**:\n  ros__parameters:\n    alignment:\n      source: 'none'\n")
    assert settings(()).source == 'none'
    assert settings(('disparity',)).source == 'disparity'
    assert settings(('depth',), '--params-file', params).source == 'depth'
    ground = settings((), *GROUND, '--params-file', params)
    assert (ground.source, ground.camera_height) == ('ground', 0.4)
    both = ('--set', 'alignment.source=ground, depth', *GROUND[2:])
    assert settings(('depth',), *both).sources == ('depth', 'ground')


def test_the_floor_gives_the_scale(tmp_path: Path) -> None:
    camera = PinholeCamera(320, 240, 250.0, 250.0, 159.5, 119.5)
    drive = Drive(seed=2)
    pose = drive.pose_at(3.0)
    view = StereoRig(camera, 0.12).capture(drive.scene, pose, seed=0)
    cv2.imwrite(str(tmp_path / 'room.png'), view.left.numpy()[..., ::-1])
    floor = {
        'source': 'ground',
        'camera_height': float(pose.position[2]),
        'camera_pitch': math.asin(-float(pose.rotation[2, 2])),
    }
    flags = [part for name in floor for part in ('--set', f'alignment.{name}={floor[name]}')]
    files = ['--focal', 250, '--formats', 'npy', '-o', tmp_path / 'out']
    assert estimate(tmp_path / 'room.png', *files, *flags) == 0
    depth, truth = np.load(tmp_path / 'out' / 'room_depth.npy'), view.depth.numpy()
    assert np.nanmedian(np.abs(depth - truth) / truth) < 0.15


def test_points_of_a_lidar_give_the_scale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = PinholeCamera(320, 240, 250.0, 250.0, 159.5, 119.5)
    drive = Drive(seed=2)
    view = StereoRig(camera, 0.12).capture(drive.scene, drive.pose_at(3.0), seed=0)
    cv2.imwrite(str(tmp_path / 'room.png'), view.left.numpy()[..., ::-1])
    x, y = camera.rays().numpy() * view.depth.numpy()
    # 0.1 m above the camera, x forward, y left, z up.
    of_sensor = np.stack((view.depth.numpy(), -x, -(y + 0.1)), axis=-1)[::8, ::2]
    write_ply(tmp_path / 'scan.ply', of_sensor)
    files = ['--focal', 250, '--formats', 'npy', '-o', tmp_path / 'out']
    pose = ['--sensor-pose', '0 -0.1 0 0.5 -0.5 0.5 0.5']
    assert estimate(tmp_path / 'room.png', *files, '--points', tmp_path / 'scan.ply', *pose) == 0
    depth, truth = np.load(tmp_path / 'out' / 'room_depth.npy'), view.depth.numpy()
    assert np.nanmedian(np.abs(depth - truth) / truth) < 0.15
    # A folder is searched for a file of the picture's name.
    assert estimate(tmp_path / 'room.png', *files, '--points', tmp_path, *pose) == 1
    assert 'holds no points for room.png: room with .ply, .pcd, .bin' in capsys.readouterr().err
    (tmp_path / 'room.pcd').write_bytes(b'# .PCD v0.7\nFIELDS x y z\n')
    assert estimate(tmp_path / 'room.png', *files, '--points', tmp_path, *pose) == 1
    assert 'room.pcd: it has no line DATA' in capsys.readouterr().err


def test_one_right_picture_is_not_for_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_pictures(tmp_path / 'in', 2)
    stereo = ['--right', folder / 'p000.png', '--baseline', 0.1, '--focal', 100]
    assert estimate(folder, '-o', tmp_path / 'out', *stereo) == 1
    assert 'belongs to one picture, and there are 2' in capsys.readouterr().err


def start(*arguments: object) -> 'subprocess.Popen[str]':
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get('PYTHONPATH'))))
    return subprocess.Popen(
        [sys.executable, '-m', 'mono_depth_ros.cli.main', 'estimate', *map(str, arguments), *TINY],
        env={**os.environ, 'PYTHONPATH': path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(folder: Path, pattern: str, process: 'subprocess.Popen[str]') -> None:
    deadline = time.monotonic() + BOUND_S
    while not any(folder.rglob(pattern)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize('ending', [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_complete_files_and_resume_goes_on(
    tmp_path: Path, ending: signal.Signals
) -> None:
    folder, out = write_pictures(tmp_path / 'in', 300), tmp_path / 'out'
    arguments = [folder, '-o', out, '--scale', 0.5, '--formats', 'npy,png']
    process = start(*arguments)
    wait_for(out, '*_depth.png', process)
    process.send_signal(ending)
    output, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 130, output
    assert 'Traceback' not in output
    assert 'stopped' in output
    left = files(out)
    assert 0 < len(left) < 600
    for name in left:
        array = np.load(out / name) if name.endswith('.npy') else cv2.imread(str(out / name), -1)
        assert array.shape == (96, 128)
    ages = {name: (out / name).stat().st_mtime_ns for name in left}
    complete = [n for n in ages if n.endswith('.png')]
    # A handful is enough to see that it goes on.
    for path in sorted(folder.iterdir())[len(complete) + 3 :]:
        path.unlink()
    assert estimate(*arguments, '--resume') == 0
    assert len(files(out)) == 2 * (len(complete) + 3)
    assert all((out / name).stat().st_mtime_ns == ages[name] for name in complete)


def test_a_video_that_was_stopped_goes_on(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / 'clip.avi', 200), tmp_path / 'out'
    process = start(clip, '-o', out)
    wait_for(out, '000003@*.jpg', process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 130, output
    assert not (out / 'clip_depth.mp4').exists()
    waiting = len(files(out))
    assert 3 <= waiting < 200
    process = start(clip, '-o', out, '--resume')
    output, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 0, output
    assert f'{200 - waiting} written' in output
    assert f'{waiting} there already' in output
    assert files(out) == ['clip_depth.mp4']
    capture = cv2.VideoCapture(str(out / 'clip_depth.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 200


def test_the_tutorials_whole_path_in_one_command(shared_dir: Path, tmp_path: Path) -> None:
    pair = shared_dir / 'data' / 'stereo' / 'motorcycle'
    stereo = ['--baseline', 0.193001, '--focal', 994.978, '--doffs', 31.086]
    left, right = pair / 'left.png', pair / 'right.png'
    truth = 994.978 * 0.193001 / (np.load(pair / 'disp.npz')['arr_0'] + 31.086)

    def abs_rel(*measured: object) -> float:
        assert estimate(left, *measured, *stereo, '-o', tmp_path, '--formats', 'npy,ply') == 0
        depth = np.load(tmp_path / 'left_depth.npy')
        known = np.isfinite(depth) & (truth > 0)  # infinite disparity is unknown too
        assert known.mean() > 0.7
        return float(np.mean(np.abs(depth - truth)[known] / truth[known]))

    disparity = tmp_path / 'disparity.npy'
    np.save(disparity, np.load(pair / 'disp.npz')['arr_0'])
    by_truth = abs_rel('--disparity', disparity)
    by_matching = abs_rel('--right', right)
    # A constant scores 0.218 after the best fit.
    assert by_truth < 0.01  # measured pixels are published as measured
    assert by_matching < 0.05
    vertices = PlyData.read(str(tmp_path / 'left_points.ply'))['vertex']
    assert 2 < np.median(vertices['z']) < 5


def test_real_bags(shared_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bags = shared_dir / 'data' / 'bags'
    arguments = ['-o', tmp_path, '--scale', 0.5, '--formats', 'bag,npy,ply']
    assert estimate(bags / 'realsense', *arguments) == 0
    assert 'realsense/1600000000_000000000_points.ply' in files(tmp_path)
    assert estimate(bags / 'motorcycle_stereo', *arguments) == 1
    assert '/stereo/right/image_rect_color' in capsys.readouterr().err
    topic = ['--topic', '/stereo/left/image_rect_color']
    assert estimate(bags / 'motorcycle_stereo', *arguments, *topic) == 0
    assert '5 written' in capsys.readouterr().out


def test_limits_of_pictures_are_arguments_and_parameters() -> None:
    for given, expected in (
        ((), (128_000_000, 0)),
        (('--max-pixels', '1000', '--bit-depth', '12'), (1000, 12)),
        (('--set', 'max_pixels=2000', '-p', 'bit_depth=10'), (2000, 10)),
    ):
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        args = parser.parse_args(['a.png', '-o', 'out', *given])
        for settings in (image_reading(args), offline_settings(args, ()).pipeline):
            assert (settings.max_pixels, settings.bit_depth) == expected

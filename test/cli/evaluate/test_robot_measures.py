"""What a robot's user looks at, as the command prints and writes it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.files.file_writers import write_ply

FOV_DEG = 70
HEIGHT_M = 0.5
CAMERA = PinholeCamera.from_fov(160, 120, FOV_DEG)
X, Y = (plane.double().numpy() for plane in CAMERA.rays())
BOX = (X > -0.3) & (X < 0.3) & (Y > -0.1) & (Y < 0.2)
"""2 m away, on a level floor before a wall at 6 m."""
LEVEL = ('--fov', FOV_DEG, '--camera-height', HEIGHT_M, '--align', 'none')
PLACE = '0 0 0.5 -0.5 0.5 -0.5 0.5'
"""Looking along x, 0.5 m above the floor."""


def room(with_box: bool) -> np.ndarray:
    with np.errstate(divide='ignore'):
        depth = np.minimum(np.where(Y > 0, HEIGHT_M / Y, np.inf), 6.0)
    return np.where(BOX, 2.0, depth) if with_box else depth


def evaluated(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    path = tmp_path / 'result.json'
    assert main(['evaluate', *map(str, arguments), '--json', str(path)]) == 0
    result: dict[str, Any] = json.loads(path.read_text())
    return result


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return a prediction that misses the box, and the truth."""
    np.save(tmp_path / 'mine.npy', room(False))
    np.save(tmp_path / 'truth.npy', room(True))
    return tmp_path / 'mine.npy', tmp_path / 'truth.npy'


def test_all_measures(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = evaluated(tmp_path, *files, *LEVEL, '--costmap')['mean']['none']
    assert none['obstacles_found'] == none['costmap_recall'] == none['costmap_lethal'] == 0
    assert none['costmap_true'] > 20
    assert none['false_cells'] == 0
    assert 0 < none['f_score_10cm'] < none['f_score_20cm'] < 1
    assert none['f_score_10cm_recall'] < 1
    assert none['median_error_0_2'] == 0
    assert none['median_error_2_5'] > 0.1
    perfect = evaluated(tmp_path, files[1], files[1], *LEVEL, '--costmap')['mean']['none']
    for name in ('obstacles_found', 'f_score_10cm', 'costmap_precision', 'costmap_recall'):
        assert perfect[name] == 1, name
    output = capsys.readouterr().out
    for row in (
        *('error 5-10 m [m]', 'F-score 0.1 m', 'obstacles found'),
        *('false cells', 'lethal cells right', 'true cells found'),
    ):
        assert row in output
    assert 'not measured: lethal cells right: no cell is lethal' in output


def test_what_is_not_known_is_absent_with_a_reason(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = evaluated(tmp_path, *files)
    assert {'f_score_10cm', 'f_score_20cm', 'false_cells'} == set(result['not_measured'])
    assert 'f_score_10cm' not in result['mean']['none']
    assert result['mean']['none']['obstacles_found'] == 0, 'found by rows'
    output = capsys.readouterr().out
    assert 'the camera is not known; give --calibration, --fov or --focal' in output
    result = evaluated(tmp_path, *files, '--fov', FOV_DEG)
    assert set(result['not_measured']) == {'false_cells'}
    assert '--camera-height' in result['not_measured']['false_cells']
    assert 'quarter of the rows above the middle' in capsys.readouterr().out
    np.save(tmp_path / 'near.npy', np.full((120, 160), 1.5))
    near = (tmp_path / 'near.npy',) * 2
    result = evaluated(tmp_path, *near, *LEVEL)
    assert result['not_measured'] == {
        'median_error_2_5': 'no pixel is known there',
        'median_error_5_10': 'no pixel is known there',
        'false_cells': 'the truth sees no free floor within obstacle_max_range',
    }


def test_a_calibration_of_another_aspect_is_the_reason(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    def calibrated(height: int) -> Path:
        k = [CAMERA.fx, 0, CAMERA.cx, 0, CAMERA.fy, (height - 1) / 2, 0, 0, 1]
        content = {
            'image_width': CAMERA.width,
            'image_height': height,
            'camera_matrix': {'data': k},
            'distortion_model': 'plumb_bob',
            'distortion_coefficients': {'data': [0] * 5},
        }
        path = tmp_path / 'camera.yaml'
        path.write_text(yaml.safe_dump(content))
        return path

    given = (*files, '--camera-height', HEIGHT_M, '--calibration')
    assert evaluated(tmp_path, *given, calibrated(CAMERA.height))['not_measured'] == {}
    reasons = evaluated(tmp_path, *given, calibrated(80))['not_measured']
    assert 'another aspect ratio' in reasons['f_score_10cm']


def test_a_cloud_as_truth(files: tuple[Path, Path], tmp_path: Path) -> None:
    z = room(True)
    points = np.stack((X * z, Y * z, z), axis=-1).reshape(-1, 3).astype(np.float32)
    clouds = tmp_path / 'clouds'
    clouds.mkdir()
    write_ply(clouds / 'truth_points.ply', points)
    for truth in (clouds, clouds / 'truth_points.ply'):
        none = evaluated(tmp_path, files[0], truth, *LEVEL)['mean']['none']
        assert none['obstacles_found'] == 0
        assert none['n'] == 160 * 120
    good = evaluated(tmp_path, files[1], clouds, *LEVEL)['mean']['none']
    assert good['f_score_10cm'] == good['obstacles_found'] == 1
    assert good['abs_rel'] == pytest.approx(0, abs=1e-6)


def test_a_cloud_needs_a_camera(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ply(tmp_path / 'truth.ply', np.ones((4, 3), np.float32))
    assert main(['evaluate', str(files[0]), str(tmp_path / 'truth.ply')]) == 1
    assert 'give --calibration, --fov or --focal' in capsys.readouterr().err


def test_one_costmap_for_a_drive(tmp_path: Path) -> None:
    """A box that is imagined in the first frame is cleared by the second."""
    for folder in ('mine', 'truth'):
        (tmp_path / folder).mkdir()
    for second in (10, 11):
        name = f'10000000{second}.50.npy'
        np.save(tmp_path / 'mine' / name, room(with_box=second == 10))
        np.save(tmp_path / 'truth' / name, room(with_box=False))
    poses = tmp_path / 'poses.txt'
    poses.write_text(f'# stamp pose\n1000000010.51 {PLACE}\n1000000011.5 {PLACE} # again\n')
    given = (tmp_path / 'mine', tmp_path / 'truth', '--fov', FOV_DEG, '--costmap')
    result = evaluated(tmp_path, *given, '--align', 'none', '--poses', poses)
    assert result['mean']['none']['costmap_lethal'] == 0
    assert 'costmap_lethal' not in result['frames'][0]['none']
    apart = evaluated(tmp_path, *given, '--align', 'none', '--camera-height', HEIGHT_M)
    assert apart['mean']['none']['costmap_precision'] == 0
    assert apart['frames'][0]['none']['costmap_lethal'] > 20
    poses.write_text(f'1000000010.5 {PLACE}\n1000000011.53 {PLACE}\n')
    path = tmp_path / 'result.json'
    arguments = [*given, '--poses', poses, '--json', path]
    assert main(['evaluate', *map(str, arguments)]) == 1
    (failure,) = json.loads(path.read_text())['failed']
    assert failure['reason'] == 'the nearest pose is 0.03 s away'


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('1 2 3', "has the line '1 2 3'; a line is: stamp"),
        (f'a {PLACE}', 'qx qy qz qw'),
        ('1 0 0 0 0 0 0 0', 'qx qy qz qw'),
        ('1 0 0 nan 0 0 0 1', 'qx qy qz qw'),
        (f'1 {PLACE} 5', 'qx qy qz qw'),
        ('# nothing', 'holds no pose'),
    ],
)
def test_bad_poses_are_refused(
    files: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    line: str,
    reason: str,
) -> None:
    poses = tmp_path / 'poses.txt'
    poses.write_text(line + '\n')
    assert main(['evaluate', *map(str, files), '--poses', str(poses)]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (('--costmap',), 'give --camera-height'),
        (('--camera-height', 1, '--poses', 'x.txt'), 'leave one'),
        (('--poses', '/nowhere/x.txt'), 'cannot be read'),
        (('--costmap', *LEVEL, '--min-obstacle-height', 3), 'raise max_obstacle_height'),
        (('--camera-pitch', math.pi / 2, *LEVEL), 'below pi/2'),
    ],
)
def test_contradictions_are_refused(
    files: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[object, ...],
    reason: str,
) -> None:
    assert main(['evaluate', *map(str, files), *map(str, arguments)]) == 1
    assert reason in capsys.readouterr().err

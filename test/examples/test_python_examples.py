"""Examples of the Python API, run as a user runs them and held to what is known."""

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from plyfile import PlyData

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'
LENS, BASELINE_M = PinholeCamera.from_fov(320, 240, 75), 0.1


def run(name: str, *arguments: object) -> str:
    """Run an example and return what it prints."""
    command = [sys.executable, ROOT / 'examples' / name, *arguments]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get('PYTHONPATH'))))
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_pair(folder: Path) -> StereoFrame:
    """Write left.png and right.png of a view in a simulated room."""
    drive = Drive(1)
    frame = StereoRig(LENS, BASELINE_M).capture(drive.scene, drive.pose_at(2.0))
    for name, image in (('left', frame.left), ('right', frame.right)):
        cv2.imwrite(str(folder / f'{name}.png'), image.numpy()[..., ::-1])
    return frame


@pytest.mark.skipif(not WEIGHTS.is_file(), reason='needs the weights of encoder tiny')
def test_a_fused_pair_knows_more_than_stereo_and_is_as_good(tmp_path: Path) -> None:
    frame = write_pair(tmp_path)
    paths = [tmp_path / 'left.png', tmp_path / 'right.png']
    camera = ('--focal', LENS.fx, '--baseline', BASELINE_M)
    said = run('stereo_pair.py', *paths, *camera, '-o', tmp_path / 'out')
    truth = frame.depth.numpy()
    alone, fused = (np.load(tmp_path / 'out' / f'{name}.npy') for name in ('stereo', 'fused'))
    assert np.isfinite(fused).mean() > 0.9 > np.isfinite(alone).mean()
    error = np.nanmedian(abs(fused - truth) / truth)
    assert error < 0.1
    assert f'fused: {np.isfinite(fused).mean():.0%}' in said
    vertices = PlyData.read(str(tmp_path / 'out' / 'fused.ply'))['vertex']
    assert len(vertices) == np.isfinite(fused).sum()


@pytest.mark.skipif(not WEIGHTS.is_file(), reason='needs the weights of encoder tiny')
def test_the_notebook_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = write_pair(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MPLBACKEND', 'agg')
    notebook = json.loads((ROOT / 'examples' / 'stereo_pair.ipynb').read_text())
    first, *cells = [''.join(c['source']) for c in notebook['cells'] if c['cell_type'] == 'code']
    assert all(cell.get('outputs', []) == [] for cell in notebook['cells'])
    names: dict[str, Any] = {}
    exec(first, names)
    names |= {'FOCAL_PX': LENS.fx, 'BASELINE_M': BASELINE_M}
    for cell in cells:
        exec(compile(cell, 'stereo_pair.ipynb', 'exec'), names)
    truth = frame.depth.numpy()
    assert np.nanmedian(abs(names['fused'].depth - truth) / truth) < 0.1
    assert len(PlyData.read('cloud.ply')['vertex']) == len(names['fused'].points)
    assert 'a relative network gives no meters' in capsys.readouterr().out


def test_a_network_of_ones_own_says_what_it_says(tmp_path: Path) -> None:
    for name in ('onnx', 'onnxruntime'):
        pytest.importorskip(name, reason=f'{name} is not installed here')
    picture = tmp_path / 'picture.png'
    pixels = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    cv2.imwrite(str(picture), cv2.GaussianBlur(pixels, (0, 0), 2))
    run('own_network.py', picture, '-o', tmp_path / 'out')
    depth = np.load(tmp_path / 'out' / 'depth.npy')
    gray = cv2.imread(str(picture)).mean(2) / 255
    nearness = np.linspace(0, 1, 240)[:, None] + 0.1 * (1 - gray)
    expected = 1 / (0.5 * nearness + 0.1)
    known = np.isfinite(depth)
    assert known.mean() > 0.9
    assert np.abs(depth / expected - 1)[known].max() < 0.01


def test_a_cloud_becomes_a_map_of_obstacles(tmp_path: Path) -> None:
    """A floor from 1 to 4 m ahead and a box on it, seen from 0.8 m above, 0.2 rad down."""
    height, pitch = 0.8, 0.2
    floor = np.mgrid[1.0:4.0:0.02, -1.0:1.0:0.02, 0.0:0.01:1].reshape(3, -1)
    box = np.mgrid[2.0:2.2:0.02, 0.5:0.9:0.02, 0.0:0.5:0.02].reshape(3, -1)
    forward, left, up = np.concatenate((floor, box), axis=1)
    down = height - up
    ahead = np.cos(pitch) * forward + np.sin(pitch) * down
    below = np.cos(pitch) * down - np.sin(pitch) * forward
    cloud = tmp_path / 'view_points.ply'
    write_ply(cloud, np.stack((-left, below, ahead), axis=1).astype(np.float32))
    mount = ('--camera-height', height, '--camera-pitch', pitch)
    run('costmap_of_cloud.py', cloud, *mount, '-o', tmp_path / 'maps')
    grid = cv2.imread(str(tmp_path / 'maps' / 'view_points_map.png'), cv2.IMREAD_GRAYSCALE)[
        ::4, ::4
    ]
    assert grid.shape == (100, 100)
    rows, columns = np.nonzero(grid == 0)
    # 2.0 to 2.2 m ahead is row 60 to 56, 0.5 to 0.9 m to the left column 40 to 32.
    assert (rows.min(), rows.max()) == pytest.approx((56, 59), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((32, 39), abs=1)
    assert (grid[25:75, 35:65] == 255).mean() > 0.9
    assert (grid[:15] == 128).all()
    assert (grid[85:] == 128).all()

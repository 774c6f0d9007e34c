"""`mono_depth view`: what it asks for, its window and its picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.files.file_writers import write_depth_png, write_ply


def wall(path: Path) -> Path:
    """Write a red wall 2 m away."""
    x, y = np.meshgrid(np.linspace(-1, 1, 80), np.linspace(-1, 1, 60))
    red = np.full(x.size, 0x00FF0000, np.uint32).view(np.float32)
    write_ply(
        path, np.column_stack((x.ravel(), y.ravel(), np.full(x.size, 2.0), red)).astype('f4')
    )
    return path


def open3d_works() -> bool:
    try:
        import open3d  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['missing.ply'], 'missing.ply cannot be read'),
        (['depth.png'], 'needs --calibration, --fov or --focal'),
        (['depth.png', '--calibration', 'none.yaml'], 'none.yaml cannot be read'),
        (['depth.png', '--fov', '60', '--color', 'small.png'], 'small.png is (10, 10)'),
        (['empty.npy', '--fov', '60'], 'no depth is known'),
        (['x_relative_inverse_depth.npy', '--fov', '60'], 'has no meters'),
        (['text.jpg', '--fov', '60'], 'none of .npy'),
        (['wall.ply', '--point-size', '0'], 'must be positive'),
        (['wall.ply', '--screenshot', 'a.txt'], 'must be a .png'),
    ],
)
def test_what_cannot_be_shown_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    wall(tmp_path / 'wall.ply')
    write_depth_png(tmp_path / 'depth.png', np.full((60, 80), 2.0, np.float32))
    cv2.imwrite('small.png', np.zeros((10, 10, 3), np.uint8))
    np.save('empty.npy', np.zeros((60, 80), np.float32))
    np.save('x_relative_inverse_depth.npy', np.ones((60, 80), np.float32))
    Path('text.jpg').write_text('no picture')
    assert main(['view', *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith('mono_depth view: ')
    assert reason in error


@pytest.mark.skipif(open3d_works(), reason='tests what is said without Open3D, which is here')
def test_without_open3d_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['view', str(wall(tmp_path / 'wall.ply'))]) == 1
    error = capsys.readouterr().err
    assert 'Open3D is ' in error
    assert '--screenshot FILE and `mono_depth estimate --preview` need no window' in error


@pytest.mark.skipif(not open3d_works(), reason='needs Open3D: pip install open3d')
def test_without_a_display_there_is_no_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    assert main(['view', str(wall(tmp_path / 'wall.ply'))]) == 1
    assert 'there is no display' in capsys.readouterr().err


def test_a_screenshot_needs_neither_open3d_nor_a_display(tmp_path: Path) -> None:
    picture = tmp_path / 'wall.png'
    path = str(wall(tmp_path / 'wall.ply'))
    shares = []
    for size in ('1', '4', '20'):
        arguments = ['view', path, '--screenshot', str(picture), '--point-size', size]
        assert main(arguments) == 0
        blue, green, red = cv2.imread(str(picture)).transpose(2, 0, 1)
        assert not blue.any()
        assert not green.any()
        shares.append(red.mean() / 255)
    assert shares[0] == pytest.approx(4800 / (800 * 600), rel=0.1)
    assert shares[1] == pytest.approx(16 * shares[0], rel=0.1)
    assert shares[2] > 0.6


def test_points_are_two_and_a_half_pixels_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    monkeypatch.setattr(
        'mono_depth_ros.cli.view.show', lambda xyz, rgb, size: sizes.append((len(xyz), size))
    )
    path = wall(tmp_path / 'wall.ply')
    assert main(['view', str(path)]) == 0
    assert main(['view', str(path), '--point-size', '4']) == 0
    assert sizes == [(4800, 2.5), (4800, 4.0)]

"""Files read back by other libraries than wrote them, or byte by byte."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from plyfile import PlyData

from mono_depth_ros.core.files.file_writers import (
    count_beyond_millimeters,
    to_millimeters,
    write_depth_png,
    write_npy,
    write_ply,
)


def packed(red: int, green: int, blue: int) -> float:
    """Return the float32 with the bits 0x00RRGGBB."""
    return np.uint32(red << 16 | green << 8 | blue).view(np.float32)


def test_depth_png_is_millimeters(tmp_path: Path) -> None:
    table = {
        0.0: 0,
        0.0004: 0,
        0.0006: 1,
        1.0: 1000,
        1.2345: 1234,  # half to even
        20.0: 20000,
        65.535: 65535,
        65.536: 0,
        -1.0: 0,
        np.nan: 0,
        np.inf: 0,
        -np.inf: 0,
    }
    depth = np.array([list(table)], np.float32)
    write_depth_png(tmp_path / 'depth.png', depth)
    image = cv2.imread(str(tmp_path / 'depth.png'), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint16
    assert image.tolist() == [list(table.values())]
    assert to_millimeters(depth).tolist() == [list(table.values())]
    assert count_beyond_millimeters(depth) == 1, 'infinity is not a depth'


def test_depth_png_keeps_rows_and_columns(tmp_path: Path) -> None:
    depth = np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1]
    write_depth_png(tmp_path / 'depth.png', depth)
    image = cv2.imread(str(tmp_path / 'depth.png'), cv2.IMREAD_UNCHANGED)
    assert image.tolist() == [[2000, 1000, 0], [5000, 4000, 3000]]


def test_npy_is_exact_and_keeps_its_name(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    array[1, 2] = np.nan
    write_npy(tmp_path / 'depth.of_today', array)
    assert [path.name for path in tmp_path.iterdir()] == ['depth.of_today']
    np.testing.assert_array_equal(np.load(tmp_path / 'depth.of_today'), array)


def test_ply_holds_points_and_colors(tmp_path: Path) -> None:
    nan = np.nan
    points = np.array(
        [
            [1.5, -2.0, 3.25, packed(255, 128, 1)],
            [nan, 0.0, 1.0, packed(1, 2, 3)],
            [0.0, 0.0, nan, packed(1, 2, 3)],
            [0.0, np.inf, 1.0, packed(1, 2, 3)],
            [-1e-3, 1e3, 0.125, packed(0, 0, 255)],
        ],
        np.float32,
    )
    write_ply(tmp_path / 'points.ply', points)
    ply = PlyData.read(tmp_path / 'points.ply')
    assert (ply.text, ply.byte_order) == (False, '<')
    vertices = ply['vertex'].data
    assert vertices.dtype == [
        ('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('red', 'u1'), ('green', 'u1'), ('blue', 'u1')
    ]  # fmt: skip
    assert vertices.tolist() == [
        (1.5, -2.0, 3.25, 255, 128, 1),
        (np.float32(-1e-3), 1e3, 0.125, 0, 0, 255),
    ]


def test_ply_without_colors_of_an_organized_cloud(tmp_path: Path) -> None:
    points = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    points[0, 1, 2] = np.nan
    write_ply(tmp_path / 'points.ply', points)
    vertices = PlyData.read(tmp_path / 'points.ply')['vertex'].data
    assert vertices.dtype.names == ('x', 'y', 'z')
    expected = [(0, 1, 2), (6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17)]
    assert vertices.tolist() == expected


def test_empty_cloud(tmp_path: Path) -> None:
    write_ply(tmp_path / 'points.ply', np.empty((0, 4), np.float32))
    assert len(PlyData.read(tmp_path / 'points.ply')['vertex'].data) == 0


def test_existing_file_is_replaced_at_once(tmp_path: Path) -> None:
    """Whoever has the old file open keeps reading the old one: it is replaced, not rewritten."""
    path = tmp_path / 'points.ply'
    write_ply(path, np.ones((4, 3), np.float32))
    before = path.read_bytes()
    with path.open('rb') as reader:
        write_ply(path, np.zeros((2, 3), np.float32))
        assert reader.read() == before
    assert len(PlyData.read(path)['vertex'].data) == 2


def test_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / 'depth.npy'
    write_npy(path, np.ones(3))
    before = path.read_bytes()
    with pytest.raises(ValueError, match='allow_pickle'):
        write_npy(path, np.array([object()]))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ['depth.npy']


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nowhere'):
        write_npy(tmp_path / 'nowhere' / 'depth.npy', np.ones(3))


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_npy(tmp_path / 'depth.npy', np.ones(3))
    (tmp_path / 'plain').touch()
    modes = {os.stat(entry).st_mode for entry in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize('kind', ['npy', 'ply', 'png'])
def test_a_full_disk_is_called_so_with_the_path(tmp_path: Path, kind: str) -> None:
    """A limit on the size of files is the full disk that a test can have."""
    program = f"""
import resource, sys
from pathlib import Path
import numpy as np
from mono_depth_ros.core.files.file_writers import write_npy, write_picture, write_ply
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
values = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
write = {{'npy': write_npy, 'png': write_picture}}.get({kind!r})
try:
    if write:
        write(Path({str(tmp_path)!r}) / 'a.{kind}', values)
    else:
        write_ply(Path({str(tmp_path)!r}) / 'a.ply', values.astype(np.float32))
except OSError as error:
    print(error.strerror, error.filename)
"""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == f'the disk is full {tmp_path}/a.{kind}\n', done.stderr
    assert list(tmp_path.iterdir()) == []

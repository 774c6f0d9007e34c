"""Clouds in PLY files, and files that hold none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from damage import damaged, outcome

from mono_depth_ros.core.errors import PointsError
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.files.point_files import read_colored_points
from mono_depth_ros.core.outputs.cloud import pack_color

XYZ = np.array([[0, 0, 1], [1, 2, 3], [np.nan, 0, 0]], np.float32)
RGB = np.array([[255, 0, 10], [1, 2, 3], [9, 9, 9]], np.uint8)


def test_colored_points_come_back(tmp_path: Path) -> None:
    packed = pack_color(torch.from_numpy(RGB)).numpy()
    write_ply(tmp_path / 'a.ply', np.column_stack((XYZ, packed)))
    xyz, rgb = read_colored_points(tmp_path / 'a.ply')
    np.testing.assert_array_equal(xyz, XYZ[:2])
    np.testing.assert_array_equal(rgb, RGB[:2])


def test_points_without_color_are_gray(tmp_path: Path) -> None:
    write_ply(tmp_path / 'a.ply', XYZ)
    xyz, rgb = read_colored_points(tmp_path / 'a.ply')
    np.testing.assert_array_equal(xyz, XYZ[:2])
    assert np.unique(rgb).tolist() == [200]


def test_text_clouds_and_colors_as_floats(tmp_path: Path) -> None:
    names = ('x', 'y', 'z', 'red', 'green', 'blue')
    header = ''.join(f'property float {name}\n' for name in names)
    (tmp_path / 'a.ply').write_text(
        f'ply\nformat ascii 1.0\nelement vertex 1\n{header}end_header\n1 2 3 1.0 0.5 0\n'
    )
    xyz, rgb = read_colored_points(tmp_path / 'a.ply')
    assert (xyz.tolist(), rgb.tolist()) == ([[1, 2, 3]], [[255, 128, 0]])


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', 'damaged or no PLY'),
        (b'no cloud', 'damaged or no PLY'),
        (b'ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nend_header\n1\n', 'PLY'),
        (
            b'ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nproperty float y\n'
            b'property float z\nend_header\n',
            'has no points',
        ),
    ],
)
def test_what_is_no_cloud_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / 'a.ply').write_bytes(content)
    with pytest.raises(PointsError, match=reason):
        read_colored_points(tmp_path / 'a.ply')
    with pytest.raises(PointsError, match='cannot be read'):
        read_colored_points(tmp_path / 'missing.ply')


@pytest.mark.parametrize('form', ['ascii', 'binary_little_endian', 'binary_big_endian'])
@pytest.mark.parametrize(
    ('element', 'count'), [('vertex', 10**12), ('vertex', 10**15), ('face', 10**11)]
)
def test_more_rows_than_the_file_holds(
    tmp_path: Path, form: str, element: str, count: int
) -> None:
    floats = ''.join(f'property float {axis}\n' for axis in 'xyz')
    header = f'ply\nformat {form} 1.0\nelement {element} {count}\n{floats}end_header\n'
    (tmp_path / 'a.ply').write_bytes(header.encode() + bytes(36))
    with pytest.raises(PointsError, match=f'states {count} of element {element}'):
        read_colored_points(tmp_path / 'a.ply')


def test_whatever_byte_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / 'a.ply'
    write_ply(path, np.column_stack((XYZ, pack_color(torch.from_numpy(RGB)).numpy())))
    for content in damaged(path.read_bytes(), places=200):
        path.write_bytes(content)
        found = outcome(lambda: read_colored_points(path))
        if isinstance(found, PointsError):
            assert str(path) in str(found)
        else:
            assert found[0].shape[1] == 3

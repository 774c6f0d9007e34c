"""Points out of files: clouds and depth maps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mono_depth_ros.cli.view import points_of_depth, read_points
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.outputs.cloud import pack_color
from mono_depth_ros.core.outputs.colormap import ColormapSettings

XYZ = np.array([[0, 0, 1], [1, 2, 3], [np.nan, 0, 0]], np.float32)
RGB = np.array([[255, 0, 10], [1, 2, 3], [9, 9, 9]], np.uint8)


def test_colored_points_come_back(tmp_path: Path) -> None:
    packed = pack_color(torch.from_numpy(RGB)).numpy()
    write_ply(tmp_path / 'a.ply', np.column_stack((XYZ, packed)))
    xyz, rgb = read_points(tmp_path / 'a.ply')
    np.testing.assert_array_equal(xyz, XYZ[:2])
    np.testing.assert_array_equal(rgb, RGB[:2])


def test_points_without_color_are_gray(tmp_path: Path) -> None:
    write_ply(tmp_path / 'a.ply', XYZ)
    xyz, rgb = read_points(tmp_path / 'a.ply')
    np.testing.assert_array_equal(xyz, XYZ[:2])
    assert np.unique(rgb).tolist() == [200]


def test_text_clouds_and_colors_as_floats(tmp_path: Path) -> None:
    names = ('x', 'y', 'z', 'red', 'green', 'blue')
    header = ''.join(f'property float {name}\n' for name in names)
    (tmp_path / 'a.ply').write_text(
        f'ply\nformat ascii 1.0\nelement vertex 1\n{header}end_header\n1 2 3 1.0 0.5 0\n'
    )
    xyz, rgb = read_points(tmp_path / 'a.ply')
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
    with pytest.raises(ImageError, match=reason):
        read_points(tmp_path / 'a.ply')
    with pytest.raises(ImageError, match='cannot be read'):
        read_points(tmp_path / 'missing.ply')


def test_a_depth_map_seen_by_its_camera() -> None:
    depth = np.array([[1, np.nan], [0, 4]], np.float32)
    camera = PinholeCamera(2, 2, 2.0, 2.0, 0.0, 0.0)
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    xyz, rgb = points_of_depth(depth, camera, picture, ColormapSettings())
    np.testing.assert_array_equal(xyz, [[0, 0, 1], [2, 2, 4]])
    np.testing.assert_array_equal(rgb, [[0, 1, 2], [9, 10, 11]])
    _, painted = points_of_depth(depth, camera, None, ColormapSettings(near=0.9, far=4.1))
    near, far = painted.astype(int)
    assert near[0] > near[2]
    assert far[2] > far[0]
    with pytest.raises(ImageError, match='no depth is known'):
        points_of_depth(np.zeros((2, 2), np.float32), camera, None, ColormapSettings())

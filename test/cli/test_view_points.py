"""Points out of files: clouds and depth maps."""

import numpy as np
import pytest

from mono_depth_ros.cli.view import points_of_depth
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.outputs.colormap import ColormapSettings


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

"""The optical frame of a camera on a robot."""

import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.optical_frame import optical_rotation
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale.ground import measure_ground
from mono_depth_ros.core.scale.tilt import Tilt


def matrix(quaternion: tuple[float, float, float, float]) -> np.ndarray:
    """Return the rotation matrix; its columns are the turned axes."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_level_camera_is_turned_as_everybody_writes_it() -> None:
    assert optical_rotation(0.0) == pytest.approx((-0.5, 0.5, -0.5, 0.5))


@pytest.mark.parametrize('pitch', [0.0, 0.3, -0.4, math.pi / 2])
def test_axes_are_those_of_rep_103(pitch: float) -> None:
    right, down, forward = matrix(optical_rotation(pitch)).T
    np.testing.assert_allclose(forward, [math.cos(pitch), 0, -math.sin(pitch)], atol=1e-12)
    np.testing.assert_allclose(right, [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(down, [-math.sin(pitch), 0, -math.cos(pitch)], atol=1e-12)


def test_the_floor_that_alignment_measures_lies_at_height_0_of_the_base() -> None:
    height_m, pitch = 0.7, 0.25
    camera = PinholeCamera(64, 48, 60.0, 61.0, 31.0, 24.0)
    inverse_depth = measure_ground(camera, height_m, Tilt(pitch), (48, 64)).inverse_depth.double()
    v, u = torch.nonzero(inverse_depth.isfinite(), as_tuple=True)
    depth = 1 / inverse_depth[v, u]
    x, y = (u - camera.cx) / camera.fx * depth, (v - camera.cy) / camera.fy * depth
    optical = torch.stack((x, y, depth)).numpy()
    base = matrix(optical_rotation(pitch)) @ optical + [[0], [0], [height_m]]
    assert base.shape[1] > 100
    np.testing.assert_allclose(base[2], 0, atol=1e-5)
    assert (base[0] > 0).all()

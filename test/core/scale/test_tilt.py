"""Tilt: from gravity, from rotations, and when neither can be believed."""

import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale.ground_source import measure_ground
from mono_depth_ros.core.scale.tilt import Gravity, Tilt, optical_rotation

G = 9.80665
SECOND = 10**9


def acceleration(tilt: Tilt) -> tuple[float, float, float]:
    """Return what an accelerometer at rest reads in the optical frame: upwards."""
    x, y, z = tilt.down
    return -G * x, -G * y, -G * z


@pytest.mark.parametrize('tilt', [Tilt(0.0), Tilt(0.3), Tilt(-0.4, 0.2), Tilt(1.2, -0.5)])
def test_gravity_tells_the_tilt(tilt: Tilt) -> None:
    gravity = Gravity()
    gravity.add(SECOND, acceleration(tilt))
    found = Tilt.of_down(gravity.down(SECOND))
    assert found.pitch_rad == pytest.approx(tilt.pitch_rad, abs=1e-9)
    assert found.roll_rad == pytest.approx(tilt.roll_rad, abs=1e-9)


def test_signs_are_those_of_the_optical_frame() -> None:
    assert Tilt.of_down((0.0, 1.0, 0.0)) == Tilt(0.0, 0.0)
    assert Tilt.of_down((0.0, 1.0, 1.0)).pitch_rad == pytest.approx(math.pi / 4)
    assert Tilt.of_down((1.0, 1.0, 0.0)).roll_rad == pytest.approx(math.pi / 4)


def test_shaking_averages_out() -> None:
    gravity = Gravity()
    x, y, z = acceleration(Tilt(0.3))
    for k in range(400):
        shake = 2.0 * (-1) ** k
        gravity.add(SECOND + k * SECOND // 100, (x + shake, y, z - shake))
    assert Tilt.of_down(gravity.down(5 * SECOND)).pitch_rad == pytest.approx(0.3, abs=0.005)


def test_a_new_attitude_is_followed_within_two_seconds() -> None:
    gravity = Gravity()
    for k in range(400):
        gravity.add(SECOND + k * SECOND // 100, acceleration(Tilt(0.0 if k < 200 else 0.4)))
    assert Tilt.of_down(gravity.down(5 * SECOND)).pitch_rad == pytest.approx(0.4, abs=0.01)


def test_without_a_reading_of_that_time_there_is_no_tilt() -> None:
    gravity = Gravity()
    with pytest.raises(AlignmentError, match='no imu message came'):
        gravity.down(SECOND)
    gravity.add(SECOND, acceleration(Tilt(0.1)))
    gravity.down(2 * SECOND)
    with pytest.raises(AlignmentError, match=r'1\.5 s away from the image'):
        gravity.down(SECOND * 5 // 2)


@pytest.mark.parametrize('length', [0.0, 1.0, 7.0, 13.0])
def test_what_is_not_gravity_is_refused_by_its_value(length: float) -> None:
    gravity = Gravity()
    gravity.add(SECOND, (0.0, -length, 0.0))
    with pytest.raises(AlignmentError, match=f'imu is {length:.2f} m/s'):
        gravity.down(SECOND)


def test_readings_that_are_not_finite_are_left_out() -> None:
    gravity = Gravity()
    gravity.add(SECOND, acceleration(Tilt(0.2)))
    gravity.add(SECOND + 1, (math.nan, 0.0, 0.0))
    assert Tilt.of_down(gravity.down(SECOND)).pitch_rad == pytest.approx(0.2)


def test_a_stamp_that_jumps_starts_anew() -> None:
    gravity = Gravity()
    gravity.add(100 * SECOND, acceleration(Tilt(0.2)))
    gravity.add(SECOND, acceleration(Tilt(0.5)))
    assert Tilt.of_down(gravity.down(SECOND)).pitch_rad == pytest.approx(0.5)


@pytest.mark.parametrize('pitch', [0.0, 0.3, -0.7])
def test_a_rotation_from_the_base_frame_tells_the_pitch(pitch: float) -> None:
    x, y, z, w = optical_rotation(pitch)  # of the optical frame in the base frame
    down = tuple(RigidTransform.of((0, 0, 0), (-x, -y, -z, w)).rotation @ (0.0, 0.0, -1.0))
    assert down == pytest.approx(Tilt(pitch).down, abs=1e-12)
    again = RigidTransform.of((0, 0, 0), (x, y, z, w)).rotation @ down
    assert tuple(again) == pytest.approx((0.0, 0.0, -1.0), abs=1e-12)


@pytest.mark.parametrize('length', [8.6, 11.0])
def test_a_slow_acceleration_is_tolerated(length: float) -> None:
    gravity = Gravity()
    gravity.add(SECOND, (0.0, -length, 0.0))
    assert gravity.down(SECOND) == (0.0, length, 0.0)


def test_the_mean_follows_by_63_percent_in_half_a_second() -> None:
    gravity = Gravity()
    gravity.add(SECOND, (0.0, -G, 0.0))
    gravity.add(SECOND + SECOND // 2, (0.0, -G, -1.0))
    assert gravity.down(SECOND + SECOND // 2)[2] == pytest.approx(1 - math.exp(-1))


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
    inverse_depth = measure_ground(camera, height_m, Tilt(pitch)).inverse_depth.double()
    v, u = torch.nonzero(inverse_depth.isfinite(), as_tuple=True)
    depth = 1 / inverse_depth[v, u]
    x, y = (u - camera.cx) / camera.fx * depth, (v - camera.cy) / camera.fy * depth
    optical = torch.stack((x, y, depth)).numpy()
    base = matrix(optical_rotation(pitch)) @ optical + [[0], [0], [height_m]]
    assert base.shape[1] > 100
    np.testing.assert_allclose(base[2], 0, atol=1e-5)
    assert (base[0] > 0).all()

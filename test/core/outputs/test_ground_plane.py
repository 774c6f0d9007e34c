"""The ground plane by TF, by the mount, and fitted to depth."""

import math

import numpy as np
import pytest
import torch
from terrain import CAMERA, block, depth_of, level, ramp

from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import CalibrationError, TransformError
from mono_depth_ros.core.outputs.ground_fit import fit_ground
from mono_depth_ros.core.outputs.ground_plane import GroundPlane
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.tilt import Tilt, optical_rotation


def base_in_camera(height_m: float, pitch: float, ahead_m: float = 0.0) -> RigidTransform:
    """Return the pose of a base frame below a camera that looks along its x, and down."""
    return RigidTransform.of((ahead_m, 0.2, height_m), optical_rotation(pitch)).inverse()


def test_by_tf_it_is_the_plane_of_the_base_frame() -> None:
    plane = GroundPlane.of_base(base_in_camera(0.4, 0.2, ahead_m=0.3), 'base_footprint')
    assert plane.height_m == pytest.approx(0.4)
    assert plane.tilt.pitch_rad == pytest.approx(0.2)
    assert plane.tilt.roll_rad == pytest.approx(0.0, abs=1e-9)
    told = GroundPlane(Tilt(0.2, 0.1).down, 0.4, 'tf')
    assert str(told) == 'by tf: 0.400 m below the camera, pitch 0.200 rad, roll 0.100 rad'
    mounted = GroundPlane.of_mount(AlignmentSettings(camera_height=0.4, camera_pitch=0.2))
    np.testing.assert_allclose(mounted.down, plane.down, atol=1e-9)
    tilted = GroundPlane.of_mount(AlignmentSettings(camera_height=0.4), Tilt(0.1, 0.3))
    assert tilted.tilt.roll_rad == pytest.approx(0.3)


@pytest.mark.parametrize('height_m', [0.0, -0.3, 0.005])
def test_a_base_frame_that_is_not_below_the_camera_is_refused(height_m: float) -> None:
    with pytest.raises(TransformError, match='must be a frame on the floor below the camera'):
        GroundPlane.of_base(base_in_camera(height_m, 0.0), 'base_link')


def test_without_a_height_there_is_no_plane_by_the_mount() -> None:
    with pytest.raises(CalibrationError, match=r'alignment\.camera_height is 0\.0 m'):
        GroundPlane.of_mount(AlignmentSettings())


@pytest.mark.parametrize('down', [(0.0, 1.0, 0.0), (0.3, 0.8, 0.52), (0.0, 0.0, 1.0)])
def test_axes_along_the_plane_are_level_and_at_right_angles(
    down: tuple[float, float, float],
) -> None:
    d = np.array(down) / np.linalg.norm(down)
    ahead, left = map(np.array, GroundPlane(tuple(d.tolist()), 1.0, 'tf').horizontal)
    np.testing.assert_allclose([ahead @ d, left @ d, ahead @ left], 0, atol=1e-9)
    np.testing.assert_allclose(np.cross(ahead, left), -d, atol=1e-9, err_msg='left is left')


@pytest.mark.parametrize(('pitch', 'roll'), [(0.0, 0.0), (0.3, 0.05), (0.5, -0.1)])
def test_the_floor_is_found_in_depth(pitch: float, roll: float) -> None:
    plane = GroundPlane(Tilt(pitch, roll).down, 0.5, 'mount')
    noise = 1 + 0.01 * torch.randn((120, 160), generator=torch.Generator().manual_seed(2))
    depth = depth_of(block(0.4, 1.5, 2.0, 0.5), plane) * noise
    found = fit_ground(depth, CAMERA)
    assert found.origin == 'depth'
    assert found.height_m == pytest.approx(0.5, rel=0.02)
    assert math.acos(min(1.0, float(np.dot(found.down, plane.down)))) < math.radians(1)
    assert fit_ground(depth, CAMERA) == found, 'the same for the same depth'


def test_the_floor_is_taken_and_not_a_table_top_above_it() -> None:
    plane = GroundPlane(Tilt(0.4).down, 1.2, 'mount')
    depth = depth_of(block(0.75, 1.2, 2.2, 0.7), plane)
    assert fit_ground(depth, CAMERA).height_m == pytest.approx(1.2, rel=0.03)


@pytest.mark.parametrize('what', ['wall', 'nothing', 'too steep'])
def test_where_no_floor_is_seen_there_is_no_plane(what: str) -> None:
    depth = torch.full((120, 160), 2.0 if what == 'wall' else torch.nan)
    if what == 'too steep':
        depth = depth_of(ramp(50.0, 0.0), GroundPlane(Tilt(0.0).down, 0.5, 'mount'))
    with pytest.raises(CalibrationError, match=r'no ground is seen.*alignment\.camera_height'):
        fit_ground(depth, CAMERA)


def test_a_floor_alone_is_seen_to_the_horizon() -> None:
    plane = GroundPlane(Tilt(0.0).down, 0.3, 'mount')
    assert fit_ground(depth_of(level, plane), CAMERA).height_m == pytest.approx(0.3, rel=0.02)

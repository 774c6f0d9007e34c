"""What stands above the ground in one image only."""

import math

import numpy as np
import pytest
import torch
from terrain import CAMERA, block, depth_of, level

from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.outputs.ground_plane import GroundPlane
from mono_depth_ros.core.outputs.ground_segmentation import heights_above_ground
from mono_depth_ros.core.outputs.output_settings import GroundSettings
from mono_depth_ros.core.outputs.specks import SpeckFilter
from mono_depth_ros.core.scale.tilt import Tilt

HEIGHT_M = 0.5
DOWN = Tilt(0.2).down
PLANE = GroundPlane(DOWN, HEIGHT_M, 'tf')
EMPTY = depth_of(level, PLANE)
SETTINGS = GroundSettings(max_new_cells=20)
OPTICAL = RigidTransform.of_matrix(
    np.array([0, 0, HEIGHT_M]),
    np.array([*GroundPlane(DOWN, 0, '').horizontal, [-d for d in DOWN]]),
)
"""Of a level world, x ahead of the camera, y left and z up."""


def pose(moved_m: float = 0.0, turned_rad: float = 0.0) -> RigidTransform:
    """Return that of a camera that has gone ahead, then turned to the left."""
    half = turned_rad / 2
    robot = RigidTransform.of((moved_m, 0, 0), (0, 0, math.sin(half), math.cos(half)))
    return robot @ OPTICAL


def kept(
    specks: SpeckFilter, depth: torch.Tensor, stood: RigidTransform | None = pose()
) -> torch.Tensor:
    """Return (H, W) bool: what is told as an obstacle."""
    above = heights_above_ground(depth, CAMERA, PLANE, SETTINGS) > SETTINGS.tolerance
    found = specks.without_specks(depth, above, CAMERA, PLANE, stood, SETTINGS).isfinite()
    assert not (found & ~above).any()
    return found


def post(ahead_m: float, left_m: float = 0.0) -> torch.Tensor:
    """Return the depth of a floor with a post of 10 cm on it."""

    def heights(ahead: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        return ((ahead - ahead_m).abs() < 0.05) & ((left - left_m).abs() < 0.05)

    return depth_of(lambda a, b: heights(a, b) * 0.4, PLANE)


def test_a_small_cluster_is_told_once_two_images_in_a_row_show_it() -> None:
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert not kept(specks, post(1.5)).any()
    assert int(kept(specks, post(1.5)).sum()) > 50
    assert not kept(specks, EMPTY).any()
    assert not kept(specks, post(2.2)).any()


def test_the_first_image_is_told_as_it_is() -> None:
    assert int(kept(SpeckFilter(), post(1.5)).sum()) > 50


def test_what_moves_or_is_measured_badly_is_told_from_the_second_image_on() -> None:
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert not kept(specks, post(3.0)).any()
    for ahead_m in (2.6, 2.2, 2.6, 2.2, 1.8):
        assert kept(specks, post(ahead_m)).any()


def test_a_camera_that_moves_finds_a_cluster_where_it_was() -> None:
    specks = SpeckFilter()
    assert kept(specks, post(2.0, 0.3)).any()
    assert kept(specks, post(1.2, 0.3), pose(0.8)).any()
    # A turn to the left by 0.4 rad: from there it stands more to the right.
    c, s = math.cos(0.4), math.sin(0.4)
    ahead, left = 1.2 * c + 0.3 * s, 0.3 * c - 1.2 * s
    assert math.hypot(ahead - 1.2, left - 0.3) > 0.45
    assert kept(specks, post(ahead, left), pose(0.8, 0.4)).any()
    assert not kept(specks, post(ahead + 0.8, left), pose(0.8, 0.4)).any()
    # It moved with the camera, so it is something else.
    specks = SpeckFilter()
    assert kept(specks, post(1.5)).any()
    assert not kept(specks, post(1.5), pose(0.8)).any()


def test_where_nothing_tells_how_the_camera_moves_all_stays() -> None:
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert kept(specks, post(1.5), None).any()
    assert kept(specks, post(2.2)).any()  # the image before said nothing
    assert not kept(specks, post(2.9)).any()


def test_what_is_large_is_told_at_once() -> None:
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert int(kept(specks, depth_of(block(0.3, 1.2, 1.6, 0.4), PLANE)).sum()) > 500


@pytest.mark.parametrize(('half_width_m', 'is_told'), [(0.05, False), (0.75, True)])
def test_the_size_is_counted_in_cells_of_5_cm(half_width_m: float, is_told: bool) -> None:
    """A board of 10 by 10 cm fills 4 to 9 cells, one of 10 by 150 cm more than 20."""
    board = depth_of(block(0.3, 1.5, 1.6, half_width_m), PLANE)
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert bool(kept(specks, board).any()) is is_told


def test_what_comes_into_view_is_told_at_once() -> None:
    """The image before did not see the place."""
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    assert kept(specks, post(1.5, 0.9), pose(0.0, 0.5)).any()
    assert not kept(specks, post(1.5, -0.2), pose(0.0, 0.5)).any()


def test_off_forgets() -> None:
    specks = SpeckFilter()
    assert not kept(specks, EMPTY).any()
    depth, above = post(1.5), torch.ones(CAMERA.height, CAMERA.width, dtype=torch.bool)
    every = specks.without_specks(depth, above, CAMERA, PLANE, pose(), GroundSettings())
    np.testing.assert_array_equal(every, depth)
    assert kept(specks, post(1.5)).any()


def test_both_kinds_of_specks_go() -> None:
    settings = GroundSettings(min_cell_points=3, max_new_cells=20)
    depth = EMPTY.clone()
    depth[95, 30] = depth[95, 31] = 0.45  # two pixels that float before the camera
    specks = SpeckFilter()
    above = heights_above_ground(depth, CAMERA, PLANE, settings) > settings.tolerance
    assert int(above.sum()) == 2
    for _ in range(2):
        found = specks.without_specks(depth, above, CAMERA, PLANE, pose(), settings)
        assert not found.isfinite().any()

"""What stands above the ground in one image only."""

import math

import numpy as np
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
SETTINGS = GroundSettings(max_new_cells=20)
OPTICAL = RigidTransform.of_matrix(
    np.array([0, 0, HEIGHT_M]),
    np.array([*GroundPlane(DOWN, 0, '').horizontal, [-d for d in DOWN]]),
)
"""Of a level world, x ahead of the camera, y left and z up."""


def plane(moved_m: float = 0.0, turned_rad: float = 0.0, knows: bool = True) -> GroundPlane:
    """Return the plane below a camera that has gone ahead, then turned to the left."""
    half = turned_rad / 2
    robot = RigidTransform.of((moved_m, 0, 0), (0, 0, math.sin(half), math.cos(half)))
    return GroundPlane(DOWN, HEIGHT_M, 'tf', robot @ OPTICAL if knows else None)


def kept(specks: SpeckFilter, depth: torch.Tensor, ground: GroundPlane) -> torch.Tensor:
    """Return (H, W) bool: what is told as an obstacle."""
    above = heights_above_ground(depth, CAMERA, ground, SETTINGS) > SETTINGS.tolerance
    found = specks.without_specks(depth, above, CAMERA, ground, SETTINGS).isfinite()
    assert not (found & ~above).any()
    return found


def post(ahead_m: float, left_m: float = 0.0) -> torch.Tensor:
    """Return the depth of a floor with a post of 10 cm on it."""

    def heights(ahead: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        return ((ahead - ahead_m).abs() < 0.05) & ((left - left_m).abs() < 0.05)

    return depth_of(lambda a, b: heights(a, b) * 0.4, plane())


def test_a_small_cluster_is_told_once_two_images_in_a_row_show_it() -> None:
    specks = SpeckFilter()
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    assert not kept(specks, post(1.5), plane()).any()
    assert int(kept(specks, post(1.5), plane()).sum()) > 50
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    assert not kept(specks, post(2.0), plane()).any()


def test_the_first_image_is_told_as_it_is() -> None:
    assert int(kept(SpeckFilter(), post(1.5), plane()).sum()) > 50


def test_a_camera_that_moves_finds_a_cluster_where_it_was() -> None:
    specks = SpeckFilter()
    assert kept(specks, post(1.5, 0.3), plane()).any()
    assert kept(specks, post(1.2, 0.3), plane(0.3)).any()
    # A turn to the left by 0.2 rad: from there it stands more to the right.
    ahead, left = (
        1.2 * math.cos(0.2) + 0.3 * math.sin(0.2),
        0.3 * math.cos(0.2) - 1.2 * math.sin(0.2),
    )
    assert kept(specks, post(ahead, left), plane(0.3, 0.2)).any()
    assert not kept(specks, post(ahead + 0.5, left), plane(0.3, 0.2)).any()
    # It moved with the camera, so it is something else.
    specks = SpeckFilter()
    assert kept(specks, post(1.5), plane()).any()
    assert not kept(specks, post(1.5), plane(0.3)).any()


def test_where_nothing_tells_how_the_camera_moves_all_stays() -> None:
    specks = SpeckFilter()
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    assert kept(specks, post(1.5), plane(knows=False)).any()
    assert kept(specks, post(2.0), plane()).any()  # the image before said nothing
    assert not kept(specks, post(2.5), plane()).any()


def test_what_is_large_is_told_at_once() -> None:
    specks = SpeckFilter()
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    assert int(kept(specks, depth_of(block(0.3, 1.2, 1.6, 0.4), plane()), plane()).sum()) > 500


def test_what_comes_into_view_is_told_at_once() -> None:
    """The image before did not see the place."""
    specks = SpeckFilter()
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    assert kept(specks, post(1.5, 0.9), plane(0.0, 0.5)).any()
    assert not kept(specks, post(1.5, -0.2), plane(0.0, 0.5)).any()


def test_off_forgets() -> None:
    specks = SpeckFilter()
    assert not kept(specks, depth_of(level, plane()), plane()).any()
    depth, above = post(1.5), torch.ones(CAMERA.height, CAMERA.width, dtype=torch.bool)
    every = specks.without_specks(depth, above, CAMERA, plane(), GroundSettings())
    np.testing.assert_array_equal(every, depth)
    assert kept(specks, post(1.5), plane()).any()


def test_both_kinds_of_specks_go() -> None:
    settings = GroundSettings(min_cell_points=3, max_new_cells=20)
    depth = depth_of(level, plane())
    depth[95, 30] = depth[95, 31] = 0.45  # two pixels that float before the camera
    specks = SpeckFilter()
    above = heights_above_ground(depth, CAMERA, plane(), settings) > settings.tolerance
    assert int(above.sum()) == 2
    for _ in range(2):
        assert not specks.without_specks(depth, above, CAMERA, plane(), settings).isfinite().any()

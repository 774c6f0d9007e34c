"""What is ground: floors and ramps are, steps, boxes and holes are not."""

import math

import pytest
import torch
import torch.nn.functional as F
from terrain import CAMERA, Heights, block, depth_of, level, places, ramp

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.outputs.ground_plane import GroundPlane
from mono_depth_ros.core.outputs.ground_segmentation import (
    _enlarged,
    heights_above_ground,
    heights_above_plane,
)
from mono_depth_ros.core.outputs.output_settings import GroundSettings
from mono_depth_ros.core.scale.tilt import Tilt

PLANE = GroundPlane(Tilt(0.3).down, 0.5, 'mount')
SETTINGS = GroundSettings()


def above(landscape: Heights, plane: GroundPlane = PLANE, **settings: float) -> torch.Tensor:
    depth = depth_of(landscape, PLANE)
    return heights_above_ground(depth, CAMERA, plane, GroundSettings(**settings))


def share_of_ground(height: torch.Tensor, where: torch.Tensor) -> float:
    """Return the share of pixels that are ground, of those that count."""
    assert int(where.sum()) > 100
    return float((height.abs() <= SETTINGS.tolerance)[where].float().mean())


def test_a_level_floor_is_ground_at_height_0() -> None:
    height = above(level)
    known = height.isfinite()
    assert float(known.float().mean()) > 0.5
    assert float(height[known].abs().max()) < 0.02
    plain = heights_above_plane(depth_of(level, PLANE), CAMERA, PLANE)
    torch.testing.assert_close(plain, height, atol=0.02, rtol=0, equal_nan=True)


@pytest.mark.parametrize('slope_deg', [12.0, 6.0, -6.0, -8.0])
def test_a_ramp_below_the_steepest_slope_is_ground(slope_deg: float) -> None:
    height = above(ramp(slope_deg))
    assert share_of_ground(height, height.isfinite()) > 0.96


def test_a_ramp_above_the_steepest_slope_is_an_obstacle() -> None:
    depth, landscape = depth_of(ramp(25.0), PLANE), ramp(25.0)
    ahead, _, _ = places(depth, PLANE)
    height = heights_above_ground(depth, CAMERA, PLANE, SETTINGS)
    assert share_of_ground(height, ahead < 1.4) > 0.99
    assert share_of_ground(height, (ahead > 2.1) & depth.isfinite()) < 0.02
    allowed = heights_above_ground(depth, CAMERA, PLANE, GroundSettings(max_slope_deg=30.0))
    assert share_of_ground(allowed, depth.isfinite()) > 0.98
    assert float(landscape(torch.tensor(2.5), torch.tensor(0.0))) > 0.4


@pytest.mark.parametrize(('height_m', 'last_m'), [(0.15, 1.8), (0.3, 2.0), (0.15, math.inf)])
def test_a_box_and_a_step_up_are_obstacles(height_m: float, last_m: float) -> None:
    landscape = block(height_m, 1.2, last_m, half_width_m=0.6)
    depth = depth_of(landscape, PLANE)
    ahead, left, z = places(depth, PLANE)
    height = heights_above_ground(depth, CAMERA, PLANE, SETTINGS)
    on_it = (left.abs() < 0.5) & (z > 0.09) & (ahead < min(last_m, 2.5))
    assert share_of_ground(height, on_it) < 0.02
    beside = (left.abs() > 0.7) & depth.isfinite()
    assert share_of_ground(height, beside) > 0.98


@pytest.mark.parametrize('last_m', [2.2, math.inf])
def test_a_hole_and_a_step_down_are_below_the_ground(last_m: float) -> None:
    depth = depth_of(block(-0.3, 1.3, last_m), PLANE)
    ahead, _, z = places(depth, PLANE)
    height = heights_above_ground(depth, CAMERA, PLANE, SETTINGS)
    in_it = (z < -0.1) & (ahead < min(last_m, 3.0))
    assert int(in_it.sum()) > 100
    assert float((height[in_it] < -SETTINGS.tolerance).float().mean()) > 0.98
    assert share_of_ground(height, ahead < 1.2) > 0.99
    if last_m < math.inf:
        assert share_of_ground(height, (ahead > 2.5) & (ahead < 4)) > 0.95


def test_behind_a_gap_the_ground_may_not_be_a_step_higher() -> None:
    depth = depth_of(block(0.2, 1.2), PLANE)
    ahead, _, _ = places(depth, PLANE)
    depth[(ahead > 1.0) & (ahead < 2.0)] = torch.nan
    height = heights_above_ground(depth, CAMERA, PLANE, SETTINGS)
    assert share_of_ground(height, ahead < 1.0) > 0.99
    assert share_of_ground(height, (ahead > 2.0) & (ahead < 3.0)) < 0.02


def test_surfaces_are_enlarged_on_a_gpu_as_on_a_cpu() -> None:
    values = torch.rand(30, 41, generator=torch.Generator().manual_seed(3))
    for size in ((120, 160), (121, 163)):
        by_torch = F.interpolate(values[None, None], size, mode='bilinear')[0, 0]
        torch.testing.assert_close(
            _enlarged(values, torch.Size(size)), by_torch, atol=1e-5, rtol=0
        )


def test_what_hangs_is_above_the_ground_and_the_floor_below_it_ground() -> None:
    floor = depth_of(level, PLANE)
    depth = floor.clone()
    depth[:30] = 2.0
    height = heights_above_ground(depth, CAMERA, PLANE, SETTINGS)
    assert float(height[:30].min()) > 0.15
    assert share_of_ground(height[60:], floor[60:].isfinite()) > 0.99


@pytest.mark.parametrize(
    ('pitch', 'roll', 'height_m'),
    [(0.03, 0.0, 0.0), (-0.03, 0.0, 0.0), (0.0, 0.03, 0.0), (0.0, 0.0, 0.04)],
)
def test_a_plane_that_is_a_little_wrong_will_do(
    pitch: float, roll: float, height_m: float
) -> None:
    wrong = GroundPlane(Tilt(0.3 + pitch, roll).down, 0.5 + height_m, 'mount')
    height = above(level, wrong)
    assert share_of_ground(height, height.isfinite()) > 0.97


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_a_camera_that_is_mounted_on_its_side_or_head_sees_the_same(quarters: int) -> None:
    depth = depth_of(block(0.3, 1.2, 2.0, 0.5), PLANE)
    expected = heights_above_ground(depth, CAMERA, PLANE, SETTINGS).rot90(quarters)
    x, y, z = PLANE.down
    turn = {1: (y, -x, z), 2: (-x, -y, z), 3: (-y, x, z)}[quarters]
    turned = depth.rot90(quarters).contiguous()
    camera = PinholeCamera.from_fov(160, 120, 80.0)
    if quarters != 2:
        camera = PinholeCamera(120, 160, camera.fy, camera.fx, camera.cy, camera.cx)
    height = heights_above_ground(turned, camera, GroundPlane(turn, 0.5, 'tf'), SETTINGS)
    same = (height - expected).abs() < 0.03
    assert float(same[expected.isfinite()].float().mean()) > 0.97


def test_a_camera_that_looks_straight_down_sees_the_ground() -> None:
    down = GroundPlane((0.0, 0.0, 1.0), 1.0, 'tf')
    depth = torch.full((120, 160), 1.0)
    depth[40:80, 60:100] = 0.7
    height = heights_above_ground(depth, CAMERA, down, SETTINGS)
    assert float(height[40:80, 60:100].min()) == pytest.approx(0.3, abs=0.03)
    depth[40:80, 60:100] = 1.0
    flat = heights_above_ground(depth, CAMERA, down, SETTINGS)
    assert float(flat.abs().max()) < 1e-5


def test_noise_below_the_tolerance_leaves_the_floor_ground() -> None:
    depth = depth_of(level, PLANE)
    noise = torch.randn(depth.shape, generator=torch.Generator().manual_seed(1))
    height = heights_above_ground(depth * (1 + 0.03 * noise), CAMERA, PLANE, SETTINGS)
    assert share_of_ground(height, depth.isfinite()) > 0.99


@pytest.mark.parametrize('size', [(1, 1), (1, 5), (3, 2)])
def test_the_smallest_images(size: tuple[int, int]) -> None:
    camera = PinholeCamera.from_fov(size[1], size[0], 60.0)
    plane = GroundPlane(Tilt(math.pi / 2).down, 1.0, 'tf')
    height = heights_above_ground(torch.ones(size), camera, plane, SETTINGS)
    assert height.shape == size
    assert float(height.abs().max()) < 1e-5
    unknown = heights_above_ground(torch.full(size, torch.nan), camera, plane, SETTINGS)
    assert bool(unknown.isnan().all())

"""Hidden points: what a sensor above the camera sees and the camera does not."""

import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale.point_projection import hidden_points, project_points

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
ABOVE = np.array((0.0, -0.3, 0.0))
NEAR_M, FAR_M = 1.5, 6.0


def scan(sensor: np.ndarray, pitch_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points (N, 3) [m] of a board before a wall as a sensor sees them, and which hide.

    The board covers x = -0.4..0.4 m and y = -0.2..1 m. Rays are those of the camera, moved.
    """
    v, u = np.mgrid[: CAMERA.height : pitch_px, : CAMERA.width : pitch_px].reshape(2, -1)
    ray = np.stack(((u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(len(u))), 1)
    at_board, at_wall = (sensor + ray * (z - sensor[2]) for z in (NEAR_M, FAR_M))
    points = np.where(on_board(at_board)[:, None], at_board, at_wall)
    is_far = points[:, 2] > NEAR_M
    return points, is_far & on_board(points * NEAR_M / points[:, 2:])


def on_board(points: np.ndarray) -> np.ndarray:
    return (abs(points[:, 0]) < 0.4) & (points[:, 1] > -0.2) & (points[:, 1] < 1)


def pixels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    u = np.rint(CAMERA.fx * points[:, 0] / points[:, 2] + CAMERA.cx).astype(int)
    v = np.rint(CAMERA.fy * points[:, 1] / points[:, 2] + CAMERA.cy).astype(int)
    return v, u, (u >= 0) & (u < CAMERA.width) & (v >= 0) & (v < CAMERA.height)


@pytest.mark.parametrize('pitch_px', [2, 3, 5])
@pytest.mark.parametrize('sensor', [ABOVE, np.array((0.25, 0.0, 0.0)), np.array((0, -0.3, -0.1))])
def test_the_wall_behind_the_board_is_removed_and_beside_it_kept(
    sensor: np.ndarray, pitch_px: int
) -> None:
    points, hides = scan(sensor, pitch_px)
    depth = 1 / project_points(points, sensor, CAMERA)
    v, u, inside = pixels(points)
    hides, v, u = hides[inside], v[inside], u[inside]
    assert hides.sum() >= 20
    assert (depth[v[hides], u[hides]] > 2 * NEAR_M).mean() < 0.25
    assert np.isfinite(depth[v[~hides], u[~hides]]).mean() > 0.99


def test_a_sensor_at_the_camera_sees_what_it_sees() -> None:
    points, _ = scan(np.zeros(3), 3)
    kept = np.isfinite(project_points(points, np.zeros(3), CAMERA)).sum()
    assert kept == len({*zip(*pixels(points)[:2], strict=True)})


@pytest.mark.parametrize('slope', [(0.5, 0.0), (0.0, -0.5), (0.4, 0.3)])
def test_no_plane_hides_its_own_points(slope: tuple[float, float]) -> None:
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    q = 0.6 + slope[0] * (u / CAMERA.width - 0.5) + slope[1] * (v / CAMERA.height - 0.5)
    q[(u % 6 > 0) | (v % 6 > 0)] = np.nan
    assert not hidden_points(q.astype(np.float32), ABOVE, CAMERA).any()


@pytest.mark.parametrize('count', [1, 10, 30, 100])
def test_few_points_hide_few_others(count: int) -> None:
    rng = np.random.default_rng(count)
    q = np.full((CAMERA.height, CAMERA.width), np.nan, np.float32)
    q.flat[rng.choice(q.size, count, replace=False)] = rng.uniform(0.1, 1, count)
    assert hidden_points(q, np.array((0.1, 0.0, 0.0)), CAMERA).sum() <= 0.05 * count


STEP_PX = 8
FAR_Q = 0.5


def surrounded(nearer: float, free_px: int = 1, corners: int = 4) -> bool:
    """Return whether a point is taken for hidden among a grid of points nearer by a share.

    The grid has a point every `STEP_PX`; none within `free_px` of the point, nor in some corners.
    """
    q = np.full((CAMERA.height, CAMERA.width), np.nan, np.float32)
    q[::STEP_PX, ::STEP_PX] = (1 + nearer) * FAR_Q
    v0, u0 = 15 * STEP_PX, 20 * STEP_PX
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    quadrants = [(dv * (v - v0) >= 0) & (du * (u - u0) >= 0) for dv in (-1, 1) for du in (-1, 1)]
    for quadrant in quadrants[corners:]:
        q[quadrant & np.isfinite(q)] = 0.9 * FAR_Q
    q[(abs(v - v0) < free_px) & (abs(u - u0) < free_px)] = np.nan
    q[v0, u0] = FAR_Q
    return bool(hidden_points(q, ABOVE, CAMERA)[v0, u0])


def test_what_is_nearer_by_less_than_a_tenth_may_be_the_same_surface() -> None:
    # From so far away any difference of depth is a parallax of more than a window.
    q = np.full((CAMERA.height, CAMERA.width), np.nan, np.float32)
    q[::STEP_PX, ::STEP_PX] = 1.0
    for nearer, is_hidden in ((0.07, False), (0.15, True)):
        q[120, 160] = 1 / (1 + nearer)
        assert hidden_points(q, np.array((0.0, -1e4, 0.0)), CAMERA)[120, 160] == is_hidden


def test_the_parallax_is_at_least_half_a_window() -> None:
    # f t = 62.5 px m and 16 px of window: 8 px are 0.13 1/m.
    assert not surrounded(0.08 / FAR_Q)
    assert surrounded(0.18 / FAR_Q)


def test_the_window_reaches_two_points_far() -> None:
    assert surrounded(1.0, free_px=2 * STEP_PX)
    assert not surrounded(1.0, free_px=2 * STEP_PX + STEP_PX)


def test_three_of_four_quadrants_hide_a_point() -> None:
    assert surrounded(1.0, corners=3)
    assert not surrounded(1.0, corners=2)


@pytest.mark.parametrize(('share', 'kept'), [(0.0, 1.0), (0.05, 0.95), (0.1, 0.85)])
def test_rain_hides_little(share: float, kept: float) -> None:
    """Points by themselves, in front of a wall that the camera sees."""
    points, hides = scan(ABOVE, 3)
    wall = points[~hides & (points[:, 2] > NEAR_M)]
    rng = np.random.default_rng(0)
    is_drop = rng.random(len(wall)) < share
    wall[is_drop] *= rng.uniform(0.05, 0.3, int(is_drop.sum()))[:, None]
    depth = 1 / project_points(wall, ABOVE, CAMERA)
    v, u, inside = pixels(wall)
    v, u, is_wall = v[inside], u[inside], ~is_drop[inside]
    assert (depth[v[is_wall], u[is_wall]] > 2 * NEAR_M).mean() >= kept

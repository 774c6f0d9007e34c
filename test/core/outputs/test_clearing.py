"""The ends of rays that are known to be free."""

import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.outputs.cloud import ClearingSettings, clearing_points

NAN = float('nan')
CAMERA = PinholeCamera(16, 12, 20.0, 20.0, 7.5, 5.5)
NEAR_FAR = (0.2, 10.0)
METRIC = -math.inf
"""Nothing is far because its inverse depth is low."""


def points(
    inverse_depth: torch.Tensor,
    range_m: float = 100.0,
    spacing_deg: float = math.degrees(4.01 / 20),
    far_below: float = METRIC,
    camera: PinholeCamera = CAMERA,
) -> np.ndarray:
    settings = ClearingSettings(range=range_m, spacing_deg=spacing_deg)
    rays = camera.rays()
    return clearing_points(inverse_depth, rays, camera, settings, NEAR_FAR, far_below).numpy()


def wall(depth_m: float) -> torch.Tensor:
    return torch.full((12, 16), 1 / depth_m)


def test_a_ray_for_the_middle_of_each_square() -> None:
    v, u = np.mgrid[1.5:12:4, 1.5:16:4]
    expected = np.stack([(u - 7.5) / 20 * 2, (v - 5.5) / 20 * 2, np.full(u.shape, 2.0)], -1)
    ends = points(wall(2.0))
    assert ends.dtype == np.float32
    np.testing.assert_allclose(ends, expected.reshape(-1, 3), rtol=1e-6, atol=1e-7)


def test_every_pixel() -> None:
    assert len(points(wall(2.0), spacing_deg=1.0)) == 12 * 16


@pytest.mark.parametrize('range_m', [1.0, 1.99, 3.0])
def test_what_is_beyond_is_drawn_in_along_its_ray(range_m: float) -> None:
    free, ends = points(wall(2.0)), points(wall(2.0), range_m)
    distance = np.linalg.norm(ends, axis=1)
    np.testing.assert_allclose(
        distance, np.minimum(np.linalg.norm(free, axis=1), range_m), rtol=1e-5
    )
    np.testing.assert_allclose(ends / distance[:, None], free / free[:, 2:] / np.linalg.norm(
        free / free[:, 2:], axis=1, keepdims=True
    ), rtol=1e-4, atol=1e-6)  # fmt: skip


@pytest.mark.parametrize('unknown', [NAN, 1 / 0.19, 1 / 10.1, 0.0, -0.5, float('inf')])
def test_one_unknown_pixel_takes_the_ray_of_its_square(unknown: float) -> None:
    """Not predicted, too near, too far; a metric network that says less than nothing."""
    q = wall(2.0)
    q[5, 6] = unknown
    every, ends = points(wall(2.0)), points(q)
    assert ends.tolist() == [end for i, end in enumerate(every.tolist()) if i != 4 + 1]


def test_the_nearest_pixel_of_a_square_counts() -> None:
    q = wall(4.0)
    q[0, 0] = 1 / 2
    assert points(q)[:, 2].tolist() == [2] + [4] * 11


@pytest.mark.parametrize('low', [0.049, 0.0, -3.0])
def test_low_relative_inverse_depth_is_known_to_be_far(low: float) -> None:
    q = wall(2.0)
    q[:4] = low
    ends = points(q, range_m=5.0, far_below=0.05)
    assert len(ends) == 12
    np.testing.assert_allclose(np.linalg.norm(ends[:4], axis=1), 5.0, rtol=1e-6)
    q[0, 0] = 0.051  # beyond the 10 m that are published, and not low enough
    assert len(points(q, range_m=5.0, far_below=0.05)) == 11


def test_low_threshold_draws_nobody_in() -> None:
    """A pixel that is known anyway ends where it is."""
    ends = points(wall(4.0), range_m=5.0, far_below=1.0)
    np.testing.assert_allclose(ends[:, 2], 4.0)


@pytest.mark.parametrize(('width', 'height'), [(640, 480), (320, 240), (1920, 1440)])
def test_as_many_rays_whatever_the_resolution(width: int, height: int) -> None:
    camera = PinholeCamera.from_fov(width, height, 70)
    ends = points(torch.full((height, width), 0.5), spacing_deg=0.8, camera=camera)
    assert 7000 < len(ends) < 10000
    between = np.diff(np.unique(ends[:, 0].round(4)))
    assert between.max() < 2 * math.tan(math.radians(0.8)) + 1e-3


def test_nothing_known_gives_no_point() -> None:
    assert points(torch.full((12, 16), NAN)).shape == (0, 3)


@pytest.mark.parametrize(('height', 'width'), [(1, 1), (3, 5), (13, 17), (4, 70)])
def test_odd_sizes(height: int, width: int) -> None:
    camera = PinholeCamera(width, height, 500.0, 600.0, width / 2, height / 2)
    q = torch.full((height, width), 0.5)
    side = min(8, height, width)
    ends = points(q, spacing_deg=0.95, camera=camera)
    assert len(ends) == (height // side) * (width // side)
    np.testing.assert_allclose(ends[:, 2], 2.0, rtol=1e-6)


def test_input_is_left_alone() -> None:
    q = wall(50.0)
    points(q, far_below=0.05)
    assert (q == 1 / 50).all()


@pytest.mark.parametrize(
    'wrong', [{'range': 0.0}, {'spacing_deg': 0.0}, {'far_inverse_depth': -0.1}, {'range': 1e4}]
)
def test_settings_are_held_to_their_range(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=f'{next(iter(wrong))} is'):
        ClearingSettings(**wrong)

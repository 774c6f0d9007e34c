import math
import random

import numpy as np
import pytest

from training.world.furnished_scene import Daylight, FurnishedScene
from training.world.shots import axes, edge_share, is_worth_keeping, sample_camera

GRAY = (0.5, 0.5, 0.5)
ROOM = FurnishedScene(
    kind='test',
    bounds=np.array([[0.0, 0, 0], [4, 3, 2.5]]),
    daylight=Daylight(GRAY, GRAY, 0.0, 0),
    ambient=(GRAY, GRAY),
    sun=False,
    main_light=(2.0, 1.5, 2.4),
    main_color=GRAY,
    enclosed=True,
    targets=[(1.0, 1.0, 0.5)],
)


def test_axes_are_a_right_handed_camera() -> None:
    np.testing.assert_allclose(axes(0, 0, 0), [(0, -1, 0), (0, 0, -1), (1, 0, 0)], atol=1e-12)
    looking_down = axes(0, math.radians(30), 0)
    assert looking_down[2, 2] == pytest.approx(-0.5)
    for values in ((0.3, 0.2, 0.1), (-2.0, -0.4, 0.2)):
        matrix = axes(*values)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(matrix) == pytest.approx(1)


def test_cameras_keep_to_their_ranges() -> None:
    rng = random.Random(0)
    cameras = [sample_camera(rng, ROOM, 320, 240) for _ in range(400)]
    fov = [2 * math.degrees(math.atan(160 / c.focal_px)) for c in cameras]
    assert min(fov) >= 45
    assert max(fov) <= 120
    heights = [c.position[2] for c in cameras]
    assert min(heights) >= 0.1
    assert max(heights) <= 2.5 - 0.15
    inside = [(0 < c.position[0] < 4) and (0 < c.position[1] < 3) for c in cameras]
    assert all(inside)
    assert np.ptp([math.degrees(math.asin(-c.axes[2, 2])) for c in cameras]) > 45


def test_blocked_flat_and_empty_views_are_not_kept() -> None:
    near_to_far = np.linspace(0.5, 5, 48 * 64).reshape(48, 64)
    assert is_worth_keeping(near_to_far)
    assert not is_worth_keeping(np.full((48, 64), 2.0))
    assert not is_worth_keeping(near_to_far - 0.3)
    sky = np.where(np.arange(48)[:, None] < 36, np.inf, near_to_far)
    assert not is_worth_keeping(sky)


def test_edges_are_counted_where_depth_steps() -> None:
    step = np.full((10, 11), 2.0)
    assert edge_share(step) == 0
    step[:, 5:] = 3.0
    assert edge_share(step) == pytest.approx(0.1)
    step[:, 5:] = np.inf
    assert edge_share(step) == pytest.approx(0.1)

"""Clouds against clouds: planes with known distances, and neighbors counted one by one."""

import math

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.cloud_metrics import (
    cloud_f_score,
    has_neighbor,
    project_points,
)


def wall(distance_m: float, width_m: float = 2.0) -> torch.Tensor:
    """Return points every 2 cm of a wall 1 m high."""
    x, y = torch.meshgrid(torch.arange(0, width_m, 0.02), torch.arange(0, 1, 0.02), indexing='ij')
    return torch.stack((x, y, torch.full_like(x, distance_m)), dim=-1).flatten(0, 1)


@pytest.mark.parametrize(
    ('apart_m', 'at_10_cm', 'at_20_cm'), [(0.0, 1, 1), (0.05, 1, 1), (0.15, 0, 1), (0.25, 0, 0)]
)
def test_walls_apart(apart_m: float, at_10_cm: float, at_20_cm: float) -> None:
    near, far = wall(3.0), wall(3.0 + apart_m)
    assert cloud_f_score(near, far, 0.1) == (at_10_cm,) * 3
    assert cloud_f_score(near, far, 0.2) == (at_20_cm,) * 3


def test_what_is_missing_lowers_recall_and_what_is_too_much_precision() -> None:
    half, whole = wall(3.0, 1.0), wall(3.0)
    score = cloud_f_score(half, whole, 0.1)
    # The threshold itself is found beyond the edge, in thinned points of 5 cm.
    assert score.precision == 1
    assert score.recall == pytest.approx(0.5 + 0.1 / 2, abs=0.025)
    assert score.f == pytest.approx(2 * score.recall / (1 + score.recall))
    other = cloud_f_score(whole, half, 0.1)
    assert (other.precision, other.recall) == (score.recall, score.precision)


def test_points_close_together_count_once() -> None:
    true = torch.tensor([[float(k), 0, 5] for k in range(9)])
    wrong = torch.tensor([[0.01, 3.01, 5.01]]) + torch.rand(1000, 3) * 0.02
    assert cloud_f_score(torch.cat((true, wrong)), true, 0.1).precision == pytest.approx(0.9)


def test_nothing_seen_and_nothing_to_see() -> None:
    nothing = torch.zeros(0, 3)
    assert cloud_f_score(nothing, wall(3.0), 0.1) == (0, 0, 0)
    assert cloud_f_score(wall(3.0), nothing, 0.1) is None
    assert cloud_f_score(wall(3.0), wall(9.0), 0.1) == (0, 0, 0)


@pytest.mark.parametrize('radius_m', [0.02, 0.1, 0.7, 5.0])
def test_neighbors_are_those_of_all_distances(radius_m: float) -> None:
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(700, 3, generator=generator) * 3 - 1.5
    others = torch.rand(500, 3, generator=generator) * torch.tensor((4.0, 1.0, 2.0)) - 1
    nearest = (points.double()[:, None] - others.double()).norm(dim=-1).amin(1)
    found = has_neighbor(points, others, radius_m)
    assert found.equal(nearest < radius_m)
    assert found.any()
    assert bool(found.all()) == (radius_m == 5.0)


CAMERA = PinholeCamera.from_fov(40, 30, 60.0)


def test_points_of_a_depth_image_project_to_it() -> None:
    x, y = CAMERA.rays()
    depth = 2 + x + 0.5 * y
    points = torch.stack((x * depth, y * depth, depth), dim=-1).flatten(0, 1)
    assert project_points(points, CAMERA).allclose(depth)
    assert project_points(points[::2], CAMERA).isnan().double().mean() == 0.5


def test_the_nearest_point_hides_others_and_what_is_not_in_view_is_left_out() -> None:
    on_axis = torch.tensor((0.01, 0.01, 1.0))
    outside = torch.tensor([[0, 0, -1], [0, 0, 0], [9, 0, 1], [0, -9, 1], [math.nan, 0, 1]])
    points = torch.cat((on_axis * 4, on_axis * 2, on_axis * 3)).view(3, 3)
    depth = project_points(torch.cat((points, outside)), CAMERA)
    assert depth[depth.isfinite()].tolist() == [2.0]
    assert project_points(outside, CAMERA).isnan().all()

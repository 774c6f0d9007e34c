import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.correspondences import (
    MAX_POINTS,
    Correspondences,
    area_weights,
    select_correspondences,
)
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

NEAR_FAR = (0.1, 100.0)


def select(
    prediction: torch.Tensor,
    inverse_depth: torch.Tensor,
    image: torch.Tensor | None = None,
    depth_range: tuple[float, float] = NEAR_FAR,
    noise: float = 0.001,
) -> Correspondences:
    observation = DepthMeasurement(inverse_depth, noise)
    return select_correspondences(
        prediction, observation, depth_range, np.random.default_rng(0), image
    )


def grid(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    return v.float(), u.float()


@pytest.mark.parametrize(('height', 'width'), [(24, 32), (36, 48), (48, 64), (7, 9)])
def test_prediction_is_sampled_at_the_centers_of_measured_pixels(height: int, width: int) -> None:
    v, u = grid(48, 64)
    points = select(1000 * v + u, torch.ones(height, width))
    assert len(points) == height * width
    x, y = points.position.T
    sampled_u = 64 * x - 0.5
    sampled_v = 48 * y - 0.5
    inside = (sampled_u > 0) & (sampled_u < 63) & (sampled_v > 0) & (sampled_v < 47)
    expected = 1000 * sampled_v + sampled_u
    np.testing.assert_allclose(points.prediction[inside], expected[inside], atol=0.02)
    measured_u = x * width - 0.5
    np.testing.assert_allclose(measured_u, measured_u.round(), atol=1e-4)


def test_half_size_pixel_lies_between_two_of_the_image() -> None:
    _, u = grid(8, 8)
    points = select(u, torch.ones(4, 4))
    assert sorted(set(points.prediction.round(5))) == [0.5, 2.5, 4.5, 6.5]


def test_measurement_is_never_interpolated() -> None:
    measured = torch.full((40, 40), math.nan)
    measured[::2, ::2] = 1.0
    measured[1::2, 1::2] = 3.0
    points = select(torch.ones(80, 80), measured)
    assert len(points) == 800
    assert set(points.inverse_depth) == {1.0, 3.0}


def test_depths_out_of_range_are_left_out() -> None:
    measured = torch.tensor([[0.1, 0.25, 0.5, 1.0, 2.0, 4.0]]).repeat_interleave(8, 1).repeat(8, 1)
    points = select(torch.ones(8, 48), measured, depth_range=(0.5, 4.0), noise=10.0)
    assert set(points.inverse_depth) == {0.25, 0.5, 1.0, 2.0}


def test_both_sides_of_a_step_are_left_out() -> None:
    measured = torch.full((20, 40), 0.5)
    measured[:, 20:] = 1.0
    points = select(torch.ones(20, 40), measured)
    u = points.position[:, 0] * 40 - 0.5
    assert sorted(set(u.round())) == [*range(18), *range(22, 40)]


def test_steep_plane_is_no_edge() -> None:
    v, _ = grid(50, 60)
    floor = ((v - 19) / 20).clamp(min=0)
    floor[floor == 0] = math.nan
    points = select(torch.ones(50, 60), floor)
    assert len(points) == 30 * 60


def test_steps_of_the_matcher_are_no_edges() -> None:
    _, u = grid(30, 60)
    whole_px = (10 + u / 6).floor()
    points = select(torch.ones(30, 60), whole_px / 50, noise=0.5 / 50)
    assert len(points) == 30 * 60


def test_unknown_predictions_are_left_out() -> None:
    prediction = torch.ones(20, 20)
    prediction[:, :10] = math.nan
    points = select(prediction, torch.ones(20, 20))
    assert len(points) == 200
    assert points.position[:, 0].min() > 0.5


def test_a_lattice_covers_a_dense_image_evenly() -> None:
    points = select(torch.ones(480, 640), torch.ones(480, 640))
    assert MAX_POINTS * 0.8 < len(points) <= MAX_POINTS
    counts, _, _ = np.histogram2d(*points.position.T, bins=4, range=((0, 1), (0, 1)))
    assert counts.min() > 0.8 * counts.max()


def test_few_measured_pixels_are_all_found() -> None:
    measured = torch.full((480, 640), math.nan)
    chosen = torch.randperm(480 * 640, generator=torch.Generator().manual_seed(4))[:700]
    measured.view(-1)[chosen] = 0.5
    assert len(select(torch.ones(48, 64), measured)) == 700


def test_many_scattered_pixels_are_thinned() -> None:
    measured = torch.full((480, 640), math.nan)
    measured[3::7, :] = 0.5
    measured[:, 300:] = math.nan
    assert 512 <= len(select(torch.ones(48, 64), measured)) <= MAX_POINTS


def test_the_choice_is_the_same_for_the_same_seed_and_moves_otherwise() -> None:
    _, u = grid(480, 640)
    one, two = (select(u, torch.ones(480, 640)) for _ in range(2))
    np.testing.assert_array_equal(one.prediction, two.prediction)
    observation, random = DepthMeasurement(torch.ones(480, 640), 0.001), np.random.default_rng(0)
    first, second = (select_correspondences(u, observation, NEAR_FAR, random) for _ in range(2))
    assert not set(first.prediction) & set(second.prediction)


@pytest.mark.parametrize('size', [(20, 40), (40, 80), (13, 26)])
def test_untextured_and_saturated_regions_are_left_out(size: tuple[int, int]) -> None:
    height, width = size
    image = torch.randint(0, 200, (height, width, 3), generator=torch.Generator().manual_seed(1))
    image[:, : width // 2] = 120
    image[: height // 2, width // 2 :, :] = 255
    points = select(torch.ones(20, 40), torch.ones(20, 40), image.to(torch.uint8))
    v, u = points.position[:, 1] * 20 - 0.5, points.position[:, 0] * 40 - 0.5
    radius = math.ceil(4 * 40 / width)
    assert u.min() > 19.9 - radius
    assert v[u >= 20 + radius].min() >= 20 * (height // 2) / height - 1
    assert len(points) >= 10 * (20 - radius) * 0.9


def test_saturated_pixels_beside_texture_are_left_out() -> None:
    gray = torch.tensor([[120, 200, 255, 251]], dtype=torch.uint8).repeat(20, 10)
    points = select(torch.ones(20, 40), torch.ones(20, 40), gray)
    u = (points.position[:, 0] * 40 - 0.5).round().astype(int)
    assert set(u % 4) == {0, 1}


def test_a_gray_image_serves_as_well() -> None:
    gray = torch.randint(0, 200, (20, 40), generator=torch.Generator().manual_seed(1))
    measured = torch.ones(20, 40)
    points = select(measured, measured, gray.to(torch.uint8))
    assert len(points) > 780
    assert len(select(measured, measured, torch.full((20, 40), 9, dtype=torch.uint8))) == 0


def test_each_region_has_one_voice() -> None:
    position = np.vstack((np.full((90, 2), 0.05), np.full((30, 2), 0.95)))
    weight = area_weights(position)
    assert weight.mean() == pytest.approx(1.0)
    assert weight[:90].sum() == pytest.approx(weight[90:].sum())


def test_a_lone_point_is_not_worth_a_region() -> None:
    generator = np.random.default_rng(0)
    crowd = generator.uniform(0, 0.99, (4800, 2))
    weight = area_weights(np.vstack((crowd[(crowd[:, 0] > 0.2)], [[0.01, 0.01]])))
    assert weight.mean() == pytest.approx(1.0)
    assert 10 < weight[-1] < 13


def test_a_place_without_measurements_speaks_through_the_nearest_point() -> None:
    side = (np.arange(10) + 0.5) / 10
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    seen = grid[grid[:, 1] > 0.1]
    weight = area_weights(seen)
    top = seen[:, 1] < 0.2
    assert weight[top] / weight[~top].mean() == pytest.approx(np.full(10, 2.0), rel=0.15)
    assert weight[~top] == pytest.approx(np.full(80, weight[~top].mean()), rel=0.15)


def test_a_place_far_from_all_measurements_has_no_voice() -> None:
    rows = np.meshgrid(np.linspace(0, 0.99, 100), (0.7, 0.9))
    below = area_weights(np.stack(rows, axis=-1).reshape(-1, 2))
    # The upper row speaks for 16 places above it and 10 below, the lower for as many as there are.
    assert below[:100].mean() / below[100:].mean() == pytest.approx(26 / 19, rel=0.1)


def test_variance_is_constant_far_away_and_relative_nearby() -> None:
    one = np.ones(1)
    points = Correspondences(one, one, np.zeros((1, 2)), 0.01, one)
    far, near = points.variance(np.array([0.0, 10.0])) ** 0.5
    assert far == pytest.approx(0.01)
    assert near == pytest.approx(0.5, rel=0.01)


def test_taken_keeps_what_belongs_together() -> None:
    _, u = grid(10, 10)
    points = select(u, torch.ones(10, 10))
    taken = points.subset(points.prediction > 5)
    assert len(taken) == 40
    np.testing.assert_allclose(taken.position[:, 0] * 10 - 0.5, taken.prediction, atol=1e-4)


@pytest.mark.parametrize(('share', 'expected'), [(0.21, 645), (0.13, MAX_POINTS)])
def test_a_lattice_needs_five_hundred_points(share: float, expected: int) -> None:
    measured = torch.full((480, 640), math.nan)
    measured[torch.rand(480, 640, generator=torch.Generator().manual_seed(0)) < share] = 0.5
    assert len(select(torch.ones(48, 64), measured)) == pytest.approx(expected, abs=50)


@pytest.mark.parametrize(('step', 'left_out'), [(0.04, 0), (0.07, 4)])
def test_an_edge_is_a_bend_of_two_deviations(step: float, left_out: int) -> None:
    # The deviation at 0.5 1/m is hypot(0.05 * 0.5, 0.005) = 0.0255.
    measured = torch.full((20, 40), 0.5)
    measured[:, 20:] += step
    assert len(select(torch.ones(20, 40), measured, noise=0.005)) == 20 * (40 - left_out)


def test_texture_counts_within_four_pixels() -> None:
    image = torch.full((20, 40), 100, dtype=torch.uint8)
    image[:, 20] = 150
    points = select(torch.ones(20, 40), torch.ones(20, 40), image)
    u = (points.position[:, 0] * 40 - 0.5).round().astype(int)
    assert sorted(set(u)) == list(range(16, 25))


@pytest.mark.parametrize(('levels', 'count'), [(3, 0), (6, 800)])
def test_texture_is_four_levels(levels: int, count: int) -> None:
    image = torch.tensor([100, 100 + levels], dtype=torch.uint8).repeat(20, 20)
    assert len(select(torch.ones(20, 40), torch.ones(20, 40), image)) == count


@pytest.mark.parametrize(('level', 'count'), [(248, 800), (251, 400)])
def test_saturation_begins_at_250(level: int, count: int) -> None:
    image = torch.tensor([100, level], dtype=torch.uint8).repeat(20, 20)
    assert len(select(torch.ones(20, 40), torch.ones(20, 40), image)) == count

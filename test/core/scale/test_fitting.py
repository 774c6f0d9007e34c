import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale import scale_prior
from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.fitting import (
    METHODS,
    fit_flat,
    fit_least_squares,
    fit_min_max,
    fit_robust,
    inliers,
    refine,
    relative_error,
)
from mono_depth_ros.core.scale.flat_scene import FlatSceneError
from mono_depth_ros.core.scale.least_squares import normal_equations, solve
from mono_depth_ros.core.types import AffineScale

TRUE = AffineScale(0.25, -0.1)
WRONG = (0.6, 0.7)
"""Outliers lie on this line over the truth."""
COUNT = 3000


def points_of(
    prediction: np.ndarray, measured: np.ndarray, noise: float = 0.005
) -> Correspondences:
    count = len(prediction)
    position = np.random.default_rng(9).uniform(0, 1, (count, 2))
    return Correspondences(prediction, measured, position, noise, np.ones(count))


def draw(seed: int, outliers: float = 0.0, spread: float = 0.05) -> Correspondences:
    """Return points of `TRUE`; of the share that is wrong, half lies on one wrong line."""
    random = np.random.default_rng(seed)
    truth = random.uniform(0.15, 1.2, COUNT)
    prediction = (truth - TRUE.shift) / TRUE.scale
    measured = truth * (1 + spread * random.standard_normal(COUNT))
    gross = random.permutation(COUNT)[: round(outliers * COUNT)]
    measured[gross[::2]] = random.uniform(0.05, 1.5, len(gross[::2]))
    wrong = WRONG[0] + WRONG[1] * truth[gross[1::2]]
    measured[gross[1::2]] = wrong * (1 + spread * random.standard_normal(len(wrong)))
    return points_of(prediction, measured)


def depth_error(found: AffineScale, points: Correspondences) -> float:
    truth = TRUE.scale * points.prediction + TRUE.shift
    return float(np.median(np.abs(truth / (found.scale * points.prediction + found.shift) - 1)))


def seeded() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize('name', METHODS)
def test_every_method_finds_an_exact_line(name: str) -> None:
    points = draw(0, spread=0.0)
    fit = METHODS[name](points, seeded())
    # Of robust, which knows something of shift before.
    assert fit.alignment.scale == pytest.approx(TRUE.scale, rel=1e-3)
    assert fit.alignment.shift == pytest.approx(TRUE.shift, rel=3e-3)
    assert fit.inlier_ratio == 1.0
    assert fit.residual == pytest.approx(0, abs=5e-4)


@pytest.mark.parametrize('name', METHODS)
def test_normal_equations_of_a_fit_give_the_fit(name: str) -> None:
    fit = METHODS[name](draw(1, outliers=0.1), seeded())
    found = solve(fit.normal, fit.moment)
    assert found.scale == pytest.approx(fit.alignment.scale, rel=1e-9)
    assert found.shift == pytest.approx(fit.alignment.shift, rel=1e-6)


@pytest.mark.parametrize('seed', range(20))
def test_robust_withstands_two_fifths_of_gross_outliers(seed: int) -> None:
    points = draw(seed, outliers=0.4)
    assert depth_error(fit_robust(points, seeded()).alignment, points) < 0.01
    assert depth_error(fit_least_squares(points, seeded()).alignment, points) > 0.1


def test_robust_withstands_three_fifths_on_the_usual_draw() -> None:
    errors = []
    for seed in range(10):
        points = draw(seed, outliers=0.6)
        errors.append(depth_error(fit_robust(points, seeded()).alignment, points))
    assert np.median(errors) < 0.01


def test_inlier_ratio_tells_the_share_of_outliers_and_residual_the_rest() -> None:
    clean, dirty = (fit_robust(draw(3, outliers=o), seeded()) for o in (0.0, 0.4))
    assert clean.inlier_ratio == pytest.approx(0.997, abs=0.01)
    assert 0.6 < dirty.inlier_ratio < 0.72
    assert clean.residual == pytest.approx(0.6745 * 0.05, rel=0.1)
    assert dirty.residual == pytest.approx(clean.residual, rel=0.1)


def test_relative_noise_does_not_pull_the_fit_nearer_or_farther() -> None:
    signed = []
    for seed in range(20):
        points = draw(seed)
        found = fit_robust(points, seeded()).alignment
        truth = TRUE.scale * points.prediction + TRUE.shift
        signed.append(np.mean((found.scale * points.prediction + found.shift) / truth - 1))
    assert abs(np.mean(signed)) < 0.001


def test_errors_are_balanced_relative_to_inverse_depth() -> None:
    # No line fits a bent network; the far half must not pay for the near one.
    prediction = np.linspace(0.1, 1.4, 1000)
    measured = prediction + 0.3 * prediction**2
    points = points_of(prediction, measured)
    far = {
        name: relative_error(points.subset(prediction < 0.4), method(points, seeded()).alignment)
        for name, method in METHODS.items()
    }
    assert far['robust'] < 0.6 * far['least_squares']


def test_weight_says_how_many_points_a_point_stands_for() -> None:
    points = draw(4)
    doubled = Correspondences(
        np.concatenate((points.prediction, points.prediction[:1000])),
        np.concatenate((points.inverse_depth, points.inverse_depth[:1000])),
        np.zeros((COUNT + 1000, 2)),
        points.noise,
        np.ones(COUNT + 1000),
    )
    weight = np.where(np.arange(COUNT) < 1000, 2.0, 1.0)
    weighted = Correspondences(
        points.prediction, points.inverse_depth, points.position, points.noise, weight
    )
    one = solve(*normal_equations(doubled, np.ones(len(doubled))))
    two = solve(*normal_equations(weighted, np.ones(COUNT)))
    assert one.scale == pytest.approx(two.scale, rel=1e-12)


def test_least_squares_is_the_textbook_line() -> None:
    points = draw(5, outliers=0.2)
    scale, shift = np.polyfit(points.prediction, points.inverse_depth, 1)
    found = fit_least_squares(points, seeded()).alignment
    assert found.scale == pytest.approx(scale, rel=1e-9)
    assert found.shift == pytest.approx(shift, rel=1e-9)


def test_min_max_maps_range_onto_range() -> None:
    points = draw(6, outliers=0.2)
    found = fit_min_max(points, seeded()).alignment
    p, q = points.prediction, points.inverse_depth
    assert found.scale * p.min() + found.shift == pytest.approx(q.min())
    assert found.scale * p.max() + found.shift == pytest.approx(q.max())


@pytest.mark.parametrize('name', METHODS)
def test_flat_wall_is_refused_with_its_depth(name: str) -> None:
    random = np.random.default_rng(2)
    truth = 0.8 * (1 + 0.02 * random.standard_normal(COUNT))
    points = points_of(4 * truth, truth)
    with pytest.raises(FlatSceneError, match=r'varies by \d% about 0\.8 1/m'):
        METHODS[name](points, seeded())


def test_flat_wall_behind_outliers_is_refused() -> None:
    random = np.random.default_rng(2)
    measured = 0.8 * (1 + 0.02 * random.standard_normal(COUNT))
    measured[:900] = random.uniform(0.1, 2, 900)
    prediction = 4 + 0.02 * random.standard_normal(COUNT)
    with pytest.raises(AlignmentError):
        fit_robust(points_of(prediction, measured), seeded())


@pytest.mark.parametrize('name', ['robust', 'least_squares'])
def test_prediction_that_runs_the_wrong_way_is_refused(name: str) -> None:
    truth = np.linspace(0.2, 1.0, COUNT)
    with pytest.raises(AlignmentError, match='positive'):
        METHODS[name](points_of(-3 * truth, truth), seeded())


@pytest.mark.parametrize('name', METHODS)
def test_prediction_that_is_the_same_everywhere_is_refused(name: str) -> None:
    truth = np.linspace(0.2, 1.0, COUNT)
    with pytest.raises(AlignmentError, match=r'same everywhere|does not grow|flat to the network'):
        METHODS[name](points_of(np.full(COUNT, 2.0), truth), seeded())


@pytest.mark.parametrize(
    ('count', 'spread_over', 'uncertainty'),
    [
        (12, 1.0, 0.02),
        (1000, 1.0, 0.008),
        (1000, 0.05, 0.05),
    ],
)
def test_uncertainty_counts_regions_of_the_image(
    count: int, spread_over: float, uncertainty: float
) -> None:
    """A thousand points in one place say hardly more than a few."""
    truth = np.linspace(0.5, 1.5, count)
    position = np.random.default_rng(0).uniform(0, spread_over, (count, 2))
    points = Correspondences(truth, truth, position, 0.005, np.ones(count))
    fit = fit_robust(points, seeded())
    assert fit.uncertainty == pytest.approx(uncertainty, rel=0.5)


def test_stated_uncertainty_is_that_of_repeated_fits() -> None:
    fits = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        truth = random.uniform(0.5, 1.5, 40)
        measured = truth * (1 + 0.05 * random.standard_normal(40))
        position = np.stack((np.arange(40) % 8 / 8, np.arange(40) // 8 / 8), axis=1)
        fits.append(
            fit_robust(Correspondences(truth, measured, position, 0.0, np.ones(40)), random)
        )
    depth_of = [fit.alignment.scale + fit.alignment.shift for fit in fits]
    assert np.mean([fit.uncertainty for fit in fits]) == pytest.approx(np.std(depth_of), rel=0.5)


@pytest.mark.parametrize('is_absolute', [False, True])
def test_the_prior_on_shift_hardly_moves_a_fit_of_a_thousand_points(is_absolute: bool) -> None:
    random = np.random.default_rng(2)
    truth = random.uniform(0.3, 1.2, 1000)
    points = points_of((truth - TRUE.shift) / TRUE.scale, truth)
    points = replace(points, is_absolute=is_absolute)
    found = fit_robust(points, seeded()).alignment
    moved = found.scale * points.prediction + found.shift
    assert np.abs(moved / truth - 1).max() < 1e-3


@pytest.mark.parametrize('offset', [0.0, 0.5, 2.0])
def test_a_line_of_points_at_one_depth_is_told_by_how_far_views_reach(offset: float) -> None:
    """Whatever the network has for what is infinitely far."""
    truth = np.linspace(0.45, 0.55, 200)
    random = np.random.default_rng(3)
    measured = truth * (1 + 0.01 * random.standard_normal(200))
    position = np.stack((np.linspace(0, 1, 200), np.full(200, 0.6)), axis=1)
    view = {'typical': 0.45 / 0.3 + offset, 'farthest': 0.2 / 0.3 + offset}
    points = Correspondences(truth / 0.3 + offset, measured, position, 0.0, np.ones(200), **view)
    found = fit_flat(points).alignment
    assert found.inverse_depth(torch.tensor(view['farthest'])) == pytest.approx(0.2, abs=0.08)
    assert found.inverse_depth(torch.tensor(view['typical'])) == pytest.approx(0.45, abs=0.02)


def row_of_points(seed: int) -> Correspondences:
    """Return a line of a laser between 2.5 and 3 m, bent by the network, whose 0 is far away."""
    random = np.random.default_rng(seed)
    truth = np.linspace(1 / 3, 1 / 2.5, 200)
    bent = truth * (1 + 0.05 * np.sin(np.linspace(0, 3, 200) + random.uniform(0, 6)))
    position = np.stack((np.linspace(0, 1, 200), np.full(200, 0.6)), axis=1)
    view = {'typical': 0.5 / TRUE.scale, 'farthest': 0.15 / TRUE.scale}
    return Correspondences(bent / TRUE.scale, truth, position, 0.0, np.ones(200), **view)


def test_zero_is_far_away_to_a_network_with_meters_which_tells_the_floor_below_a_laser() -> None:
    floor = 1.0  # inverse depth of what lies near the robot [1/m], where nothing is measured
    errors: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(20):
        for is_absolute, of_kind in errors.items():
            points = replace(row_of_points(seed), is_absolute=is_absolute)
            found = fit_flat(points).alignment
            of_kind.append(abs(found.line(floor / TRUE.scale) / floor - 1))
    assert np.mean(errors[True]) < 0.1
    assert np.mean(errors[True]) < 0.5 * np.mean(errors[False])


def test_a_near_thing_tells_the_depth_of_a_view_to_a_network_with_meters() -> None:
    """What is known of 0 is a share of the view's inverse depth, however near the thing is."""
    position = np.stack((np.linspace(0.4, 0.6, 20), np.full(20, 0.5)), axis=1)
    view = {'typical': 0.25 / TRUE.scale, 'farthest': 0.1 / TRUE.scale, 'is_absolute': True}
    stated = []
    for near in (0.5, 1.0, 2.0):
        truth = np.full(20, near)
        points = Correspondences(truth / TRUE.scale, truth, position, 0.0, np.ones(20), **view)
        fit = fit_flat(points)
        assert fit.alignment.line(view['typical']) == pytest.approx(0.25, rel=0.05)
        stated.append(fit.uncertainty)
    assert max(stated) < 0.25


def test_refinement_stays_with_the_line_it_starts_at() -> None:
    points = draw(7, outliers=0.5)
    assert depth_error(refine(points, AffineScale(0.26, -0.11)).alignment, points) < 0.01
    start = AffineScale(WRONG[1] * TRUE.scale, WRONG[0] + WRONG[1] * TRUE.shift)
    wrong = refine(points, start).alignment
    assert depth_error(wrong, points) > 0.2


def test_a_bent_prediction_is_halved_rather_than_followed() -> None:
    truth = np.linspace(0.1, 1.0, COUNT)
    bent = points_of(truth + 0.35 * truth * (1 - truth), truth)
    found = fit_robust(bent, np.random.default_rng(0)).alignment
    relative = (found.scale * bent.prediction + found.shift) / truth - 1
    assert 0.45 < (relative > 0).mean() < 0.55
    assert np.abs(relative).mean() < 0.045


def test_inliers_lie_within_three_deviations() -> None:
    truth = np.array([0.5, 0.5, 0.5, 0.5])
    deviation = math.hypot(0.005, 0.05 * 0.5)
    measured = truth + deviation * np.array([0.0, 2.9, -2.9, -3.1])
    points = points_of(truth, measured)
    assert inliers(points, AffineScale(1.0)).tolist() == [True, True, True, False]
    assert relative_error(points, AffineScale(1.1)) == pytest.approx(
        float(np.median(np.abs(1.1 * truth - measured) / measured))
    )


@pytest.mark.parametrize(
    ('outliers', 'spread', 'wrong', 'wrong_spread'),
    [
        # A network that errs thrice as much as expected, beside outliers on an exact line.
        (0.3, 0.15, (0.3, 1.4), 0.005),
        # Outliers so near to the truth that a compromise between both would cost little.
        (0.4, 0.05, (0.05, 0.6), 0.05),
    ],
)
@pytest.mark.parametrize('seed', range(6))
def test_the_line_of_the_majority_wins(
    outliers: float, spread: float, wrong: tuple[float, float], wrong_spread: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    truth = random.uniform(0.15, 1.2, 1500)
    measured = truth * (1 + spread * random.standard_normal(1500))
    gross = random.random(1500) < outliers
    noise = 1 + wrong_spread * random.standard_normal(int(gross.sum()))
    measured[gross] = (wrong[0] + wrong[1] * truth[gross]) * noise
    points = points_of((truth - TRUE.shift) / TRUE.scale, measured)
    found = fit_robust(points, np.random.default_rng(seed)).alignment
    assert depth_error(found, points) < 0.03


@pytest.mark.parametrize('name', METHODS)
def test_a_scene_is_flat_below_one_and_a_half_deviations(name: str) -> None:
    # The middle 90 % of a uniform range of 0.26 spread as a deviation of 0.071, or 1.77 of ours.
    enough, flat = (np.linspace(0.8 - r / 2, 0.8 + r / 2, COUNT) for r in (0.26, 0.19))
    METHODS[name](points_of(enough, enough), seeded())
    with pytest.raises(FlatSceneError, match='varies by 6%'):
        METHODS[name](points_of(flat, flat), seeded())


@pytest.mark.parametrize('typical', [0.0, -1.0, math.nan])
def test_a_view_without_a_level_of_its_own_leaves_that_of_the_points(typical: float) -> None:
    """Most of it infinitely far, by a network with meters."""
    truth = np.linspace(0.5, 1.0, 200)
    points = points_of(np.concatenate((truth[:80], np.zeros(120))), truth)
    points = replace(points, is_absolute=True, typical=typical)
    whole = replace(points_of(truth, truth), is_absolute=True, typical=typical)
    assert fit_robust(whole, seeded()).alignment.scale == pytest.approx(1.0, abs=0.05)
    assert np.isfinite(scale_prior.prior_precision(points)).all()

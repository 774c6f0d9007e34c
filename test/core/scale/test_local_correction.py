import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.local_correction import (
    LocalCorrection,
    fit_local_correction,
)
from mono_depth_ros.core.types import AffineScale

EXACT = AffineScale(1.0)


def points_of(bias: str, noise: float = 0.02, count: int = 2500, seed: int = 0) -> Correspondences:
    """Return points of an exact alignment whose measurement is off by a smooth factor."""
    random = np.random.default_rng(seed)
    position = random.uniform(0, 1, (count, 2))
    prediction = random.uniform(0.2, 1.0, count)
    factor = {'none': np.ones(count), 'smooth': smooth(position)}[bias]
    measured = prediction * factor * np.exp(noise * random.standard_normal(count))
    return Correspondences(prediction, measured, position, 0.001, np.ones(count))


def smooth(position: np.ndarray) -> np.ndarray:
    u, v = position.T
    return np.exp(0.06 * np.sin(2.5 * u) - 0.05 * np.cos(3 * v))


def centers(height: int, width: int) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    return np.stack(((u.ravel() + 0.5) / width, (v.ravel() + 0.5) / height), axis=1)


def test_smooth_bias_is_found() -> None:
    correction = fit_local_correction(points_of('smooth'), EXACT)
    assert correction is not None
    truth = smooth(centers(48, 64)).reshape(48, 64)
    left = correction.factor((48, 64)).numpy() / truth - 1
    assert np.abs(left).mean() < 0.006
    assert np.abs(truth - 1).mean() > 0.03
    assert 0.3 < correction.gain < 1


@pytest.mark.parametrize('seed', range(10))
def test_noise_is_not_corrected(seed: int) -> None:
    assert fit_local_correction(points_of('none', noise=0.04, seed=seed), EXACT) is None


def test_nothing_left_over_is_not_corrected() -> None:
    assert fit_local_correction(points_of('none', noise=0.0), EXACT) is None


@pytest.mark.parametrize('seed', range(5))
def test_errors_that_patches_have_in_common_are_not_corrected(seed: int) -> None:
    # The field could explain a sixth of them, and points held out one by one would agree.
    points = points_of('none', noise=0.0)
    patch = (points.position * 16).astype(int) @ (1, 16)
    error = np.random.default_rng(seed).standard_normal(256)[patch]
    measured = points.inverse_depth * np.exp(0.04 * error)
    patched = Correspondences(points.prediction, measured, points.position, 0.001, points.weight)
    assert fit_local_correction(patched, EXACT) is None


@pytest.mark.parametrize(('wrong', 'share'), [(1.6, 2), (1.12, 5)])
def test_outliers_in_a_corner_do_not_bend_the_field(wrong: float, share: int) -> None:
    points = points_of('smooth')
    measured = points.inverse_depth.copy()
    corner = (points.position < 0.3).all(axis=1)
    measured[corner & (np.arange(len(points)) % share == 0)] *= wrong
    dirty = Correspondences(points.prediction, measured, points.position, 0.001, points.weight)
    correction = fit_local_correction(dirty, EXACT)
    assert correction is not None
    truth = smooth(centers(48, 64)).reshape(48, 64)
    assert np.abs(correction.factor((48, 64)).numpy() / truth - 1).max() < 0.03


def test_unmeasured_parts_keep_to_their_neighbors() -> None:
    points = points_of('smooth')
    right = points.subset(points.position[:, 0] > 0.4)
    correction = fit_local_correction(right, EXACT)
    assert correction is not None
    assert np.abs(np.log(correction.factor((12, 16)).numpy())).max() < 0.25


@pytest.mark.parametrize('count', [0, 30, 100])
def test_few_points_are_not_enough(count: int) -> None:
    assert fit_local_correction(points_of('smooth', count=count), EXACT) is None


def test_field_is_bilinear_between_nodes_that_span_the_image() -> None:
    log_factor = np.zeros((6, 8))
    log_factor[0, 0] = 1.0
    log_factor[5, 7] = -1.0
    factor = LocalCorrection(log_factor, 0.5).factor((60, 80))
    assert factor.dtype == torch.float32
    reach_u, reach_v = 0.5 / 80 * 7, 0.5 / 60 * 5
    corner = (1 - reach_u) * (1 - reach_v)
    assert float(factor[0, 0]) == pytest.approx(math.exp(corner), rel=1e-5)
    assert float(factor[59, 79]) == pytest.approx(math.exp(-corner), rel=1e-5)
    assert float(factor[30, 40]) == 1.0


def test_field_is_the_same_at_any_size() -> None:
    log_factor = np.random.default_rng(0).uniform(-0.1, 0.1, (6, 8))
    correction = LocalCorrection(log_factor, 0.5)
    large, small = correction.factor((480, 640)), correction.factor((240, 320))
    mean = large.reshape(240, 2, 320, 2).mean(dim=(1, 3))
    torch.testing.assert_close(mean, small, rtol=1e-3, atol=0)


def test_field_fades_to_half_its_logarithm_in_a_third_of_a_second() -> None:
    correction = LocalCorrection(np.full((6, 8), 0.2), 0.5)
    for age_s, log in ((0.0, 0.2), (0.3, 0.1), (-0.3, 0.1), (0.9, 0.025)):
        factor = correction.faded(age_s).factor((4, 4))
        assert float(factor[1, 2]) == pytest.approx(math.exp(log), rel=1e-6)


def factors(points: Correspondences) -> LocalCorrection:
    correction = fit_local_correction(points, EXACT)
    assert correction is not None
    return correction


def measured_with(
    factor: Callable[[np.ndarray], np.ndarray], noise: float, seed: int, count: int = 2500
) -> Correspondences:
    """Return points of an exact prediction whose measurement is off by exp(factor(u))."""
    points = points_of('none', noise, count, seed)
    measured = points.inverse_depth * np.exp(factor(points.position[:, 0]))
    return Correspondences(points.prediction, measured, points.position, 0.001, points.weight)


def test_noise_hardly_bends_a_field_that_follows_the_error() -> None:
    def bend(noise: float, factor: Callable[[np.ndarray], np.ndarray]) -> float:
        fields = [factors(measured_with(factor, noise, seed)).log_factor for seed in range(8)]
        return float(
            np.mean([np.diff(field, 2, axis=k).std() for field in fields for k in (0, 1)])
        )

    assert bend(0.04, lambda u: 0.03 * np.sin(2.5 * u)) < 0.0185


def test_a_field_follows_a_wave_of_the_error() -> None:
    nodes = 0.1 * np.sin(3 * math.pi * np.linspace(0, 1, 8))
    field = factors(measured_with(lambda u: 0.1 * np.sin(3 * math.pi * u), 0.002, 0)).log_factor
    assert np.sqrt(np.mean((field - nodes) ** 2)) < 0.0115


def test_a_field_is_near_zero_far_from_measurements() -> None:
    points = measured_with(lambda u: np.full_like(u, 0.1), 0.01, 0, 3000)
    right = points.subset(points.position[:, 0] > 0.5)
    assert np.abs(factors(right).log_factor[:, 0]).mean() < 0.006
    assert factors(points).log_factor.mean() > 0.093


@pytest.mark.parametrize('seed', range(4))
def test_a_field_must_remove_a_tenth_of_the_error(seed: int) -> None:
    # It would remove 5 to 9 % of the error with the first amplitude, 14 to 18 % with the other.
    low, high = (
        measured_with(lambda u, a=a: a * np.sin(2.5 * u), 0.04, seed) for a in (0.02, 0.032)
    )
    assert fit_local_correction(low, EXACT) is None
    assert 0.1 < factors(high).gain < 0.2


@pytest.mark.parametrize(('patches', 'is_used'), [(8, True), (16, False)])
@pytest.mark.parametrize('seed', range(8))
def test_held_out_tiles_are_sixteenths_of_the_image(
    patches: int, is_used: bool, seed: int
) -> None:
    # Errors in common within an eighth are a field, those within a sixteenth are noise.
    points = points_of('none', noise=0.0, seed=seed)
    patch = (points.position * patches).astype(int) @ (1, patches)
    error = np.random.default_rng(seed).standard_normal(patches**2)[patch]
    measured = points.inverse_depth * np.exp(0.1 * error)
    patched = Correspondences(points.prediction, measured, points.position, 0.001, points.weight)
    assert (fit_local_correction(patched, EXACT) is not None) is is_used

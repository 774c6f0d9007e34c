"""One scale for several views, or for a few measurements by hand."""

import math

import numpy as np
import pytest

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale.calibrated_scale import (
    CalibratedScale,
    ViewQuality,
    fit_samples,
    fit_views,
    suspects,
)
from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.types import AffineScale, PredictionKind

RELATIVE, METRIC = PredictionKind.RELATIVE_INVERSE_DEPTH, PredictionKind.DEPTH
SCALE, SHIFT = 0.2, 0.05


def view(
    seed: int, factor: float = 1.0, outliers: float = 0.0, shift: float = SHIFT
) -> Correspondences:
    """Return 400 points whose inverse depth is factor * (SCALE p + shift), but for noise."""
    random = np.random.default_rng(seed)
    p = random.uniform(1, 5, 400)
    q = factor * (SCALE * p + shift) * random.normal(1, 0.02, 400)
    wrong = random.random(400) < outliers
    q[wrong] = random.uniform(0.1, 2, wrong.sum())
    return Correspondences(p, q, random.random((400, 2)), 0.002, np.ones(400))


def test_scale_and_shift_of_several_views() -> None:
    found = fit_views({f'{i}': view(i, outliers=0.3) for i in range(4)}, RELATIVE)
    assert found.alignment.scale == pytest.approx(SCALE, rel=0.02)
    assert found.alignment.shift == pytest.approx(SHIFT, abs=0.01)
    assert 0.6 < found.inlier_ratio < 0.85
    assert suspects(found) == []
    for quality in found.views.values():
        assert quality.points == 400
        assert quality.residual < 0.05
        assert quality.left_out == pytest.approx(quality.residual, abs=0.01)
        assert quality.own == pytest.approx(quality.residual, abs=0.01)


def test_a_view_of_another_scale_stands_out() -> None:
    views = {'a': view(0), 'b': view(1), 'c': view(2, factor=1.4), 'd': view(3)}
    found = fit_views(views, RELATIVE)
    assert suspects(found) == ['c']
    assert found.views['c'].left_out == pytest.approx(1 - 1 / 1.4, abs=0.02)
    assert found.views['c'].own < 0.03


def test_views_that_one_scale_does_not_serve_show_it() -> None:
    factors = (0.5, 0.8, 1.2, 2.0)
    found = fit_views({f'{f}': view(0, factor=f) for f in factors}, RELATIVE)
    assert all(quality.own < 0.03 for quality in found.views.values())
    assert np.median([quality.left_out for quality in found.views.values()]) > 0.2


def test_factor_of_a_metric_network() -> None:
    views = {f'{i}': view(i, outliers=0.2, shift=0.0) for i in range(3)}
    found = fit_views(views, METRIC)
    assert found.alignment.shift == 0
    assert found.depth_scale == pytest.approx(1 / SCALE, rel=0.01)
    assert found.residual < 0.03


def test_factor_heeds_the_weight_of_points() -> None:
    p = np.ones(4)
    points = Correspondences(
        p, np.array([0.5, 0.5, 2, 2]), np.zeros((4, 2)), 0.0, np.array([1, 1, 3, 3.0])
    )
    assert fit_views({'a': points}, METRIC).depth_scale == 0.5


def test_a_single_view_leaves_nothing_to_test_on() -> None:
    found = fit_views({'a': view(0)}, RELATIVE)
    assert math.isnan(found.views['a'].left_out)
    assert found.views['a'].own == found.views['a'].residual


def test_views_that_do_not_determine_it() -> None:
    flat = view(0)
    wall = Correspondences(flat.prediction, np.full(400, 0.3), flat.position, 0.002, flat.weight)
    with pytest.raises(AlignmentError, match='the scene is flat'):
        fit_views({'wall': wall}, RELATIVE)
    empty = Correspondences(np.ones(0), np.ones(0), np.ones((0, 2)), 0.002, np.ones(0))
    with pytest.raises(AlignmentError, match='no pixel was measured'):
        fit_views({'empty': empty}, METRIC)


def few(*pairs: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {f'{i}': pair for i, pair in enumerate(pairs)}


def test_two_measurements_are_met_exactly() -> None:
    found = fit_samples(few((2.0, 4.0), (6.0, 1.0)), RELATIVE)
    assert found.alignment.scale * 2 + found.alignment.shift == pytest.approx(1 / 4)
    assert found.alignment.scale * 6 + found.alignment.shift == pytest.approx(1 / 1)
    assert all(math.isnan(quality.left_out) for quality in found.views.values())


def test_more_measurements_are_met_in_the_least_relative_error() -> None:
    pairs = ((2.0, 4.0), (3.0, 2.2), (6.0, 1.0), (4.0, 1.5))
    found = fit_samples(few(*pairs), RELATIVE)

    def cost(scale: float, shift: float) -> float:
        return sum(((scale * p + shift) * z - 1) ** 2 for p, z in pairs)

    best = cost(found.alignment.scale, found.alignment.shift)
    for scale, shift in ((0.001, 0), (-0.001, 0), (0, 0.001), (0, -0.001)):
        assert cost(found.alignment.scale + scale, found.alignment.shift + shift) > best
    # Left out, a measurement is judged by the fit to the other three.
    others = fit_samples(few(*pairs[1:]), RELATIVE).alignment
    expected = abs((others.scale * 2 + others.shift) * 4 - 1)
    assert found.views['0'].left_out == pytest.approx(expected)


def test_a_wrong_measurement_stands_out() -> None:
    pairs = [(p, 1 / (0.2 * p + 0.05)) for p in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]
    pairs[2] = (3.0, 1.5 * pairs[2][1])
    found = fit_samples(few(*pairs), RELATIVE)
    assert suspects(found) == ['2']
    assert found.alignment.scale == pytest.approx(0.2)
    assert found.inlier_ratio == pytest.approx(5 / 6)
    factors = few((1.0, 1.2), (0.5, 2.4), (0.25, 4.8), (0.2, 9.0))
    found = fit_samples(factors, METRIC)
    assert suspects(found) == ['3']
    assert found.depth_scale == pytest.approx(1.2)


def test_one_measurement_serves_a_metric_network() -> None:
    found = fit_samples(few((0.5, 2.4)), METRIC)  # the network says 2 m
    assert found.depth_scale == pytest.approx(1.2)
    several = fit_samples(few((0.5, 2.4), (0.25, 4.8), (1.0, 1.2)), METRIC)
    assert several.depth_scale == pytest.approx(1.2)
    assert several.views['1'].left_out == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ('pairs', 'reason'),
    [
        (((2.0, 1.0),), '1 measurement; a relative network needs two'),
        (((2.0, 1.0), (2.5, 1.2)), r'between 1\.00 and 1\.20 m'),
        (((2.0, 1.0), (3.0, 2.0)), 'prediction falls where'),
        (((2.0, 1.0), (2.0, 3.0)), r'predicts the same \(2\) at all samples'),
    ],
)
def test_measurements_that_do_not_determine_it(
    pairs: tuple[tuple[float, float], ...], reason: str
) -> None:
    with pytest.raises(AlignmentError, match=reason):
        fit_samples(few(*pairs), RELATIVE)


@pytest.mark.parametrize(
    ('errors', 'expected'),
    [
        ((0.01, 0.01, 0.01, 0.04), []),
        ((0.01, 0.01, 0.01, 0.06), ['3']),
        ((0.04, 0.04, 0.04, 0.1), []),
        ((0.04, 0.04, 0.04, 0.15), ['3']),
    ],
)
def test_an_outlier_errs_thrice_the_median_and_by_five_percent(
    errors: tuple[float, ...], expected: list[str]
) -> None:
    views = {str(i): ViewQuality(1, error, math.nan, math.nan) for i, error in enumerate(errors)}
    assert suspects(CalibratedScale(AffineScale(1.0), 1.0, 0.01, views)) == expected


def test_predictions_must_differ_by_a_thousandth() -> None:
    fit_samples({'a': (1.0, 2.0), 'b': (1.0015, 1.0)}, RELATIVE)
    with pytest.raises(AlignmentError, match='predicts the same'):
        fit_samples({'a': (1.0, 2.0), 'b': (1.0007, 1.0)}, RELATIVE)


def test_three_samples_of_one_factor_identify_no_outlier() -> None:
    samples = {'a': (1.0, 1.0), 'b': (1.0, 1.0), 'c': (1.0, 2.0)}
    assert fit_samples(samples, METRIC).alignment.scale == pytest.approx((1 + 1 + 2) / 6)
    samples['d'] = (1.0, 1.0)
    assert fit_samples(samples, METRIC).alignment.scale == pytest.approx(1)

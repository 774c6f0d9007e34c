from collections.abc import Callable

import numpy as np
import pytest

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale.least_squares import cauchy_weights, solve, tukey_weights


def squares(*more: float, spread: float = 1.0) -> np.ndarray:
    """Return squared residuals: a normal crowd of that deviation, then those named."""
    crowd = np.random.default_rng(0).standard_normal(20000)
    return (spread * np.concatenate((crowd, more))) ** 2


def test_tukey_weights_end_at_their_width() -> None:
    weight = tukey_weights(squares(0.0, 3.0, 4.7))
    assert weight[-3] == 1
    assert weight[-2] == pytest.approx((1 - (3 / 4.685) ** 2) ** 2, rel=0.03)
    assert weight[-1] == 0


def test_cauchy_weights_fall_sooner_and_end_later() -> None:
    weight = cauchy_weights(squares(0.0, 1.5, 6.0, 8.1))
    assert weight[-4] == 1
    assert weight[-3] == pytest.approx(0.5 * (1 - (1.5 / 8) ** 2) ** 2, rel=0.03)
    assert 0 < weight[-2] < 0.02
    assert weight[-1] == 0
    strict = tukey_weights(squares(0.0, 1.5, 6.0, 8.1))
    assert weight[-3] < strict[-3]
    assert weight[-2] > strict[-2] == 0


@pytest.mark.parametrize('weigh', [tukey_weights, cauchy_weights])
@pytest.mark.parametrize(('spread', 'taken_for'), [(0.5, 0.5), (0.01, 0.05), (3.0, 1.5)])
def test_the_spread_is_measured_within_bounds(
    weigh: Callable[[np.ndarray], np.ndarray], spread: float, taken_for: float
) -> None:
    # A residual in units of the spread that is taken for the true one.
    residual = 2.0 * taken_for / spread
    assert weigh(squares(residual, spread=spread))[-1] == pytest.approx(
        weigh(squares(2.0))[-1], rel=0.15
    )


def test_without_inliers_remains_the_expected_spread() -> None:
    assert tukey_weights(np.array([16.0]))[0] == pytest.approx((1 - (4 / 4.685) ** 2) ** 2)


def test_singular_equations_are_refused() -> None:
    with pytest.raises(AlignmentError, match='flat to the network'):
        solve(np.array([[4.0, 2.0], [2.0, 1.0]]), np.array([1.0, 0.5]))
    with pytest.raises(AlignmentError, match='scale came out as -1'):
        solve(np.eye(2), np.array([-1.0, 2.0]))

"""A network whose output falls where it should grow is told from other contradictions."""

import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.opposite_sign import explain_sign
from mono_depth_ros.core.scale.rank_correlation import rank_correlation
from mono_depth_ros.core.types import PredictionKind

HEIGHT, WIDTH = 48, 64
NEAR_FAR = (0.1, 80.0)
SAYS = 'the kind is probably depth where the card of the network says inverse depth'


def scene() -> torch.Tensor:
    """Return (H, W) inverse depth [1/m] of a floor with a box on it."""
    v, _ = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing='ij')
    inverse_depth = 0.2 + 0.02 * (v - 10).clamp(min=0)
    inverse_depth[15:30, 20:30] = 0.7
    return inverse_depth


def refusal(prediction: torch.Tensor, outliers: float = 0.0, **settings: object) -> str:
    """Return why a measurement of the scene was not used, '' if it was."""
    random = torch.Generator().manual_seed(0)
    measured = scene() * (1 + 0.02 * torch.randn(HEIGHT, WIDTH, generator=random))
    is_wrong = torch.rand(HEIGHT, WIDTH, generator=random) < outliers
    anything = 0.1 + torch.rand(HEIGHT, WIDTH, generator=random)
    one = AlignmentFilter(
        AlignmentSettings(source='disparity', **settings), PredictionKind.INVERSE_DEPTH
    )
    measurement = DepthMeasurement(anything.where(is_wrong, measured), 0.005)
    one.observe(0, prediction, {'disparity': measurement}, NEAR_FAR)
    assert (one.state is None) == bool(one.refusal)
    return one.refusal


@pytest.mark.parametrize('method', ['robust', 'least_squares', 'min_max'])
@pytest.mark.parametrize('outliers', [0.0, 0.2])
def test_depth_taken_for_inverse_depth_says_so(method: str, outliers: float) -> None:
    for prediction in (1 / scene(), 3 - scene(), 2 / scene() + 1):
        assert SAYS in refusal(prediction, outliers, method=method)


@pytest.mark.parametrize('outliers', [0.0, 0.4])
def test_the_right_sign_is_used(outliers: float) -> None:
    assert refusal(2 * scene() + 1, outliers) == ''


def test_other_contradictions_do_not_say_so() -> None:
    noise = torch.rand(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    for said in (refusal(noise), refusal(2 * scene() + 1, 0.3, max_residual=0.001)):
        assert said
        assert SAYS not in said


def points(prediction: list[float], inverse_depth: list[float]) -> Correspondences:
    p, q = np.array(prediction), np.array(inverse_depth)
    return Correspondences(p, q, np.zeros((len(p), 2)), 0.005, np.ones(len(p)))


def test_rank_correlation() -> None:
    q = np.array([0.1, 0.2, 0.4, 0.8])
    assert rank_correlation(np.array([1.0, 2, 3, 9]), q) == pytest.approx(1)
    assert rank_correlation(np.array([9.0, 3, 2, 1]), q) == pytest.approx(-1)
    assert rank_correlation(np.array([2.0, 1, 4, 3]), q) == pytest.approx(0.6)
    assert rank_correlation(np.ones(4), np.ones(4)) == 0, 'equal values have no order'
    assert rank_correlation(np.array([1.0, 1, 2, 2]), q) == pytest.approx(0.894, abs=1e-3)
    assert explain_sign(points([], [])) == ''
    assert explain_sign(points([3, 2, 1], [0.3, 0.3, 0.3])) == ''  # a wall tells no sign

"""When a new fit replaces the sum of earlier ones instead of joining it."""

import pytest
import torch

from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.types import PredictionKind

SCALE, SHIFT = 0.25, -0.1
SMOOTHING = 0.75
SECOND = 1_000_000_000


def scale_after(change: float, noise: float) -> float:
    """Return the scale, in units of the first, after a network's output shrank by `change`."""
    v = torch.arange(48.0)[:, None].expand(48, 64)
    inverse_depth = 0.2 + 0.02 * v
    one = AlignmentFilter(
        AlignmentSettings(source='disparity', smoothing=SMOOTHING), PredictionKind.INVERSE_DEPTH
    )
    for k, factor in enumerate((1.0, 1.0 + change)):
        generator = torch.Generator().manual_seed(k)
        noisy = inverse_depth * (1 + noise * torch.randn(48, 64, generator=generator))
        prediction = (inverse_depth / factor - SHIFT) / SCALE
        one.observe(
            k * SECOND, prediction, {'disparity': DepthMeasurement(noisy, 0.005)}, (0.1, 80.0)
        )
    alignment, why = one.current(SECOND)
    assert alignment is not None, why
    return alignment.scale / SCALE


@pytest.mark.parametrize(('change', 'restarts'), [(0.009, False), (0.02, True)])
def test_an_exact_fit_replaces_a_sum_that_misses_by_one_percent(
    change: float, restarts: bool
) -> None:
    # The sum misses by SMOOTHING * change.
    weight = 1.0 if restarts else 1 - SMOOTHING
    assert scale_after(change, 0.0) == pytest.approx(1 + weight * change, abs=change / 20)


@pytest.mark.parametrize(('change', 'restarts'), [(0.02, False), (0.1, True)])
def test_a_noisy_fit_replaces_a_sum_that_misses_by_a_fifth_more(
    change: float, restarts: bool
) -> None:
    # The fit misses by 0.6745 * 0.1 in the median; a sum may miss by 0.091.
    weight = 1.0 if restarts else 1 - SMOOTHING
    assert scale_after(change, 0.1) == pytest.approx(1 + weight * change, abs=0.01)

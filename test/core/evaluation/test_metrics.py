import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.evaluation.metrics import (
    align_affine,
    aligned_depth,
    constant_baseline,
    depth_metrics,
    median_scale,
    row_gradient_baseline,
)


def test_metrics_of_a_hand_made_case() -> None:
    truth = torch.tensor([[1.0, 2.0, 4.0, 8.0]])
    depth = torch.tensor([[1.1, 2.0, 3.0, 16.0]])
    result = depth_metrics(depth, truth)
    assert result.n == 4
    assert result.abs_rel == pytest.approx((0.1 + 0 + 0.25 + 1) / 4)
    assert result.sq_rel == pytest.approx((0.01 + 0 + 0.25 + 8) / 4)
    assert result.rmse == pytest.approx(math.sqrt((0.01 + 1 + 64) / 4))
    assert (result.delta1, result.delta2, result.delta3) == (0.5, 0.75, 0.75)
    logs = np.log([1.1, 1.0, 0.75, 2.0])
    assert result.rmse_log == pytest.approx(np.sqrt(np.mean(logs**2)))
    assert result.log10 == pytest.approx(np.mean(np.abs(logs)) / math.log(10))
    assert result.silog == pytest.approx(100 * np.std(logs))


def test_only_valid_pixels_are_judged() -> None:
    truth = torch.tensor([[1.0, math.nan, 0.0, 2.0, 3.0]])
    depth = torch.tensor([[1.0, 1.0, 1.0, math.nan, 4.0]])
    assert depth_metrics(depth, truth).n == 2
    left_out = torch.tensor([[True, True, True, True, False]])
    assert depth_metrics(depth, truth, left_out).abs_rel == 0


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(ValueError, match='no pixel'):
        depth_metrics(torch.full((2, 2), math.nan), torch.ones(2, 2))
    with pytest.raises(ValueError, match='differ'):
        depth_metrics(torch.ones(2, 2), torch.ones(2, 3))
    with pytest.raises(ValueError, match='no pixel is valid'):
        align_affine(torch.ones(2, 2), torch.ones(2, 2), torch.zeros(2, 2, dtype=torch.bool))


def test_affine_fit_recovers_scale_and_shift() -> None:
    inverse = torch.rand(20, 30, generator=torch.Generator().manual_seed(1)) + 0.1
    prediction = (inverse - 0.05) / 0.02
    prediction[0, 0] = 1e6
    valid = torch.ones(20, 30, dtype=torch.bool)
    valid[0, 0] = False
    fit = align_affine(prediction, inverse, valid)
    assert fit.scale == pytest.approx(0.02, rel=1e-5)
    assert fit.shift == pytest.approx(0.05, rel=1e-4)
    backwards = align_affine(-prediction, inverse, valid)
    assert backwards.scale == pytest.approx(-0.02, rel=1e-5)
    flat = align_affine(torch.full((20, 30), 3.0), inverse, valid)
    assert flat.scale == 0
    assert flat.shift == pytest.approx(float(inverse[valid].mean()))


def test_median_scale() -> None:
    depth = torch.tensor([[1.0, 2.0, 5.0, math.inf, 7.0]])
    truth = torch.tensor([[3.0, 4.0, 9.0, 10.0, 1.0]])
    valid = torch.tensor([[True, True, True, True, False]])
    assert median_scale(depth, truth, valid) == pytest.approx(6.5 / 3.5)
    with pytest.raises(ValueError, match='median depth is inf'):
        median_scale(depth, truth, depth > 8)
    with pytest.raises(ValueError, match='no pixel is valid'):
        median_scale(depth, truth, torch.zeros_like(valid))


def test_fit_that_passes_zero_ends_at_the_farthest_truth() -> None:
    truth = torch.tensor([[1.0, 1.0, 1.0, 10.0, 9.0]])
    prediction = torch.tensor([[5.0, 5.0, 5.0, 0.0, -20.0]])
    depth = aligned_depth(prediction, truth)
    assert float(depth.max()) == pytest.approx(10.0)
    assert bool((depth > 0).all())


def test_real_network_output_scores_as_recorded(shared_dir: Path) -> None:
    folder = shared_dir / 'data/rgbd/nyu_fastdepth'
    depth, truth = (
        torch.from_numpy(np.load(folder / name).squeeze()) for name in ('pred.npy', 'depth.npy')
    )
    result = depth_metrics(depth, truth)
    assert f'{result.abs_rel:.4f} {result.rmse:.3f} {result.delta1:.3f}' == '0.1405 0.618 0.777'


def read_depth(path: Path, unit: float) -> torch.Tensor:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    raw = raw[..., 0] if raw.ndim == 3 else raw
    return torch.from_numpy(raw.astype(np.float64) / unit)


def guesses(truth: torch.Tensor) -> Iterator[str]:
    for guess in (constant_baseline, row_gradient_baseline):
        result = depth_metrics(aligned_depth(guess(*truth.shape), truth), truth)
        yield f'{result.abs_rel:.3f} / {result.delta1:.3f}'


@pytest.mark.parametrize(
    ('name', 'unit', 'constant', 'row_gradient'),
    [
        ('tum/depth.png', 5000, '0.124 / 0.837', '0.116 / 0.836'),
        ('redwood/depth_0.png', 1000, '0.234 / 0.519', '0.172 / 0.660'),
        ('icl_nuim/depth_1.png', 5000, '0.187 / 0.872', '0.186 / 0.807'),
        ('icl_nuim/depth_2.png', 5000, '0.328 / 0.335', '0.312 / 0.356'),
    ],
)
def test_guesses_score_as_recorded_on_depth_cameras(
    shared_dir: Path, name: str, unit: float, constant: str, row_gradient: str
) -> None:
    truth = read_depth(shared_dir / 'data/rgbd' / name, unit)
    assert tuple(guesses(truth)) == (constant, row_gradient)


def test_guesses_score_as_recorded_on_cones(shared_dir: Path) -> None:
    disparity = read_depth(shared_dir / 'data/stereo/cones/disp_left.png', 4)
    assert tuple(guesses(disparity.reciprocal())) == ('0.306 / 0.313', '0.112 / 0.870')


def test_guesses_on_motorcycle(shared_dir: Path) -> None:
    """The recorded row differs (0.218 / 0.548, 0.136 / 0.791); these follow from SOURCE.txt."""
    disparity = np.load(shared_dir / 'data/stereo/motorcycle/disp.npz')['arr_0']
    truth = torch.from_numpy(0.193001 * 994.978 / (disparity.astype(np.float64) + 31.086))
    assert tuple(guesses(truth)) == ('0.229 / 0.493', '0.141 / 0.768')

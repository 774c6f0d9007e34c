import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.evaluation.metrics import (
    align_affine,
    constant_baseline,
    depth_metrics,
    edge_f_score,
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


def test_only_valid_pixels_are_evaluated() -> None:
    truth = torch.tensor([[1.0, math.nan, 0.0, 2.0, 3.0]])
    depth = torch.tensor([[1.0, 1.0, 1.0, math.nan, 4.0]])
    assert depth_metrics(depth, truth).n == 2
    left_out = torch.tensor([[True, True, True, True, False]])
    assert depth_metrics(depth, truth, left_out).abs_rel == 0


def test_nothing_to_evaluate_is_an_error() -> None:
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


def test_real_network_output_scores_as_recorded(shared_dir: Path) -> None:
    folder = shared_dir / 'data/rgbd/nyu_fastdepth'
    depth, truth = (
        torch.from_numpy(np.load(folder / name).squeeze()) for name in ('pred.npy', 'depth.npy')
    )
    result = depth_metrics(depth, truth)
    assert f'{result.abs_rel:.4f} {result.rmse:.3f} {result.delta1:.3f}' == '0.1405 0.618 0.777'


def pair_by_pair(depth: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    """Compute the score from its definition, with loops over pixels, pairs and thresholds."""
    height, width = truth.shape
    scores, weights = [], []
    for t in np.linspace(1.05, 1.25, 10):
        hits = edges = true_edges = 0
        for v in range(height):
            for u in range(width):
                for dv, du in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                    y, x = v + dv, u + du
                    if not (0 <= y < height and 0 <= x < width and valid[v, u] and valid[y, x]):
                        continue
                    true_edge = truth[y, x] / truth[v, u] > t
                    edge = depth[y, x] / depth[v, u] > t  # False with NaN
                    edges, true_edges = edges + edge, true_edges + true_edge
                    hits += edge and true_edge
        if true_edges:
            precision = hits / edges if edges else 0.0
            recall = hits / true_edges
            both = precision + recall
            scores.append(2 * precision * recall / both if both else 0.0)
            weights.append(t)
    return float(np.average(scores, weights=weights))


def step(left: float, right: float, at: int, width: int = 10) -> torch.Tensor:
    row = torch.full((width,), right)
    row[:at] = left
    return row.expand(6, width).clone()


def test_edge_score_follows_from_its_definition() -> None:
    random = np.random.default_rng(3)
    truth = np.exp(random.normal(0, 0.1, (9, 12)))
    depth = truth * np.exp(random.normal(0, 0.05, truth.shape))
    depth[2, 3:6] = np.nan
    valid = random.random(truth.shape) > 0.1
    expected = pair_by_pair(depth, truth, valid)
    assert 0.4 < expected < 0.95
    arguments = [torch.from_numpy(array) for array in (depth, truth, valid)]
    assert edge_f_score(*arguments) == pytest.approx(expected, abs=1e-12)


def test_edge_score_is_perfect_at_any_scale() -> None:
    truth = step(2.0, 3.0, 4)
    assert edge_f_score(truth, truth) == 1
    assert edge_f_score(7 * truth, truth) == pytest.approx(1)


def test_an_edge_elsewhere_or_the_other_way_is_no_hit() -> None:
    truth = step(2.0, 3.0, 4)
    assert edge_f_score(step(2.0, 3.0, 5), truth) == 0
    assert edge_f_score(step(3.0, 2.0, 4), truth) == 0
    assert edge_f_score(step(2.0, 2.0, 4), truth) == 0


def test_a_false_edge_costs_precision() -> None:
    truth = step(2.0, 3.0, 4)
    depth = truth.clone()
    depth[:, 7:] = 9.0
    assert edge_f_score(depth, truth) == pytest.approx(2 * 0.5 / 1.5)


def test_a_weak_edge_is_missed_at_high_thresholds() -> None:
    t = np.linspace(1.05, 1.25, 10)
    expected = t[t < 1.15].sum() / t.sum()
    assert edge_f_score(step(2.0, 2.3, 4), step(2.0, 3.0, 4)) == pytest.approx(expected)


def test_unknown_depth_costs_recall_and_unknown_truth_nothing() -> None:
    truth = step(2.0, 3.0, 4)
    depth = truth.clone()
    depth[:3, 3] = math.nan
    assert edge_f_score(depth, truth) == pytest.approx(2 * 0.5 / 1.5)
    assert edge_f_score(torch.full_like(truth, math.nan), truth) == 0
    for unknown in (math.nan, 0.0, -1.0):
        holed = truth.clone()
        holed[:3, 3] = unknown
        assert edge_f_score(depth, holed) == 1
    assert edge_f_score(depth, truth, depth.isfinite()) == 1


def test_without_a_true_edge_there_is_no_edge_score() -> None:
    assert math.isnan(edge_f_score(step(2.0, 3.0, 4), step(2.0, 2.05, 4)))
    assert math.isnan(edge_f_score(torch.ones(1, 1), torch.ones(1, 1)))


def test_edges_need_equal_shapes() -> None:
    with pytest.raises(ValueError, match='differ'):
        edge_f_score(torch.ones(2, 2), torch.ones(2, 3))


def read_depth(path: Path, unit: float) -> torch.Tensor:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    raw = raw[..., 0] if raw.ndim == 3 else raw
    return torch.from_numpy(raw.astype(np.float64) / unit)


def scores(truth: torch.Tensor) -> Iterator[str]:
    for baseline in (constant_baseline, row_gradient_baseline):
        result = evaluate_best_fit(baseline(*truth.shape), truth).metrics
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
def test_baselines_score_as_recorded_on_depth_cameras(
    shared_dir: Path, name: str, unit: float, constant: str, row_gradient: str
) -> None:
    truth = read_depth(shared_dir / 'data/rgbd' / name, unit)
    assert tuple(scores(truth)) == (constant, row_gradient)


def test_baselines_score_as_recorded_on_cones(shared_dir: Path) -> None:
    disparity = read_depth(shared_dir / 'data/stereo/cones/disp_left.png', 4)
    assert tuple(scores(disparity.reciprocal())) == ('0.306 / 0.313', '0.112 / 0.870')


def test_baselines_on_motorcycle(shared_dir: Path) -> None:
    """The recorded row differs (0.218 / 0.548, 0.136 / 0.791); these follow from SOURCE.txt."""
    disparity = np.load(shared_dir / 'data/stereo/motorcycle/disp.npz')['arr_0']
    truth = torch.from_numpy(0.193001 * 994.978 / (disparity.astype(np.float64) + 31.086))
    assert tuple(scores(truth)) == ('0.229 / 0.493', '0.141 / 0.768')

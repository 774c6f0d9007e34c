import math

import numpy as np
import pytest
import torch

from mono_depth_ros.core.evaluation.edge_metrics import edge_f_score


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


def test_follows_from_its_definition() -> None:
    random = np.random.default_rng(3)
    truth = np.exp(random.normal(0, 0.1, (9, 12)))
    depth = truth * np.exp(random.normal(0, 0.05, truth.shape))
    depth[2, 3:6] = np.nan
    valid = random.random(truth.shape) > 0.1
    expected = pair_by_pair(depth, truth, valid)
    assert 0.4 < expected < 0.95
    arguments = [torch.from_numpy(array) for array in (depth, truth, valid)]
    assert edge_f_score(*arguments) == pytest.approx(expected, abs=1e-12)


def test_perfect_whatever_the_scale() -> None:
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


def test_without_a_true_edge_there_is_no_score() -> None:
    assert math.isnan(edge_f_score(step(2.0, 3.0, 4), step(2.0, 2.05, 4)))
    assert math.isnan(edge_f_score(torch.ones(1, 1), torch.ones(1, 1)))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match='differ'):
        edge_f_score(torch.ones(2, 2), torch.ones(2, 3))

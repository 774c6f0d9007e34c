from pathlib import Path

import pytest
import torch

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.evaluation.metrics import constant_baseline, row_gradient_baseline
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.views import sample_view
from training.exam import (
    BASELINES,
    EXAM_SEEDS,
    HEIGHT,
    WIDTH,
    ExamView,
    exam_seeds,
    load_exam,
    mean_metrics,
    score,
)


def test_seeds_are_two_hundred_and_apart_from_training() -> None:
    from training.dataset import FIRST_SEED

    seeds = exam_seeds()
    assert len(set(seeds)) == len(seeds) == 200
    assert all(seed in EXAM_SEEDS for seed in seeds)
    assert EXAM_SEEDS.stop <= FIRST_SEED


def test_exam_is_hard_for_those_who_know_nothing() -> None:
    constant, row = [], []
    for seed in exam_seeds()[::4]:
        depth = cast(*sample_view(seed, WIDTH // 4, HEIGHT // 4)).depth
        for results, baseline in ((constant, constant_baseline), (row, row_gradient_baseline)):
            results.append(evaluate_best_fit(baseline(*depth.shape), depth).metrics)
    assert mean_metrics(constant).abs_rel >= 0.30
    assert mean_metrics(row).abs_rel >= 0.20
    assert mean_metrics(row).n == 50 * (WIDTH // 4) * (HEIGHT // 4)


def test_predictors_are_scored_after_the_fit() -> None:
    depth = torch.linspace(1, 5, 48).view(6, 8)
    views = [ExamView(torch.zeros(6, 8, 3, dtype=torch.uint8), depth)]
    perfect = score(lambda rgb: 3 / depth - 7, views)
    assert perfect[0].abs_rel == pytest.approx(0, abs=1e-6)
    assert score(BASELINES['constant'], views)[0].abs_rel > 0.3


def test_cache_gives_back_what_was_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('training.exam.exam_seeds', lambda: [11, 12])
    first, second = load_exam(tmp_path), load_exam(tmp_path)
    assert len(list(tmp_path.glob('exam_*.npz'))) == 1
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one.rgb, two.rgb)
        assert torch.equal(one.depth, two.depth)
    assert first[0].rgb.shape == (HEIGHT, WIDTH, 3)

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.exam import (
    BASELINES,
    EXAM_SEEDS,
    TRAINING_SEED,
    ExamView,
    exam_seeds,
    exam_view,
    score,
)
from training.world.view_shards import ShardReader, StoredView, shard_stem, write_shard


def test_seeds_are_three_hundred_and_apart_from_training() -> None:
    seeds = exam_seeds()
    assert len(set(seeds)) == len(seeds) == 300
    assert all(seed in EXAM_SEEDS for seed in seeds)
    assert EXAM_SEEDS.stop <= TRAINING_SEED


def test_predictors_are_scored_after_the_fit() -> None:
    depth = torch.linspace(1, 5, 48).view(6, 8)
    views = [ExamView(torch.zeros(6, 8, 3, dtype=torch.uint8), depth, 50.0, 'k')]
    perfect = score(lambda rgb: 3 / depth - 7, views)
    assert perfect[0].abs_rel == pytest.approx(0, abs=1e-6)
    assert score(BASELINES['constant'], views)[0].abs_rel > 0.3


def test_sky_is_no_question(tmp_path: Path) -> None:
    inverse = np.full((6, 8), 0.5, np.float32)
    inverse[:2] = 0
    jpeg = cv2.imencode('.jpg', np.zeros((6, 8, 3), np.uint8))[1].ravel()
    write_shard(shard_stem(tmp_path, 0), [StoredView(jpeg, inverse, 5.0, 1, 'street')])
    view = exam_view(ShardReader(shard_stem(tmp_path, 0)), 0)
    assert view.depth[:2].isinf().all()
    assert (view.focal_px, view.kind) == (5.0, 'street')
    assert score(BASELINES['row gradient'], [view])[0].n == 32

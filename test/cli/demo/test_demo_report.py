"""The numbers of the demo: per frame, as a mean, in the report, and the verdict."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from mono_depth_ros.cli.batch import write_json
from mono_depth_ros.cli.demo.demo_report import (
    CONSTANT,
    FITTED,
    ROW_GRADIENT,
    Run,
    Score,
    published_score,
    reference_scores,
    shortcomings,
)


def floor_and_wall() -> np.ndarray:
    """Return true depth (30, 40): the lower half nears with the row."""
    depth = np.full((30, 40), 4.0, np.float32)
    depth[15:] = (60 / np.arange(15, 30, dtype=np.float32))[:, None]
    return depth


def test_a_perfect_prediction_scores_zero_and_the_guesses_do_not() -> None:
    truth = floor_and_wall()
    published = published_score([truth.copy()], [truth])
    assert published == Score(abs_rel=0, delta1=1, rmse=0, pixels=1, known=1, frames=1)
    scores = reference_scores([1 / (7 / truth - 0.3)], [truth])
    assert scores[FITTED].abs_rel == pytest.approx(0, abs=1e-6)
    assert scores[FITTED].delta1 == 1
    # 1/z is 0.25 on the wall and v/60 on the floor, so its mean is 0.25 / 2 + 22 / 60 / 2.
    constant = 1 / (0.125 + 22 / 120)
    expected = np.abs(constant - truth) / truth
    assert scores[CONSTANT].abs_rel == pytest.approx(expected.mean(), rel=1e-5)
    assert 0 < scores[ROW_GRADIENT].abs_rel < scores[CONSTANT].abs_rel


def test_published_depth_is_judged_where_it_is_known_and_that_is_said() -> None:
    truth = floor_and_wall()
    depth = 1.1 * truth
    depth[:, :10] = np.nan
    score = published_score([depth], [truth])
    assert score.pixels == 0.75
    assert score.abs_rel == pytest.approx(0.1, rel=1e-5)


def test_depth_known_nowhere_scores_nan_not_well() -> None:
    truth = floor_and_wall()
    score = published_score([np.full_like(truth, np.nan)], [truth])
    assert (score.pixels, score.known, score.frames) == (0, 0, 1)
    assert math.isnan(score.abs_rel)


def test_the_network_is_fitted_where_its_own_depth_is_known() -> None:
    truth = floor_and_wall()
    depth = 1 / (7 / truth - 0.3)
    depth[:, :10] = np.nan
    score = reference_scores([depth, np.full_like(truth, np.nan)], [truth] * 2)[FITTED]
    assert score.abs_rel == pytest.approx(0, abs=1e-6)
    assert (score.pixels, score.known, score.frames) == (0.375, 1, 2)


def test_the_mean_is_over_frames_with_depth_and_the_others_are_counted() -> None:
    truth = floor_and_wall()
    depths = [1.1 * truth, 1.3 * truth, np.full_like(truth, np.nan)]
    mean = published_score(depths, [truth] * 3)
    assert mean.abs_rel == pytest.approx(0.2, rel=1e-5)
    assert mean.delta1 == pytest.approx(0.5)
    assert mean.pixels == pytest.approx(2 / 3)
    assert (mean.known, mean.frames) == (2, 3)


def run(robust: float, fitted: float, constant: float, known: int = 60) -> Run:
    values = {'none': 0.3, 'robust': robust, FITTED: fitted, CONSTANT: constant}
    scores = {name: Score(value, 0.5, 1.0, 1.0, 60, 60) for name, value in values.items()}
    scores['robust'] = replace(scores['robust'], known=known)
    return Run('drive 1', 60, 'robust', scores, 4.5, 5.0, {'p50': 40.0, 'p95': 50.0})


def test_the_verdict_is_whether_aligned_depth_is_metric() -> None:
    assert shortcomings(run(robust=0.25, fitted=0.2, constant=0.3)) == []
    (bad,) = shortcomings(run(robust=0.35, fitted=0.2, constant=0.3))
    assert bad == 'drive 1: AbsRel of robust is 0.350, no better than the 0.300 of ' + CONSTANT
    assert len(shortcomings(run(robust=0.3, fitted=0.3, constant=0.3))) == 2


def test_depth_that_is_mostly_unknown_is_a_failure() -> None:
    assert shortcomings(run(0.2, 0.1, 0.3, known=54)) == []
    (bad,) = shortcomings(run(0.2, 0.1, 0.3, known=53))
    assert bad == 'drive 1: with robust only 53 of 60 frames have depth'


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_number_that_is_none_is_a_failure(value: float) -> None:
    (bad,) = shortcomings(run(value, 0.2, 0.3))
    assert bad.startswith(f'drive 1: AbsRel of robust is {value}, no better')
    assert len(shortcomings(run(value, value, 0.3))) == 2


def test_nothing_scored_is_a_failure() -> None:
    found = run(robust=0.2, fitted=0.2, constant=0.3)
    found.scores['robust'] = published_score([], [])
    assert found.scores['robust'].frames == 0
    assert 'AbsRel of robust is nan' in shortcomings(found)[0]


def test_the_json_report_holds_all_numbers_and_null_for_none(tmp_path: Path) -> None:
    path = tmp_path / 'report.json'
    sources = [asdict(run(math.nan, 0.2, 0.3))]
    write_json(path, {'sources': sources})
    content = json.loads(path.read_text())
    (only,) = content['sources']
    expected = {'delta1': 0.5, 'rmse': 1.0, 'pixels': 1.0, 'known': 60, 'frames': 60}
    assert only['scores'][FITTED] == {'abs_rel': 0.2, **expected}
    assert only['scores']['robust'] == {'abs_rel': None, **expected}
    assert (only['rate_hz'], only['latency_ms']['p95']) == (4.5, 50.0)

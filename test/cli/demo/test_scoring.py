"""The numbers of the demo: per frame, as a mean, in the report, and the verdict."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mono_depth_ros.cli.demo.calibration import Calibration
from mono_depth_ros.cli.demo.report import Section, shortcomings, write_json
from mono_depth_ros.cli.demo.scoring import (
    ALIGNED,
    CONSTANT,
    PUBLISHED,
    ROW_GRADIENT,
    Score,
    mean_scores,
    score_frame,
)
from mono_depth_ros.core.types import Alignment


def floor_and_wall() -> np.ndarray:
    """Return true depth (30, 40): the lower half nears with the row."""
    depth = np.full((30, 40), 4.0, np.float32)
    depth[15:] = (60 / np.arange(15, 30, dtype=np.float32))[:, None]
    return depth


def test_a_perfect_prediction_scores_zero_and_the_guesses_do_not() -> None:
    truth = floor_and_wall()
    score = score_frame(truth.copy(), 7 / truth - 0.3, truth)
    assert score.coverage == 1
    assert score.metrics[PUBLISHED].abs_rel == 0
    assert score.metrics[ALIGNED].abs_rel == pytest.approx(0, abs=1e-6)
    assert score.metrics[ALIGNED].delta1 == 1
    # 1/z is 0.25 on the wall and v/60 on the floor, so its mean is 0.25 / 2 + 22 / 60 / 2.
    constant = 1 / (0.125 + 22 / 120)
    expected = np.abs(constant - truth) / truth
    assert score.metrics[CONSTANT].abs_rel == pytest.approx(expected.mean(), rel=1e-5)
    assert 0 < score.metrics[ROW_GRADIENT].abs_rel < score.metrics[CONSTANT].abs_rel


def test_published_depth_is_judged_where_it_is_known_and_that_is_said() -> None:
    truth = floor_and_wall()
    depth = 1.1 * truth
    depth[:, :10] = np.nan
    score = score_frame(depth, 1 / truth, truth)
    assert score.coverage == 0.75
    assert score.metrics[PUBLISHED].abs_rel == pytest.approx(0.1, rel=1e-5)
    assert score.metrics[PUBLISHED].n == 900
    assert score.metrics[CONSTANT].n == 1200


def test_depth_known_nowhere_scores_nan_not_well() -> None:
    truth = floor_and_wall()
    score = score_frame(np.full_like(truth, np.nan), 1 / truth, truth)
    assert score.coverage == 0
    assert math.isnan(score.metrics[PUBLISHED].abs_rel)


def test_the_mean_is_over_frames() -> None:
    truth = floor_and_wall()
    frames = [score_frame(factor * truth, 1 / truth, truth) for factor in (1.1, 1.3)]
    mean = mean_scores(frames)
    assert mean[PUBLISHED].abs_rel == pytest.approx(0.2, rel=1e-5)
    assert mean[PUBLISHED].delta1 == pytest.approx(0.5)


def section(aligned: float, constant: float, published: float = 0.2) -> Section:
    values = {PUBLISHED: published, ALIGNED: aligned, CONSTANT: constant}
    scores = {name: Score(value, 0.5, 1.0, 1.0) for name, value in values.items()}
    return Section('drive 1', 3, 3, scores, 4.5, 5.0, {'p50': 40.0, 'p95': 50.0}, ())


def test_the_verdict_is_whether_depth_beats_a_constant() -> None:
    assert shortcomings(section(aligned=0.2, constant=0.3)) == []
    (bad,) = shortcomings(section(aligned=0.3, constant=0.3))
    assert bad == (
        'drive 1: AbsRel affine-aligned per frame is 0.300, no better than the 0.300 of a constant'
    )


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_number_that_is_none_is_a_failure(value: float) -> None:
    assert shortcomings(section(0.2, 0.3, published=value)) == [
        f'drive 1: AbsRel as published is {value}'
    ]
    assert len(shortcomings(section(aligned=value, constant=0.3))) == 2


def test_nothing_scored_is_a_failure() -> None:
    empty = Section('drive 1', 0, 0, {}, math.nan, 5.0, {}, ())
    assert shortcomings(empty) == ['drive 1: no frame came out that could be scored']


def test_the_json_report_holds_all_numbers_and_null_for_none(tmp_path: Path) -> None:
    path = tmp_path / 'report.json'
    calibration = Calibration(Alignment(0.5, -0.1), 12, 0.15)
    write_json(path, [section(0.2, 0.3, published=math.nan)], calibration, seed=1000)
    content = json.loads(path.read_text())
    assert content['calibration'] == {
        'drive': 1000,
        'alignment': {'scale': 0.5, 'shift': -0.1},
        'views': 12,
        'abs_rel': 0.15,
    }
    (only,) = content['sources']
    assert only['scores'][ALIGNED] == {'abs_rel': 0.2, 'delta1': 0.5, 'rmse': 1.0, 'coverage': 1.0}
    assert only['scores'][PUBLISHED]['abs_rel'] is None
    assert (only['rate_hz'], only['latency_ms']['p95']) == (4.5, 50.0)

from collections.abc import Iterator

import numpy as np
import pytest

from mono_depth_ros.cli.evaluate.depth_maps import LazyMap
from mono_depth_ros.cli.evaluate.input_pairs import by_moment, by_name
from mono_depth_ros.core.errors import EvaluationError


def named(*names: str) -> list[LazyMap]:
    return [LazyMap(name, None, lambda: np.ones((1, 1), np.float32)) for name in names]


def timed(*moments_ms: float) -> list[LazyMap]:
    return [
        LazyMap(f'{ms}', int(ms * 1e6), lambda: np.ones((1, 1), np.float32)) for ms in moments_ms
    ]


def test_by_name() -> None:
    pairs = by_name(named('a', 'b', 'c'), named('c', 'd', 'a'))
    assert [(p.prediction.name, p.truth.name) for p in pairs] == [('c', 'c'), ('a', 'a')]


def test_folders_common_to_all_are_no_part_of_names() -> None:
    pairs = by_name(named('out/s1/1', 'out/s2/1'), named('s1/1', 's2/1', 's2/2'))
    assert [(p.prediction.name, p.truth.name) for p in pairs] == [
        ('out/s1/1', 's1/1'),
        ('out/s2/1', 's2/1'),
    ]


def test_one_and_one_are_a_pair_whatever_they_are_called() -> None:
    assert len(by_name(named('left'), named('disp0GT'))) == 1


def test_no_common_name_is_an_error_that_shows_both() -> None:
    with pytest.raises(EvaluationError, match=r"'a', 'b', 'c' and 1 more, truths 'x', 'y'"):
        by_name(named('a', 'b', 'c', 'd'), named('x', 'y'))


def test_by_moment_takes_the_nearest_within_20_ms() -> None:
    pairs = by_moment(timed(0, 33, 66, 99, 250), timed(10, 20, 66, 119, 120, 271))
    found = [(pair.prediction.name, pair.truth.name) for pair in pairs]
    assert found == [('0', '10'), ('33', '20'), ('66', '66'), ('99', '119')]


def test_by_moment_reads_both_side_by_side() -> None:
    """No more than one prediction beyond the truth's moment is ever taken."""
    taken = []

    def predictions() -> Iterator[LazyMap]:
        for frame in timed(*range(0, 1000, 100)):
            taken.append(frame.name)
            yield frame

    pairs = by_moment(predictions(), timed(*range(0, 1000, 100)))
    next(pairs)
    assert taken == ['0']
    next(pairs)
    assert taken == ['0', '100']


def test_by_moment_without_any_prediction() -> None:
    assert list(by_moment([], timed(1, 2))) == []


def test_time_that_jumps_back_or_is_missing() -> None:
    with pytest.raises(EvaluationError, match='frame 1 comes after 2: time jumps back'):
        list(by_moment(timed(0, 2, 1), timed(0, 3)))
    with pytest.raises(EvaluationError, match="frame 'a' bears no time"):
        list(by_moment(named('a'), timed(0)))

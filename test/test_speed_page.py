"""The page about speed shows what was measured."""

import json
from pathlib import Path

import cv2
import pytest

from benchmarks import speed

FOUND = json.loads(speed.RESULTS.read_text())


def test_tables_are_those_of_the_results() -> None:
    page = (speed.ROOT / 'docs' / 'speed.md').read_text()
    for part in speed.table(FOUND).split('\n\n'):
        assert part in page
    assert FOUND['date'] in page


def test_picture_shows_networks_and_steps(tmp_path: Path) -> None:
    speed.draw(tmp_path / 'drawn.png', FOUND)
    drawn, committed = (cv2.imread(str(p)) for p in (tmp_path / 'drawn.png', speed.PICTURE))
    assert drawn.shape == committed.shape
    blue = (drawn[..., 0] > 150) & (drawn[..., 2] < 60)
    assert 0.1 < blue.mean() < 0.6


@pytest.mark.parametrize(('value', 'shown'), [(8.94, '8.9'), (99.96, '100.0'), (2543.2, '2543')])
def test_times_have_as_many_digits_as_mean_something(value: float, shown: str) -> None:
    assert speed.milliseconds(value) == shown

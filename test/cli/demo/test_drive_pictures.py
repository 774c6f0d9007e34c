"""The pictures of the drive: which view, and what is in the panel."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from plyfile import PlyData

from mono_depth_ros.cli.demo.drive_pictures import (
    CLOUD,
    CLOUD_PICTURE,
    SHOWN,
    caption,
    draw_clouds,
    draw_panel,
    palette_of,
    telling_view,
)
from mono_depth_ros.cli.demo.recorder import Sample
from mono_depth_ros.cli.demo.trial import LIDAR, NONE, STEREO, Trial
from mono_depth_ros.core.camera.pinhole import PinholeCamera

WALL = np.full((48, 64), 3.0, np.float32)
POST = WALL.copy()
POST[:, 20:40] = 1.0
TWO_POSTS = POST.copy()
TWO_POSTS[:, 50:60] = 1.0


def trials_of(truths: list[np.ndarray], factors: dict[str, list[float]]) -> list[Trial]:
    """Return trials whose depth is the truth of a view times a factor; NaN is unknown."""
    color = np.full((48, 64, 3), (10, 200, 30), np.uint8)
    trials = []
    for method in (*SHOWN, LIDAR):
        trial = Trial(method, len(truths))
        for truth, factor in zip(truths, factors.get(method, [1.0] * 9), strict=False):
            trial.samples.append(Sample(0, np.float32(factor) * truth, truth, color))
        trials.append(trial)
    return trials


def test_the_view_is_that_with_the_most_things_in_it() -> None:
    trials = trials_of([WALL, POST, TWO_POSTS, WALL + 1], {STEREO: [1.0, 1.1, 1.4, 1.3]})
    chosen = telling_view(trials)
    assert chosen is not None
    assert chosen.truth is TWO_POSTS
    assert chosen in next(trial for trial in trials if trial.method == STEREO).samples


def test_a_view_that_all_methods_answered_comes_first() -> None:
    unanswered = {LIDAR: [1.0, np.nan], STEREO: [1.5, 1.0]}
    chosen = telling_view(trials_of([WALL, TWO_POSTS], unanswered))
    assert chosen is not None
    assert chosen.truth is WALL
    assert telling_view(trials_of([WALL], {STEREO: [np.nan]})) is None


def test_colors_reach_from_the_nearest_to_the_farthest_thing() -> None:
    samples = trials_of([WALL, POST], {})[0].samples
    norm = palette_of(samples).norm
    assert (norm.vmin, norm.vmax) == (pytest.approx(0.9), pytest.approx(3.3))


def test_a_caption_says_how_much_is_known() -> None:
    depth = 1.1 * WALL
    depth[:, :16] = np.nan
    assert caption(depth, WALL) == 'AbsRel 0.100 on 75% of the pixels'
    assert caption(np.full_like(WALL, np.nan), WALL) == ''


def test_the_panel_shows_image_truth_and_depth_of_every_view(tmp_path: Path) -> None:
    near, far = np.full_like(WALL, 2.0), np.full_like(WALL, 4.0)
    trials = trials_of([near, far], {STEREO: [np.nan, np.nan], NONE: [1.0, 1.0]})
    draw_panel(tmp_path / 'panel.png', 'title', trials)
    picture = cv2.imread(str(tmp_path / 'panel.png'))[..., ::-1].astype(float)
    columns = 2 + len(SHOWN)
    assert picture.shape[1] == pytest.approx(columns * 330 + 10, abs=2)
    image = (picture == (10, 200, 30)).all(axis=2)
    assert image.sum() == image[:, :330].sum() == pytest.approx(2 * 320 * 240, rel=0.03)
    palette = palette_of(trials[0].samples)
    for column, value, black in ((1, 2.0, False), (2, 4.0, False), (3, 2.0, True)):
        painted = 255 * np.array(palette.colors(palette.norm(value))[:3])
        wanted = np.zeros(3) if black else painted
        found = (np.abs(picture - wanted) < 2).all(axis=2)
        count = found[:-100, 330 * column + 5 : 330 * (column + 1) + 5].sum()
        assert count == pytest.approx((2 if black else 1) * 320 * 240, rel=0.05)


def test_the_clouds_are_those_of_the_methods_that_know_anything(tmp_path: Path) -> None:
    trials = trials_of([POST], {NONE: [np.nan]})
    draw_clouds(tmp_path, trials[0].samples[0], trials, PinholeCamera(64, 48, 60, 60, 31.5, 23.5))
    vertices = PlyData.read(str(tmp_path / CLOUD))['vertex']
    assert len(vertices) == POST.size
    assert set(np.unique(vertices['z'])) == {1.0, 3.0}
    rows = len(SHOWN)  # one is unknown, and the truth comes last
    height = cv2.imread(str(tmp_path / CLOUD_PICTURE)).shape[0]
    assert height == pytest.approx(rows * 630 + 140, abs=2)

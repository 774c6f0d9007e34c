"""What the field of corrections misses where its own measurements were left out."""

from dataclasses import replace

import numpy as np
import pytest

from mono_depth_ros.core.scale.cell_variances import sensed_variances
from mono_depth_ros.core.scale.correction_field import Residuals, Samples, correction_field
from mono_depth_ros.core.scale.diffusion import Floats, Grid
from mono_depth_ros.core.scale.held_out import held_out, untold

SIZE = (32, 40)
NOISE = 0.01


def residuals(log_ratio: Floats, is_measured: Floats | None = None, seed: int = 0) -> Residuals:
    """Return those of a correction (h, w), of which every cell that is measured is told."""
    cells = np.flatnonzero(np.ones(SIZE) if is_measured is None else is_measured)
    grid = Grid(np.zeros(SIZE, np.float32), np.zeros((*SIZE, 3), np.float32))
    noise = NOISE * np.random.default_rng(seed).standard_normal(len(cells))
    samples = Samples(
        cells,
        (log_ratio.ravel()[cells] + noise).astype(np.float32),
        np.full(len(cells), NOISE**2, np.float32),
        np.empty(0, np.int64),
        np.zeros(len(cells), np.bool_),
    )
    return correction_field(grid, samples)


def wave(cells: float) -> Floats:
    """Return a correction of 10 % that comes again after so many cells."""
    return (0.1 * np.sin(2 * np.pi * np.arange(SIZE[1]) / cells) * np.ones(SIZE)).astype(
        np.float32
    )


def deviation(found: Residuals) -> float:
    told = held_out(found)
    assert told is not None
    return float(np.sqrt(told.variance.mean()))


def test_where_the_network_is_right_only_noise_is_left() -> None:
    assert deviation(residuals(np.zeros(SIZE, np.float32))) < NOISE


def test_what_changes_from_place_to_place_is_told_by_no_other_place() -> None:
    smooth, rough = (deviation(residuals(wave(cells))) for cells in (80, 10))
    assert smooth < 0.02
    assert rough > 2 * smooth
    assert 0.03 < rough < 0.1


def test_a_wrong_scale_is_told_by_every_other_place() -> None:
    assert deviation(residuals(np.full(SIZE, 0.2, np.float32))) < NOISE


def test_the_error_of_each_cell_has_how_little_the_others_tell() -> None:
    is_measured = np.zeros(SIZE)
    is_measured[::8] = 1
    found = held_out(residuals(wave(20), is_measured))
    assert found is not None
    assert found.variance.shape == found.untold.shape == (int(is_measured.sum()),)
    assert 0 < found.untold.min() < found.untold.max() < 0.1  # a block of 4 at the border


def test_far_away_all_is_untold_and_at_measurements_nothing() -> None:
    is_measured = np.zeros(SIZE)
    is_measured[:, :4] = 1
    share = untold(residuals(wave(20), is_measured), is_measured > 0)
    np.testing.assert_allclose(share[:, :4], 0, atol=1e-3)
    assert (np.diff(share[16]) >= -1e-6).all()
    assert 0.6 < share[:, 30:].min() <= share.max() <= 1


def test_less_is_told_across_an_edge() -> None:
    """Of two places equally far from what was measured."""
    is_measured = np.zeros(SIZE)
    is_measured[:, 20] = 1
    with_edge = np.zeros(SIZE, np.float32)
    with_edge[:, 24:] = 1.0
    found = replace(
        residuals(wave(20), is_measured),
        grid=Grid(with_edge, np.zeros((*SIZE, 3), np.float32)),
    )
    share = untold(found, is_measured > 0)
    assert share[16, 25] > 1.5 * share[16, 15]


@pytest.mark.parametrize('share', [0.1, 0.3])
def test_outliers_are_no_error_of_the_field(share: float) -> None:
    ratio = np.zeros(SIZE, np.float32)
    ratio[np.random.default_rng(1).random(SIZE) < share] = 0.6
    assert deviation(residuals(ratio)) < 2 * NOISE


def test_one_block_is_compared_with_nothing() -> None:
    is_measured = np.zeros(SIZE)
    is_measured[4:8, 8:12] = 1
    assert held_out(residuals(wave(20), is_measured)) is None


@pytest.mark.parametrize('shift', range(8))
@pytest.mark.parametrize('step', [5, 8, 9, 16])
def test_places_of_any_pattern_tell_each_other(step: int, shift: int) -> None:
    """As the zones of a ToF sensor, which may all lie on one color of a fixed checkerboard."""
    is_measured = np.zeros(SIZE)
    is_measured[shift::step, shift::step] = 1
    found = held_out(residuals(wave(20), is_measured))
    assert found is not None
    assert len(found.variance) == is_measured.sum()


def test_one_place_more_changes_little() -> None:
    variances = []
    for more in (0, 1):
        is_measured = np.zeros(SIZE)
        is_measured[4::8, 4::8] = 1
        is_measured[1, 9] = more
        variances.append(sensed_variances(residuals(wave(20), is_measured)).between.max())
    assert 0.8 < variances[1] / variances[0] < 1.25


def test_what_held_out_measurements_miss_is_stated_between_measurements() -> None:
    """Of networks that are equally wrong at measurements; a scale is not what is missed."""
    is_measured = np.zeros(SIZE)
    is_measured[::8, ::4] = 1
    scale, smooth, rough = (
        float(np.median(sensed_variances(residuals(ratio, is_measured)).between) ** 0.5)
        for ratio in (np.full(SIZE, 0.07, np.float32), wave(40), wave(12))
    )
    assert scale < smooth < rough
    assert 0.013 < scale < 0.018
    assert 0.032 < rough < 0.045


def test_an_error_counts_as_twice_as_far_at_most() -> None:
    ratio = np.zeros(SIZE, np.float32)
    ratio[:, 20:] = 1.5
    one_side = np.zeros(SIZE)
    one_side[8:12, 16:24] = 1
    found = held_out(residuals(ratio, one_side))
    assert found is not None
    assert np.sqrt(found.variance.max()) == pytest.approx(0.7, abs=0.01)

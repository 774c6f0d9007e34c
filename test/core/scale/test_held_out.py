"""What the field of corrections misses where its own measurements were left out."""

import numpy as np
import pytest

from mono_depth_ros.core.scale.correction_field import Residuals, Samples, correction_field
from mono_depth_ros.core.scale.diffusion import Floats, Grid
from mono_depth_ros.core.scale.held_out import anchor_distance, held_out

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


def test_the_error_of_each_cell_has_its_distance() -> None:
    is_measured = np.zeros(SIZE)
    is_measured[::8] = 1
    found = held_out(residuals(wave(20), is_measured))
    assert found is not None
    assert found.variance.shape == found.distance.shape == (int(is_measured.sum()),)
    assert found.distance.min() == pytest.approx(1 / 40)
    assert found.distance.max() == pytest.approx(4 / 40)  # a block of 4 at the border


@pytest.mark.parametrize('share', [0.1, 0.3])
def test_outliers_are_no_error_of_the_field(share: float) -> None:
    ratio = np.zeros(SIZE, np.float32)
    ratio[np.random.default_rng(1).random(SIZE) < share] = 0.6
    assert deviation(residuals(ratio)) < 2 * NOISE


@pytest.mark.parametrize('rows', [slice(0, 0), slice(0, 4)])
def test_one_block_is_compared_with_nothing(rows: slice) -> None:
    is_measured = np.zeros(SIZE)
    is_measured[rows, 8:12] = 1
    is_measured[0, 8] = 1
    assert held_out(residuals(wave(20), is_measured)) is None


def test_distances_are_in_widths_of_the_grid() -> None:
    is_anchor = np.zeros(SIZE, np.bool_)
    is_anchor[:, 10] = True
    np.testing.assert_allclose(
        anchor_distance(is_anchor)[5, [10, 14, 30]], [0, 0.1, 0.5], atol=0.01
    )

"""What NumPy and OpenCV do on a CPU is, bit for bit, what torch does elsewhere."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
import torch

from mono_depth_ros.core.cpu_pixels import (
    bands,
    compared,
    interleaved,
    is_known,
    native,
    places,
    selected,
    thresholded,
    unknown_outside,
)

SPECIAL = [torch.nan, torch.inf, -torch.inf, 0.0, -0.0, 1.0, -1.0, 1e-40, 3.4e38]


def values(seed: int, shape: tuple[int, ...] = (17, 23)) -> torch.Tensor:
    """Return numbers of all sorts, so few that many are equal."""
    chosen = torch.randint(len(SPECIAL), shape, generator=torch.Generator().manual_seed(seed))
    return torch.tensor(SPECIAL)[chosen]


def mask(seed: int, shape: tuple[int, ...] = (17, 23)) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) > 0.5


def bits(found: torch.Tensor) -> list[int]:
    return found.contiguous().view(torch.int32).flatten().tolist()


@pytest.mark.parametrize('by', [operator.gt, operator.ge, operator.lt, operator.le, operator.eq])
def test_comparisons_are_those_of_torch(by: Callable[[Any, Any], Any]) -> None:
    one, other = values(0), values(1)
    assert torch.equal(compared(one, by, other), by(one, other))
    assert torch.equal(compared(one, by, 1.0), by(one, 1.0))
    assert torch.equal(compared(one, by, torch.inf), by(one, torch.inf))
    assert torch.equal(compared(one[::2, 1::3], by, other[::2, 1::3]), by(one, other)[::2, 1::3])


def test_known_is_what_is_finite() -> None:
    assert torch.equal(is_known(values(0)), values(0).isfinite())


@pytest.mark.parametrize('part', [(slice(None), slice(None)), (slice(None, None, 2), slice(1, 9))])
def test_pixels_that_are_not_kept_are_unknown(part: tuple[slice, slice]) -> None:
    given, is_kept = values(0), mask(1)
    expected = torch.where(is_kept, given, torch.nan)
    assert bits(unknown_outside(given[part], is_kept[part])) == bits(expected[part])
    assert bits(given) == bits(values(0)), 'the input is left alone'


@pytest.mark.parametrize('count', [3, 4, 5])
@pytest.mark.parametrize('shape', [(17, 23), (1, 1), (1, 40), (1, 0)])
def test_planes_are_interleaved_bit_by_bit(count: int, shape: tuple[int, int]) -> None:
    planes = [values(seed, shape) for seed in range(count)]
    # Colors are such numbers.
    planes[-1] = torch.randint(1 << 24, shape, dtype=torch.int32).view(torch.float32)
    found = interleaved(planes)
    assert found.shape == (*shape, count)
    assert bits(found) == bits(torch.stack(planes, dim=-1))


def test_values_between_two_thresholds_are_kept() -> None:
    inf, nan = torch.inf, torch.nan
    given = torch.tensor([-inf, -1.0, 0.0, 1e-30, 0.5, 2.0, 3.0, inf, nan])
    kept = torch.tensor([nan, nan, nan, 1e-30, 0.5, nan, nan, nan, nan])
    torch.testing.assert_close(thresholded(given, 0, 2), kept, rtol=0, atol=0, equal_nan=True)
    endless = thresholded(given, 0, inf)
    assert endless.isfinite().tolist() == [False] * 3 + [True] * 4 + [False] * 2
    assert given[1] == -1.0  # which stays as it is


@pytest.mark.parametrize('columns', [3, 4, 5])
def test_rows_are_selected_whole(columns: int) -> None:
    rows, is_kept = values(0, (300, columns)), mask(1, (300,))
    assert torch.equal(places(is_kept), is_kept.nonzero()[:, 0])
    assert bits(selected(rows, is_kept)) == bits(rows[is_kept])
    turned = places(is_kept).flip(0)
    assert bits(selected(rows, turned)) == bits(rows[turned])
    for which in (torch.zeros(300, dtype=torch.bool), torch.empty(0, dtype=torch.int64)):
        assert selected(rows, which).shape == (0, columns)


@pytest.mark.parametrize(('height', 'overlap'), [(1, 0), (1, 1), (5, 0), (6, 1), (7, 4), (9, 4)])
def test_bands_hold_every_span_of_rows_once(
    height: int, overlap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mono_depth_ros.core.cpu_pixels._BAND_PX', 25)
    rows = [range(height)[band] for band in bands(torch.empty(height, 10), overlap)]
    assert all(len(band) <= 2 + overlap for band in rows)
    spans = [band[k : k + overlap + 1] for band in rows for k in range(len(band) - overlap)]
    expected = [range(k, k + overlap + 1) for k in range(height - overlap)]
    assert (spans or [range(1)]) == (expected or [range(1)])
    assert sorted({row for band in rows for row in band}) == [*range(height)]


def test_an_array_for_numpy_shares_its_memory() -> None:
    given = values(0)
    by, array = native(given)
    assert torch.equal(
        torch.from_numpy(by.floor(array)).nan_to_num(7), given.floor().nan_to_num(7)
    )
    array[3, 4] = 5
    assert given[3, 4] == 5


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_gpu_does_the_same() -> None:
    given, other, is_kept = (it.cuda() for it in (values(0), values(1), mask(2)))
    assert torch.equal(compared(given, operator.ge, other).cpu(), values(0) >= values(1))
    assert torch.equal(is_known(given).cpu(), values(0).isfinite())
    kept = unknown_outside(given, is_kept)
    assert bits(kept.cpu()) == bits(unknown_outside(values(0), mask(2)))
    points = interleaved([given, other, kept])
    assert bits(points.cpu()) == bits(torch.stack([it.cpu() for it in (given, other, kept)], -1))
    rows, which = points.flatten(0, 1), is_kept.flatten()
    assert bits(selected(rows, which).cpu()) == bits(rows.cpu()[which.cpu()])
    assert bits(selected(rows, places(which)).cpu()) == bits(rows.cpu()[which.cpu()])

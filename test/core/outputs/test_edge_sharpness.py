import math

import pytest
import torch

from mono_depth_ros.core.outputs.edge_sharpness import edge_sharpness


def blurred(blur_px: float, center: float = 80.0, before: float = 1.0) -> torch.Tensor:
    """Return (120, 160) of a smeared step, upright, from `before` to 3."""
    share = (1 + ((torch.arange(160) - center) / (blur_px * 2**0.5)).erf()) / 2
    return (before + (3 - before) * share).expand(120, -1)


def of_gaussian(deviation_px: float) -> float:
    return math.erf(1 / (deviation_px * 2**0.5)) / math.erf(3 / (deviation_px * 2**0.5))


@pytest.mark.parametrize('blur_px', [1.0, 2.0, 3.0])
def test_is_that_of_a_gaussian(blur_px: float) -> None:
    q = blurred(blur_px)
    expected = pytest.approx(of_gaussian(blur_px), rel=1e-3)
    assert edge_sharpness(q, 1) == expected
    assert edge_sharpness(q.T, 1) == expected
    assert edge_sharpness(4 - q, 1) == expected
    assert edge_sharpness(0.01 * q, 1) == expected
    assert edge_sharpness(q + 0.5, 1) == expected


@pytest.mark.parametrize('radius', [2, 4])
def test_is_counted_in_pixels_of_the_network(radius: int) -> None:
    q = blurred(2.0 * radius).repeat(radius, 1)
    assert edge_sharpness(q, radius) == pytest.approx(of_gaussian(2.0), rel=1e-3)


def test_sharp_step_lies_in_the_middle() -> None:
    assert edge_sharpness(blurred(0.01, 79.5), 1) == 1


def test_dull_edges_beside_sharp_ones_do_not_count() -> None:
    """A network that smears all edges makes none that is sharp."""
    q = blurred(3.0).contiguous()
    q[60:] = blurred(1.0)[60:]
    assert edge_sharpness(q, 1) == pytest.approx(of_gaussian(1.0), rel=1e-3)


def test_flanks_of_something_thin_do_not_count() -> None:
    """Beyond a pole depth falls again, so that hardly any rise is left."""
    q = blurred(2.0).contiguous()
    q[59] = torch.nan
    q[60:] = 1 + 2 * torch.exp(-((torch.arange(160) - 40) ** 2) / 2)
    assert edge_sharpness(q, 1) == pytest.approx(of_gaussian(2.0), rel=1e-3)


def test_what_was_measured_or_is_unknown_does_not_count() -> None:
    q = blurred(2.0).contiguous()
    q[60:] = blurred(0.5)[60:]
    is_lower = torch.zeros(q.shape, dtype=torch.bool)
    is_lower[60:] = True
    dull = pytest.approx(of_gaussian(2.0), rel=1e-3)
    assert edge_sharpness(q, 1) == pytest.approx(of_gaussian(0.5), rel=1e-3)
    assert edge_sharpness(q, 1, is_lower) == dull
    assert edge_sharpness(q.masked_fill(is_lower, torch.nan), 1) == dull


@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (9, 1), (5, 7), (120, 160)])
def test_image_without_edges_has_none(shape: tuple[int, int]) -> None:
    assert edge_sharpness(torch.ones(shape), 1) is None
    assert edge_sharpness(torch.full(shape, torch.nan), 1) is None
    assert edge_sharpness(torch.full(shape, -1.0), 3) is None


def test_few_edges_say_nothing() -> None:
    q = torch.full((120, 160), torch.nan)
    for rows, is_enough in ((21, False), (36, True)):
        q[:rows] = blurred(2.0)[:rows]
        assert (edge_sharpness(q, 1) is not None) == is_enough


def test_rise_of_less_than_a_fifth_is_no_edge() -> None:
    assert edge_sharpness(blurred(0.5, before=2.5), 1) is None
    assert edge_sharpness(blurred(0.5, before=2.3), 1) is not None

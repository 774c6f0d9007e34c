"""Glass, mirrors and wet floors: what is measured far behind what the network sees is in doubt."""

import math

import pytest
import torch
from test_uncertainty import HEIGHT, WIDTH, scene, uncertainty

from mono_depth_ros.core.scale.uncertainty import remove_uncertain

PANE = (slice(28, 76), slice(100, 140))
FLOOR = (slice(84, 116), slice(20, 64))
LIMIT = 0.2
ROWS = {'dense': 1, 'beams': 6}


def sparse(inverse_depth: torch.Tensor, every: int) -> torch.Tensor:
    measured = torch.full((HEIGHT, WIDTH), math.nan)
    measured[::every] = inverse_depth[::every]
    noise = torch.randn(measured.shape, generator=torch.Generator().manual_seed(0))
    return measured * (1 + 0.02 * noise)


def shares(measured: torch.Tensor, values: torch.Tensor | None = None) -> torch.Tensor:
    """Return (H, W) bool: what is unknown with a limit."""
    found = uncertainty(measured, bias=0.05, values=values)
    return remove_uncertain(found.metric.inverse_depth, found, LIMIT).isnan()


def room_behind(region: tuple[slice, slice], factor: float) -> torch.Tensor:
    """Return the scene with a region that is so many times as far."""
    q = scene()
    q[region] /= factor
    return q


@pytest.mark.parametrize('every', ROWS.values(), ids=ROWS)
@pytest.mark.parametrize('factor', [1.8, 2.5, 4.0])
def test_a_room_that_is_measured_behind_a_pane_is_unknown(every: int, factor: float) -> None:
    unknown = shares(sparse(room_behind(PANE, factor), every))
    assert unknown[PANE].float().mean() > 0.8
    elsewhere = torch.ones_like(unknown)
    elsewhere[20:84, 92:148] = False
    assert unknown[elsewhere].float().mean() < 0.02


@pytest.mark.parametrize('every', ROWS.values(), ids=ROWS)
def test_what_a_wet_floor_mirrors_is_unknown(every: int) -> None:
    unknown = shares(sparse(room_behind(FLOOR, 2.0), every))
    assert unknown[FLOOR].float().mean() > 0.8


def test_a_floor_without_echoes_is_less_certain_than_one_with() -> None:
    dry = sparse(scene(), 2)
    wet = dry.clone()
    wet[FLOOR] = math.nan
    middle = (slice(96, 104), slice(36, 48))
    certain, doubtful = (uncertainty(m, bias=0.05).share[middle].mean() for m in (dry, wet))
    assert doubtful > 2 * certain


@pytest.mark.parametrize('every', ROWS.values(), ids=ROWS)
def test_an_ordinary_scene_is_not_in_doubt(every: int) -> None:
    assert shares(sparse(scene(), every)).float().mean() < 0.02


def test_a_thing_that_the_network_misses_is_not_in_doubt() -> None:
    """What is measured nearer is there: nothing reflects from before a surface."""
    unknown = shares(sparse(room_behind(PANE, 1 / 2.5), 1))
    inside = (slice(34, 70), slice(106, 134))
    assert unknown[inside].float().mean() < 0.05


def test_a_pane_that_neither_sees_stays_unseen() -> None:
    """A limit: sensor and network both look through glass, so nothing tells that it is there."""
    through = room_behind(PANE, 2.5)
    unknown = shares(sparse(through, 1), values=through)
    inside = (slice(34, 70), slice(106, 134))
    assert unknown[inside].float().mean() < 0.05

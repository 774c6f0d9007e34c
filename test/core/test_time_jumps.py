"""Stamps that stand still, go astray, are out of order, or jump back."""

import pytest

from mono_depth_ros.core.time_jumps import Stamp, StampMonitor

MS = 1_000_000
HOUR_MS = 3_600_000
ADVANCED, REPEATED, ASTRAY = Stamp.ADVANCED, Stamp.REPEATED, Stamp.ASTRAY
RETURNED, JUMPED_BACK = Stamp.RETURNED, Stamp.JUMPED_BACK


def taken(*stamps_ms: int) -> list[Stamp]:
    monitor = StampMonitor()
    return [monitor.take(stamp * MS) for stamp in stamps_ms]


@pytest.mark.parametrize('period_ms', [5, 33, 2_000, 60_000])
def test_cameras_of_every_rate_advance(period_ms: int) -> None:
    assert set(taken(*range(0, 20 * period_ms, period_ms))) == {ADVANCED}


@pytest.mark.parametrize('stamp_ms', [0, 1_700_000_000_000])
def test_stamps_that_stand_still_are_repeated(stamp_ms: int) -> None:
    assert taken(*[stamp_ms] * 4) == [ADVANCED, REPEATED, REPEATED, REPEATED]
    assert taken(5, stamp_ms + 9, stamp_ms + 9, stamp_ms + 12)[2:] == [REPEATED, ADVANCED]


def test_stamps_that_begin_to_stand_still_at_zero() -> None:
    assert taken(10_000, 10_033, 0, 0, 0)[2:] == [ASTRAY, REPEATED, REPEATED]


@pytest.mark.parametrize('back_ms', [5, 40, 800])
def test_images_out_of_order_cost_themselves_only(back_ms: int) -> None:
    stamps = [33 * i - back_ms * (i % 6 == 5) for i in range(40, 80)]
    found = taken(*stamps)
    assert JUMPED_BACK not in found
    assert found.count(ASTRAY) == (7 if back_ms > 33 else 0)


@pytest.mark.parametrize('period_ms', [33, 3_000])
def test_a_stamp_far_ahead_costs_itself_only(period_ms: int) -> None:
    stamps = [period_ms * i + HOUR_MS * (i % 12 == 11) for i in range(40)]
    found = taken(*stamps)
    assert JUMPED_BACK not in found
    assert found[11:14] == [ADVANCED, RETURNED, ADVANCED]


@pytest.mark.parametrize('period_ms', [33, 3_000])
def test_a_stamp_far_back_costs_itself_only(period_ms: int) -> None:
    stamps = [2 * HOUR_MS + period_ms * i - HOUR_MS * (i % 12 == 11) for i in range(40)]
    found = taken(*stamps)
    assert JUMPED_BACK not in found
    assert found.count(ASTRAY) == 3


@pytest.mark.parametrize(('back_ms', 'images'), [(1_500, 2), (HOUR_MS, 2), (500, 4), (100, 4)])
def test_a_jump_is_seen_after_a_few_images(back_ms: int, images: int) -> None:
    before = [33 * i + 2 * HOUR_MS for i in range(10)]
    after = [before[-1] - back_ms + 10 * i for i in range(5)]
    found = taken(*before, *after)[10:]
    assert found.index(JUMPED_BACK) == images - 1
    assert set(found[images:]) == {ADVANCED}


def test_both_stamps_of_a_jump_are_known() -> None:
    monitor = StampMonitor()
    for stamp_ms in (90_000, 90_033, 1_000, 1_033):
        monitor.take(stamp_ms * MS)
    assert (monitor.previous_ns, monitor.latest_ns) == (90_033 * MS, 1_033 * MS)

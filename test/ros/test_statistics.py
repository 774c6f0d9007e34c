"""Counts, rates and times."""

import pytest

from mono_depth_ros.ros.diagnostics_publisher import Rate
from mono_depth_ros.ros.shared_state import Statistics


def test_statistics_count_and_time() -> None:
    statistics = Statistics()
    for i in range(1, 101):
        statistics.succeed(latency_s=i / 1000, step_s=0.004, inference_s=0.003, unknown='')
    statistics.succeed(latency_s=0.001, step_s=0.004, inference_s=None, unknown='')
    statistics.fail('no')
    assert statistics.values() == {
        'frames processed': '101',
        'frames failed': '1',
        'latency p50 [ms]': '50.0',
        'latency p95 [ms]': '95.0',
        'step p50 [ms]': '4.0',
        'step p95 [ms]': '4.0',
        'inference p50 [ms]': '3.0',
        'inference p95 [ms]': '3.0',
        'last failure': 'no',
    }


def test_rate_is_that_of_the_latest_looks() -> None:
    rate = Rate()
    assert rate.of(7, 100.0) == 0
    assert rate.of(17, 101.0) == pytest.approx(10)
    assert rate.of(47, 102.0) == pytest.approx(20)
    for i in range(1, 6):
        slowest = rate.of(47 + i, 102.0 + i)
    assert slowest == pytest.approx(1)


def test_rate_of_a_count_that_starts_again() -> None:
    rate = Rate()
    rate.of(500, 1.0)
    assert rate.of(0, 2.0) == 0
    assert rate.of(4, 3.0) == pytest.approx(4)

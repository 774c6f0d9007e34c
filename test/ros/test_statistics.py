"""Counts, rates and times."""

import pytest

from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.ros.diagnostics_publisher import Rate
from mono_depth_ros.ros.statistics import Statistics


def made(unknown: str = '', inference_s: float | None = None) -> Result:
    return Result(None, FrameScale(None), unknown, 0.5, inference_s=inference_s)


def test_statistics_count_and_time() -> None:
    statistics = Statistics()
    for i in range(1, 101):
        statistics.succeed(i / 1000, 0.004, made(inference_s=0.003))
    statistics.succeed(0.001, 0.004, made())
    statistics.fail('no')
    statistics.received = 105
    statistics.skipped = 2
    assert statistics.values() == {
        'images received': '105',
        'frames processed': '101',
        'frames fused': '0',
        'frames idle': '0',
        'frames dropped': '0',
        'frames failed': '1',
        'frames skipped by max_rate': '2',
        'frames in work': '1',
        'time jumps': '0',
        'known pixels [%]': '50.0',
        'latency p50 [ms]': '50.0',
        'latency p95 [ms]': '95.0',
        'step p50 [ms]': '4.0',
        'step p95 [ms]': '4.0',
        'inference p50 [ms]': '3.0',
        'inference p95 [ms]': '3.0',
        'last failure': 'no',
    }


@pytest.mark.parametrize('latency_s', [-1.8e9, -0.2, 61.0, 1.8e9])
def test_a_latency_by_another_clock_is_no_latency(latency_s: float) -> None:
    statistics = Statistics()
    statistics.succeed(latency_s, 0.004, made())
    values = statistics.values()
    assert 'latency p50 [ms]' not in values
    assert values['clock minus stamp [s]'] == f'{latency_s:.3f}'


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

"""A stopwatch reads what the device did between start and stop."""

import pytest
import torch

from mono_depth_ros.core import stopwatch as module
from mono_depth_ros.core.stopwatch import Stopwatch


def test_reads_once_the_time_between_start_and_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((10.0, 10.25, 20.0))
    monkeypatch.setattr(module.time, 'perf_counter', lambda: next(moments))
    watch = Stopwatch(torch.device('cpu'))
    assert watch.take() is None
    watch.start()
    watch.stop()
    assert watch.take() == pytest.approx(0.25)
    assert watch.take() is None
    watch.start()
    assert watch.take() is None, 'what was interrupted has no time'


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_counts_the_work_of_a_gpu_and_not_its_ordering() -> None:
    device = torch.device('cuda', torch.cuda.device_count() - 1)
    matrix = torch.ones(4096, 4096, device=device)
    watch = Stopwatch(device)
    times = []
    for repeats in (1, 1, 20):
        watch.start()
        for _ in range(repeats):
            matrix @ matrix
        watch.stop()
        times.append(watch.take())
    assert times[2] > 5 * times[1]

import mmap
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from mono_depth_ros.core.devices import (
    device_bytes,
    device_time,
    find_device,
    find_precision,
    one_thread,
    queue_download,
    resident_bytes,
    seconds_between,
    uploaded,
)
from mono_depth_ros.core.errors import DeviceError

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device('cpu')
CUDA = torch.device('cuda')

CHURN = """
import resource
import threading
import numpy as np
from mono_depth_ros.core.devices import keep_freed_memory

def faults_of_a_frame():
    def frame():
        kept = [np.ones(3_000_000, np.uint8) for _ in range(4)]
    for _ in range(5):
        frame()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        frame()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 10)

def main():
    faults_of_a_frame()
    keep_freed_memory()
    faults_of_a_frame()

thread = threading.Thread(target=main)
thread.start()
thread.join()
"""


def test_cpu_is_always_there() -> None:
    assert find_device('cpu') == CPU


def test_auto_takes_the_best_that_is_there() -> None:
    if torch.cuda.is_available():
        expected = 'cuda'
    else:
        expected = 'mps' if torch.backends.mps.is_available() else 'cpu'
    assert find_device('auto').type == expected


def test_device_that_is_not_there_is_an_error_with_a_remedy() -> None:
    count = torch.cuda.device_count()
    missing = f'cuda:{count + 7}'
    complaint = f"device is '{missing}', but torch .* sees {count} CUDA devices; use auto or cpu"
    with pytest.raises(DeviceError, match=complaint):
        find_device(missing)


@pytest.mark.skipif(torch.cuda.is_available(), reason='needs a machine without CUDA')
@pytest.mark.parametrize('name', ['cuda', 'cuda:0', 'cuda:7'])
def test_no_silent_cpu(name: str) -> None:
    with pytest.raises(DeviceError, match=f"'{name}', but .* sees 0 CUDA devices"):
        find_device(name)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason='needs a machine without MPS')
def test_no_mps() -> None:
    with pytest.raises(DeviceError, match="'mps', which this machine does not have"):
        find_device('mps')


@pytest.mark.parametrize('name', ['', 'gpu', 'CUDA', 'cuda:x', 'cuda:-1', 'cpu:0', 'mps:1'])
def test_unknown_name(name: str) -> None:
    with pytest.raises(DeviceError, match=f"device is '{name}'; choose auto, cuda, cuda:N"):
        find_device(name)


@pytest.mark.parametrize(
    ('name', 'device', 'expected'),
    [
        ('auto', CPU, torch.float32),
        ('auto', CUDA, torch.float16),
        ('auto', torch.device('mps'), torch.float32),
        ('fp32', CUDA, torch.float32),
        ('fp16', CUDA, torch.float16),
        ('bf16', CPU, torch.bfloat16),
    ],
)
def test_precision(name: str, device: torch.device, expected: torch.dtype) -> None:
    assert find_precision(name, device) == expected


def test_impossible_precision() -> None:
    with pytest.raises(DeviceError, match=r'fp16, which is slower .*; use auto or fp32'):
        find_precision('fp16', CPU)
    with pytest.raises(DeviceError, match="'int8'; choose auto, fp32, fp16, bf16"):
        find_precision('int8', CUDA)


def test_one_thread_ends_as_it_began() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_time_of_a_cpu_is_that_between_two_moments() -> None:
    began, earliest = device_time(CPU), time.perf_counter()
    while time.perf_counter() < earliest + 0.01:
        pass
    latest, ended = time.perf_counter(), device_time(CPU)
    assert seconds_between(began, ended) >= latest - earliest
    assert seconds_between(10.0, 10.25) == 0.25


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_time_of_a_gpu_is_that_of_its_work_and_not_of_its_ordering() -> None:
    device = torch.device('cuda', torch.cuda.device_count() - 1)
    matrix = torch.ones(4096, 4096, device=device)
    times = []
    for repeats in (1, 1, 20):
        began = device_time(device)
        for _ in range(repeats):
            matrix @ matrix
        times.append(seconds_between(began, device_time(device)))
    assert times[2] > 5 * times[1]


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='needs the GNU C library')
def test_freed_memory_comes_back_without_the_system() -> None:
    """On a thread of its own, as the node's worker is; pages are 4 kB here, or more."""
    run = subprocess.run(
        [sys.executable, '-c', CHURN], check=True, capture_output=True, text=True, cwd=ROOT
    )
    before, after = map(int, run.stdout.split())
    assert before > 1
    assert after <= 1


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='needs /proc')
def test_resident_memory_is_what_the_process_holds() -> None:
    before = resident_bytes()
    # Not numpy's own memory: it might be what the process has kept of earlier tests.
    held = np.frombuffer(mmap.mmap(-1, 50_000_000), np.uint8)
    held[:] = 1
    grown = resident_bytes() - before
    assert grown == pytest.approx(held.nbytes, rel=0.2)


def test_a_cpu_has_no_memory_of_its_own() -> None:
    assert device_bytes(torch.device('cpu')) is None


def test_arrays_go_to_a_device_and_back() -> None:
    device = find_device('auto')
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    tensor = uploaded(array, device)
    assert tensor.device.type == device.type
    queued = queue_download(
        {'same': tensor, 'turned': tensor.permute(2, 0, 1), 'none': tensor[:0]}
    )
    assert (queued.ready is None) == (device.type != 'cuda')
    found = queued.arrays()
    np.testing.assert_array_equal(found['same'], array)
    np.testing.assert_array_equal(found['turned'], array.transpose(2, 0, 1))
    assert found['turned'].flags.c_contiguous, 'as messages need it'
    assert found['none'].shape == (0, 3, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_download_does_not_wait_for_what_a_gpu_is_asked_for_later() -> None:
    values = torch.arange(1_000_000, device='cuda')
    queued = queue_download({'double': 2 * values})
    torch.cuda._sleep(2_000_000_000)  # cycles, about a second
    later = torch.cuda.Event()
    later.record()
    found = queued.arrays()['double']
    assert not later.query(), 'the GPU still works'
    np.testing.assert_array_equal(found, 2 * np.arange(1_000_000))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_device_memory_is_what_torch_holds() -> None:
    device = torch.device('cuda')
    before = device_bytes(device)
    held = torch.ones(100_000_000, dtype=torch.uint8, device=device)
    assert device_bytes(device) - before >= held.numel()

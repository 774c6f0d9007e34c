import mmap
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mono_depth_ros.core.memory import device_bytes, resident_bytes

ROOT = Path(__file__).resolve().parents[2]

CHURN = """
import resource
import threading
import numpy as np
from mono_depth_ros.core.memory import keep_freed_memory

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


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_device_memory_is_what_torch_holds() -> None:
    device = torch.device('cuda')
    before = device_bytes(device)
    held = torch.ones(100_000_000, dtype=torch.uint8, device=device)
    assert device_bytes(device) - before >= held.numel()

"""Times measured in turns, so that whatever else the machine does falls on all alike."""

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch


@dataclass(frozen=True)
class Times:
    """How long the calls of one candidate took.

    Attributes:
        wall: (N,) seconds by the clock on the wall.
        cpu: (N,) seconds of computing by all threads; foreign load hardly shows in it, but
            threads that wait for each other by spinning do.
    """

    wall: np.ndarray
    cpu: np.ndarray


def in_turns(
    candidates: Mapping[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, Times]:
    """Return the times of each candidate, by name, after one round that is not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
    for _ in range(rounds + 1):
        for name, candidate in candidates.items():
            wall, cpu = time.perf_counter(), time.process_time()
            candidate()
            if device.type == 'cuda':
                torch.cuda.synchronize(device)
            taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: Times(*np.array(pairs[1:]).T) for name, pairs in taken.items()}


def machine(device: torch.device) -> str:
    """Return what the numbers depend on, in one line."""
    # "AMD EPYC" may be one of several generations, of which the newest takes half the time.
    where = f'{_cpu()} with {torch.backends.cpu.get_cpu_capability()}'
    if device.type == 'cuda':
        where = f'{torch.cuda.get_device_name(device)}, {where}'
    software = {
        'Python': platform.python_version(),
        'torch': torch.__version__,
        'NumPy': np.__version__,
        'OpenCV': cv2.__version__,
    }
    return (
        f'{where}, {os.cpu_count()} cores, {torch.get_num_threads()} torch threads, '
        f'load {os.getloadavg()[0]:.1f}\n'
    ) + ', '.join(f'{name} {number}' for name, number in software.items())


def size(text: str) -> tuple[int, int]:
    """Return (width, height) of an argument such as 640x480."""
    width, height = (int(number) for number in text.split('x'))
    return width, height


def _cpu() -> str:
    facts = Path('/proc/cpuinfo')
    lines = facts.read_text().splitlines() if facts.exists() else []
    models = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return models[0] if models else platform.processor() or platform.machine()

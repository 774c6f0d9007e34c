"""Memory of the process: reuse between frames, and usage."""

import ctypes
import os
import sys
from pathlib import Path

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library


def keep_freed_memory() -> None:
    """Keep up to 256 MB of freed memory for the next frame.

    Otherwise each frame returns about 10 MB to the system and faults them in again, which takes
    half the time of all pixel work on a CPU. It affects the whole process, so programs call it
    once at their start. Without the GNU C library it does nothing.
    """
    if sys.platform != 'linux':
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def resident_bytes() -> int | None:
    """Return the resident memory of the process; None if the platform does not report it."""
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
    except FileNotFoundError:  # not Linux
        return None
    return pages * os.sysconf('SC_PAGE_SIZE')


def device_bytes(device: torch.device) -> int | None:
    """Return the GPU memory that torch holds for the process; None on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.memory_reserved(device)
    if device.type == 'mps':
        return torch.mps.driver_allocated_memory()
    return None

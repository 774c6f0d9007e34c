"""Memory of the process: how it treats what one frame frees and the next needs, and how much."""

import ctypes
import os
import sys
from pathlib import Path

import torch

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_LARGEST_KEPT = 32 << 20
_MOST_KEPT = 256 << 20


def keep_freed_memory() -> None:
    """Keep what is freed, up to 256 MB, for the next frame instead of giving it to the system.

    Every frame frees some 10 MB and gets them back as fresh pages, each of which costs a visit to
    the system: half the time of all pixel work on a CPU. It changes the whole process, so it is
    for programs to call, once at their start. Does nothing where the C library is not GNU's.
    """
    if sys.platform != 'linux':
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)


def resident_bytes() -> int | None:
    """Return how much of the machine's memory the process holds; None where nobody says."""
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
    except FileNotFoundError:  # not Linux
        return None
    return pages * os.sysconf('SC_PAGE_SIZE')


def device_bytes(device: torch.device) -> int | None:
    """Return how much of a GPU's memory torch holds for the process; None on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.memory_reserved(device)
    if device.type == 'mps':
        return torch.mps.driver_allocated_memory()
    return None

"""How the process treats memory that one frame frees and the next needs again."""

import ctypes
import sys

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

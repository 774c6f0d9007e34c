"""Damaged copies of files and messages, and what reading one of them comes to."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from mono_depth_ros.core.errors import MonoDepthError

T = TypeVar('T')


def damaged(whole: bytes, places: int = 100) -> Iterator[bytes]:
    """Yield copies with one byte changed, and cut off, at places spread evenly."""
    rng = np.random.default_rng(0)
    for place in range(0, len(whole), max(1, len(whole) // places)):
        changed = bytearray(whole)
        changed[place] = rng.integers(256)
        yield bytes(changed)
        yield whole[:place]


def outcome(read: Callable[[], T]) -> T | MonoDepthError:
    """Return what is read, or the error of ours; any other is raised."""
    try:
        return read()
    except MonoDepthError as error:
        return error

"""A ROS domain of our own, so that neither other robots nor a second demo are disturbed."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ...core.errors import MonoDepthError

# From 102 on, the ports of a domain overlap those that Linux gives to anybody.
_DOMAINS = 101


@contextlib.contextmanager
def claimed_domain(folder: Path | None = None) -> Iterator[int]:
    """Hold a ROS domain id by a locked file; whoever else asks here gets another one.

    Args:
        folder: Of the lock files; None is the system's temporary folder.

    Raises:
        MonoDepthError: All are taken.
    """
    place = folder or Path(tempfile.gettempdir())
    for i in range(_DOMAINS):
        domain = 1 + (os.getpid() + i) % _DOMAINS
        try:
            lock = open(place / f'ros_domain_{domain}.lock', 'a')  # noqa: SIM115
        except PermissionError:
            continue  # another user's
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise MonoDepthError(f'all {_DOMAINS} ROS domains are locked by files in {place}')

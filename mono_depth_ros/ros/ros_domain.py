"""A ROS domain of our own, so that neither other robots nor a second demo are disturbed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.errors import MonoDepthError
from .paths import share_directory
from .transport import large_transport

# From 102 on, the ports of a domain overlap the ephemeral ports of Linux.
_DOMAINS = 101


@contextmanager
def claimed_domain(folder: Path | None = None) -> Iterator[int]:
    """Hold a ROS domain id by a locked file; everybody else who asks gets another one.

    Args:
        folder: Of the lock files; None is the system's temporary folder.

    Raises:
        MonoDepthError: All are taken.
    """
    place = folder or Path(tempfile.gettempdir())
    for i in range(_DOMAINS):
        domain = 1 + (os.getpid() + i) % _DOMAINS
        try:
            lock = FileLock(place / f'ros_domain_{domain}.lock').acquire(timeout=0)
        except (Timeout, PermissionError):  # held, or another user's
            continue
        with lock:
            yield domain
            return
    raise MonoDepthError(f'all {_DOMAINS} ROS domains are locked by files in {place}')


def ros_environment(domain: int, processes: int = 1) -> dict[str, str]:
    """Return the variables of nodes that find each other on this machine only.

    Each of the processes gets Fast DDS's large segment if the shared memory holds them all.
    """
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    variables = {
        'ROS_DOMAIN_ID': str(domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'ROS_STATIC_PEERS': '',
        **large_transport(profile, processes, os.environ).environment,
    }
    if os.environ.get('ROS_DISTRO') == 'humble':
        variables['ROS_LOCALHOST_ONLY'] = '1'  # later distributions warn of it
    return variables

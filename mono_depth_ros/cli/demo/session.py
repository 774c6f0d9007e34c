"""ROS processes that end with the session that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from ...core.errors import MonoDepthError
from ...ros.paths import share_directory
from ...ros.transport import large_transport

_PROCESSES = 3
_GOODBYE_S = 10.0
_LINES_SHOWN = 15
_PR_SET_PDEATHSIG = 1
# Loaded here, since little is safe between fork and exec.
_LIBC = ctypes.CDLL(None) if sys.platform == 'linux' else None


class Session:
    """Starts nodes as processes of their own and ends all of them when it is left.

    Args:
        folder: Where what they print goes, one `<name>.log` each.
        environment: Variables for the processes, over those of this one.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> 'Session':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, module: str, arguments: Sequence[str]) -> None:
        """Start a module of this Python as the process `name`."""
        with open(self.log(name), 'wb') as log, _signals_held_back():
            self._running[name] = subprocess.Popen(
                [sys.executable, '-m', module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                # Ctrl-C reaches this process only, which then ends them in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def check(self) -> None:
        """Raise `MonoDepthError` with a process's last words if one has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise MonoDepthError(
                    f'{name} ended with status {process.returncode}{self.last_words(name)}'
                )

    def stop(self) -> dict[str, int]:
        """End all processes, by force if need be; return their exit statuses."""
        running, self._running = self._running, {}
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                _signal_all(running.values(), number)
                _await_all(running.values(), _GOODBYE_S)
        finally:
            _signal_all(running.values(), signal.SIGKILL)
        return {name: process.wait() for name, process in running.items()}

    def log(self, name: str) -> Path:
        """Return the file that holds what a process printed."""
        return self._folder / f'{name}.log'

    def last_words(self, name: str) -> str:
        """Return the end of what a process printed, to be put behind a message."""
        lines = self.log(name).read_text(errors='replace').splitlines()[-_LINES_SHOWN:]
        return ''.join(f'\n  {name}: {line}' for line in lines)


def ros_environment(domain: int) -> dict[str, str]:
    """Return the variables of nodes that only find each other on this machine.

    Large messages get Fast DDS's large segment where the shared memory holds it.
    """
    profile = share_directory() / 'config' / 'fastdds_large.xml'
    variables = {
        'ROS_DOMAIN_ID': str(domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'ROS_STATIC_PEERS': '',
        'RCUTILS_COLORIZED_OUTPUT': '0',
        'PYTHONUNBUFFERED': '1',
        # The camera takes the other half.
        'OMP_NUM_THREADS': str(max(1, processors() // 2)),
        **large_transport(profile, _PROCESSES, os.environ).environment,
    }
    if os.environ.get('ROS_DISTRO') == 'humble':
        variables['ROS_LOCALHOST_ONLY'] = '1'  # later ones warn of it
    return variables


def processors() -> int:
    """Return how many this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let no Ctrl-C come between the start of a process and its entry in the book.

    A mask would not do: Python hears signals on all threads and acts on them in this one.
    """
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _end_with_parent() -> None:
    """Have Linux end this process should the demo be killed before it can do so."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_all(processes: 'Iterable[subprocess.Popen[bytes]]', number: int) -> None:
    for process in processes:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)


def _await_all(processes: 'Iterable[subprocess.Popen[bytes]]', timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))

"""Snapshots: one frame's results as files, for whoever asks by the service."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from builtin_interfaces.msg import Time

from ..core.errors import MonoDepthError
from ..core.files.file_writers import write_depth_png, write_npy, write_picture, write_ply
from ..core.pipeline import Result
from ..core.settings import user_path

_MOST_WAITING = 100
_PACE_S = 0.005
PATIENCE_S = 5.0
"""How long a snapshot waits for a frame with known depth, such as one with a fit."""


def save_snapshot(result: Result, stamp: Time, folder: str) -> str:
    """Write depth (npy, 16-bit PNG), color and, if there are any, points; say where.

    Raises:
        MonoDepthError: Depth is not known, or the folder cannot be written.
    """
    if result.depth is None or result.reason_unknown:
        raise MonoDepthError(f'nothing saved, depth is not known: {result.reason_unknown}')
    place = user_path('snapshot_folder', folder)
    stem = place / f'{stamp.sec}_{stamp.nanosec:09d}'
    try:
        written = _write(result, stem)
    except OSError as error:
        raise MonoDepthError(f'cannot write the snapshot to {place}: {error}') from error
    missing = '' if result.points is not None else '; no cloud without camera_info or fov_deg'
    return f'{stem}_* ({", ".join(written)}){missing}'


def _write(result: Result, stem: Path) -> list[str]:
    """Write each of the results beside the others; return their names after the stem."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = ['depth.npy', 'depth.png']
    write_npy(Path(f'{stem}_depth.npy'), result.depth)
    write_depth_png(Path(f'{stem}_depth.png'), result.depth)
    if result.color is not None:
        written.append('color.png')
        write_picture(Path(f'{stem}_color.png'), result.color)
    if result.points is not None:
        written.append('points.ply')
        write_ply(Path(f'{stem}_points.ply'), result.points)
    return written


Waiting = tuple[float, 'Future[str]']


def _paced(waiting: list[Waiting]) -> Iterator[Waiting]:
    """Yield one by one: a client keeps ten answers that it has not read, and loses the others."""
    for entry in waiting:
        yield entry
        time.sleep(_PACE_S if len(waiting) > 1 else 0.0)


class SnapshotRequests:
    """Requests that wait for a frame whose depth is known, each for a bounded time."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, request: 'Future[str]') -> None:
        """Have a request wait, unless very many do."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((time.monotonic(), request))
        else:
            request.set_exception(MonoDepthError(f'{_MOST_WAITING} snapshots wait already'))

    def answer(self, result: Result, stamp: Time, folder: str) -> None:
        """Save a result for all that wait, if its depth is known."""
        if result.reason_unknown or result.depth is None:
            return
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            saved = save_snapshot(result, stamp, folder)
        except MonoDepthError as error:
            for _, request in _paced(waiting):
                request.set_exception(error)
        else:
            for _, request in _paced(waiting):
                request.set_result(saved)

    def refuse(self, reason: str, waiting_s: float = 0.0) -> None:
        """Refuse those that have waited for at least so long [s]."""
        latest = time.monotonic() - waiting_s
        refused = [entry for entry in self._waiting if entry[0] <= latest]
        self._waiting = [entry for entry in self._waiting if entry[0] > latest]
        for _, request in _paced(refused):
            request.set_exception(MonoDepthError(reason))

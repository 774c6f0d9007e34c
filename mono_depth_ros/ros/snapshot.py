"""Snapshots: one frame's results as files, for whoever asks by the service."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rclpy
from builtin_interfaces.msg import Time
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from ..core.errors import MonoDepthError
from ..core.files.file_writers import write_depth_png, write_npy, write_picture, write_ply
from ..core.pipeline import Result
from ..core.settings import user_path
from .guarded_node import GuardedNode
from .worker import Worker

if TYPE_CHECKING:
    from .frame_processor import FrameProcessor

_MOST_WAITING = 100
_PACE_S = 0.005
_QUEUE = 100
"""Requests that the middleware keeps for us; by default 10, and the others are never answered."""
PATIENCE_S = 5.0
"""How long a snapshot waits for a frame with known depth, such as one with a fit."""


def save_snapshot(result: Result, stamp: Time, folder: str) -> str:
    """Write depth (npy, 16-bit PNG), color and, if there are any, points; say where.

    Raises:
        MonoDepthError: The folder cannot be written.
    """
    place = user_path('snapshot_folder', folder)
    stem = place / f'{stamp.sec}_{stamp.nanosec:09d}'
    try:
        written = _write(result, stem)
    except OSError as error:
        raise MonoDepthError(f'cannot write the snapshot to {place}: {error}') from error
    missing = result.reason_withheld or 'no cloud without camera_info or fov_deg'
    files = f'{stem}_* ({", ".join(written)})'
    return files if result.points is not None else f'{files}; {missing}'


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
        if not self._waiting or result.reason_unknown or result.depth is None:
            return
        try:
            saved = save_snapshot(result, stamp, folder)
        except MonoDepthError as error:
            self.refuse(str(error))
            return
        waiting, self._waiting = self._waiting, []
        for _, request in _paced(waiting):
            request.set_result(saved)

    def refuse(self, reason: str, waiting_s: float = 0.0) -> None:
        """Refuse those that have waited for at least so long [s]."""
        latest = time.monotonic() - waiting_s
        refused = [entry for entry in self._waiting if entry[0] <= latest]
        self._waiting = [entry for entry in self._waiting if entry[0] > latest]
        for _, request in _paced(refused):
            request.set_exception(MonoDepthError(reason))


def _pass_error(saving: 'Future[str]', taking: 'Future[None]') -> None:
    """Refuse a request that the worker could not take, such as one that has been stopped."""
    error = taking.exception()
    if error is not None and not saving.done():
        saving.set_exception(error)


class SnapshotService:
    """Service `~/snapshot`: saves the latest frame, or the next whose depth is known.

    Its requests wait for the worker, its answers for the executor.
    """

    def __init__(
        self, node: GuardedNode, worker: Worker[Any], processor: 'FrameProcessor'
    ) -> None:
        self._node = node
        self._worker = worker
        self._processor = processor
        self._waiting = 0
        self._requests: deque[Future[str]] = deque()
        node.create_service(
            Trigger,
            '~/snapshot',
            self._on_request,
            qos_profile=QoSProfile(depth=_QUEUE),
            callback_group=ReentrantCallbackGroup(),  # no request waits for another
        )

    def expire(self) -> None:
        """Have requests refused that have waited too long."""
        if self._waiting:
            self._worker.call(self._processor.expire_snapshots)

    async def _on_request(self, _: Trigger.Request, response: Trigger.Response) -> Any:
        answer: rclpy.Future = rclpy.Future(executor=self._node.executor)
        saving: Future[str] = Future()
        saving.add_done_callback(partial(self._hand_over, answer))
        self._waiting += 1
        self._requests.append(saving)
        taking = self._worker.call(partial(self._processor.snapshot, self._requests))
        taking.add_done_callback(partial(_pass_error, saving))
        done = await answer
        self._waiting -= 1
        error = done.exception()
        response.success = error is None
        response.message = done.result() if error is None else str(error)
        return response

    def _hand_over(self, answer: rclpy.Future, done: 'Future[str]') -> None:
        """Give the executor what it awaits; called by the worker."""
        answer.set_result(done)
        if self._node.executor is not None and self._node.context.ok():
            self._node.executor.wake()

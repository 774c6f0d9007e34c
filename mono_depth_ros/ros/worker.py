"""One thread that does the slow work, so that the executor stays free."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from ..core.errors import MonoDepthError

Item = TypeVar('Item')
Answer = TypeVar('Answer')


class Worker(Generic[Item]):
    """Runs calls in order and, between them, the newest item of a one-slot mailbox.

    Args:
        handle: Called on the thread with each item; it must not raise.
    """

    def __init__(self, handle: Callable[[Item], None]) -> None:
        self._handle = handle
        self._slot: Item | None = None
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = False
        self._change = threading.Condition()
        # A daemon, since nothing can interrupt a download or a kernel when the process must end.
        self._thread = threading.Thread(target=self._run, name='mono_depth_worker', daemon=True)

    @property
    def waiting_calls(self) -> int:
        """Number of calls that have not begun."""
        with self._change:
            return len(self._calls)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, item: Item) -> bool:
        """Put an item into the mailbox; say whether it takes the place of one that waited."""
        with self._change:
            replaced, self._slot = self._slot is not None, item
            self._change.notify()
        return replaced

    def call(self, function: Callable[[], Answer]) -> 'Future[Answer]':
        """Run a function on the thread, before an item that waits; return its outcome to come.

        The outcome is a `MonoDepthError` where the thread is told to stop first.
        """
        future: Future[Answer] = Future()
        with self._change:
            if not self._stopping:
                self._calls.append((function, future))
                self._change.notify()
                return future
        future.set_exception(_stopped())
        return future

    def clear(self) -> bool:
        """Forget the item that waits; say whether there was one."""
        with self._change:
            waited, self._slot = self._slot is not None, None
        return waited

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end and forget what waits; return whether it did within the time."""
        with self._change:
            self._stopping = True
            waiting, self._calls, self._slot = self._calls, deque(), None
            self._change.notify()
        for _, future in waiting:
            future.set_exception(_stopped())
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(
                    lambda: self._stopping or self._calls or self._slot is not None
                )
                if self._stopping:
                    return
                call = self._calls.popleft() if self._calls else None
                item = None
                if call is None:
                    item, self._slot = self._slot, None
            if call is not None:
                _answer(*call)
            elif item is not None:
                self._handle(item)


def _stopped() -> MonoDepthError:
    return MonoDepthError('the worker has been stopped')


def _answer(function: Callable[[], Any], future: 'Future[Any]') -> None:
    try:
        answer = function()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(answer)

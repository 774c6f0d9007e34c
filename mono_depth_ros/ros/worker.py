"""One thread that does the slow work, so that the executor stays free."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from ..core.errors import MonoDepthError

Item = TypeVar('Item')
Answer = TypeVar('Answer')


class Worker(Generic[Item]):
    """Runs calls in order and, between them, what lies in the mailboxes, oldest first.

    Each sender has a mailbox of one slot, in which a newer item takes the place of an older one.

    Args:
        handle: Called on the thread with the oldest item and all that are of its kind, in the
            order in which their mailboxes were filled; it must not raise.
        kind: Of an item; by default none is like another.
        finish: Called on the thread when no item waits, and before each call, to end what
            `handle` has left; it must not raise.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[Item]], None],
        kind: Callable[[Item], Hashable] = id,
        finish: Callable[[], None] = lambda: None,
    ) -> None:
        self._handle = handle
        self._finish = finish
        self._kind = kind
        self._slots: dict[Hashable, Item] = {}
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
        """Start the thread, unless that has been done."""
        with self._change:
            if self._thread.ident is None:
                self._thread.start()

    def submit(self, sender: Hashable, item: Item) -> bool:
        """Put an item into a sender's mailbox; say whether it takes the place of one there."""
        with self._change:
            replaced = sender in self._slots
            self._slots[sender] = item  # which keeps its turn
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

    def clear(self, sender: Hashable) -> bool:
        """Empty a sender's mailbox; say whether there was an item."""
        with self._change:
            return self._slots.pop(sender, None) is not None

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end and forget what waits; return whether it did within the time."""
        with self._change:
            self._stopping = True
            waiting, self._calls, self._slots = self._calls, deque(), {}
            self._change.notify()
        for _, future in waiting:
            future.set_exception(_stopped())
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        is_stopping = False
        while not is_stopping:
            with self._change:
                self._change.wait_for(lambda: self._stopping or self._calls or self._slots)
                is_stopping = self._stopping
                call = self._calls.popleft() if self._calls else None
                items = self._take() if self._slots and call is None else []
            if items:
                self._handle(items)
            with self._change:
                is_next_waiting = bool(items and self._slots)
            if not is_next_waiting:
                self._finish()
            if call is not None:
                _answer(*call)

    def _take(self) -> list[Item]:
        """Take the oldest item and all of its kind out of their mailboxes."""
        oldest = self._kind(next(iter(self._slots.values())))
        senders = [s for s, item in self._slots.items() if self._kind(item) == oldest]
        return [self._slots.pop(sender) for sender in senders]


def _stopped() -> MonoDepthError:
    return MonoDepthError('the worker has been stopped')


def _answer(function: Callable[[], Any], future: 'Future[Any]') -> None:
    try:
        answer = function()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(answer)

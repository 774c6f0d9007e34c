"""A node in a thread of its own, what arrives there, and waiting for it with a bound."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import rclpy
from frames import key
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

TIMEOUT_S = 30.0

T = TypeVar('T')


def wait_until(condition: Callable[[], T], what: str, timeout_s: float = TIMEOUT_S) -> T:
    """Return what a condition gives once it is true; for what has no event to wait on."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, f'{what}: not within {timeout_s} s'
        time.sleep(0.005)
    return value


class Mailbox:
    """What arrived on a topic, and when [s since the epoch]."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.arrivals_s: list[float] = []
        self._messages: list[Any] = []
        self._arrival = threading.Condition()

    def put(self, msg: Any) -> None:
        with self._arrival:
            self.arrivals_s.append(time.time())
            self._messages.append(msg)
            self._arrival.notify_all()

    def all(self) -> list[Any]:
        with self._arrival:
            return list(self._messages)

    def wait(self, matches: Callable[[Any], bool], timeout_s: float = TIMEOUT_S) -> Any:
        """Return the first message that matches, come or still to come."""

        def found() -> list[Any]:
            return [msg for msg in self._messages if matches(msg)]

        with self._arrival:
            assert self._arrival.wait_for(found, timeout_s), f'nothing such on {self.topic}'
            return found()[0]

    def of(self, sent: Any) -> Any:
        """Return the message with the stamp of another."""
        return self.wait(lambda msg: key(msg) == key(sent))

    def has(self, sent: Any) -> bool:
        return any(key(msg) == key(sent) for msg in self.all())


class Spun:
    """A node and the thread that spins it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.executor = SingleThreadedExecutor(context=node.context)
        self.executor.add_node(node)
        self._end: rclpy.Future = rclpy.Future()
        self._thread = threading.Thread(
            target=self.executor.spin_until_future_complete, args=(self._end,), daemon=True
        )
        self._thread.start()

    @property
    def is_spinning(self) -> bool:
        return self._thread.is_alive()

    def do(self, function: Callable[[], T]) -> T:
        """Call a function on the executor's thread, where entities may come and go."""
        answer: Future[T] = Future()

        def call() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)

        self.executor.create_task(call)
        return answer.result(TIMEOUT_S)

    def close(self) -> None:
        self._end.set_result(None)
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()
        self.executor.shutdown()
        self.node.destroy_node()

"""The service `~/snapshot`: its requests wait for the worker, its answers for the executor."""

from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any

import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import QoSProfile
from std_srvs.srv import Trigger

from .frame_processor import FrameProcessor
from .guarded_node import GuardedNode
from .worker import Worker

_QUEUE = 100
"""Requests that the middleware keeps for us; by default 10, and the others are never answered."""


class SnapshotService:
    """Saves depth, cloud and picture of the latest frame, or the next whose depth is known."""

    def __init__(self, node: GuardedNode, worker: Worker[Any], processor: FrameProcessor) -> None:
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
        self._worker.call(partial(self._processor.snapshot, self._requests), saving)
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

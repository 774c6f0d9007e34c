"""A node whose callbacks cannot end the process."""

import inspect
import time
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

from .throttled_log import ThrottledLog

_SHOWN_S = 10.0

Callback = Callable[..., Any]
Fallback = Callable[[Exception, tuple[Any, ...]], Any]
"""Makes the answer of a callback that raised, from the exception and the arguments."""


def _nothing(error: Exception, arguments: tuple[Any, ...]) -> None:
    """Answer nothing, as callbacks do that nobody waits for."""


class GuardedNode(Node):
    """Guards whatever an executor calls for it, whoever registers it: rclpy, a library, the node.

    A callback that raises costs that one call. The log has the traceback, throttled, and a
    service or a change of parameters is answered with a refusal.
    """

    # rclpy makes the first callbacks before there can be attributes.
    _failed: int = 0
    _failed_s: float = 0.0
    _failure: str = ''
    _complaints: ThrottledLog | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.guard_services()

    def start(self) -> None:
        """Begin what the node does beside its callbacks, once an executor is there."""

    def stop(self) -> bool:
        """End that; return whether it ended in time."""
        return True

    @property
    def failure(self) -> str:
        """The newest exception of a callback, '' if there was none in the last ten seconds."""
        return self._failure if time.monotonic() - self._failed_s < _SHOWN_S else ''

    def survive(self, name: str, error: Exception) -> None:
        """Log and keep what a callback raised; after shutdown it is no news."""
        if not self.context.ok():
            return
        self._failed, self._failed_s = self._failed + 1, time.monotonic()
        self._failure = f'{name} failed ({self._failed} failures so far): {error!r}'
        if self._complaints is None:
            self._complaints = ThrottledLog(self.get_logger())
        trace = ''.join(traceback.format_exception(error))
        self._complaints.fail(f'{name} failed; the node goes on: {trace}')

    def guarded(self, callback: Callback, fallback: Fallback = _nothing) -> Any:
        """Return a callback of the same signature that does not raise."""
        name = getattr(callback, '__qualname__', None) or repr(callback)

        def refuse(error: Exception, arguments: tuple[Any, ...]) -> Any:
            self.survive(name, error)
            return fallback(error, arguments)

        @wraps(callback)
        async def call_later(*arguments: Any) -> Any:
            try:
                return await callback(*arguments)
            except Exception as error:
                return refuse(error, arguments)

        @wraps(callback)
        def call(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except Exception as error:
                return refuse(error, arguments)

        return call_later if inspect.iscoroutinefunction(callback) else call

    def guard_services(self) -> None:
        """Guard the services that rclpy did not make by `create_service`."""
        for service in self.services:
            if not hasattr(service.callback, '__wrapped__'):
                service.callback = self.guarded(service.callback, _refusal)

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Callback, *args: Any, **options: Any
    ) -> Any:
        """Create a guarded subscription."""
        return super().create_subscription(
            msg_type, topic, self.guarded(callback), *args, **options
        )

    def create_timer(self, period: float, callback: Callback, *args: Any, **options: Any) -> Any:
        """Create a guarded timer."""
        return super().create_timer(period, self.guarded(callback), *args, **options)

    def create_service(
        self, srv_type: Any, name: str, callback: Callback, *args: Any, **options: Any
    ) -> Any:
        """Create a guarded service."""
        guarded = self.guarded(callback, _refusal)
        return super().create_service(srv_type, name, guarded, *args, **options)

    def create_guard_condition(self, callback: Callback, *args: Any, **options: Any) -> Any:
        """Create a guarded guard condition."""
        return super().create_guard_condition(self.guarded(callback), *args, **options)

    def add_waitable(self, waitable: Any) -> None:
        """Add a waitable, such as the events of a topic, guarded."""
        waitable.execute = self.guarded(waitable.execute)
        super().add_waitable(waitable)

    def add_on_set_parameters_callback(self, callback: Callback) -> None:
        """Add a guarded judge of new values."""
        super().add_on_set_parameters_callback(self.guarded(callback, _unchanged))


def _refusal(error: Exception, arguments: tuple[Any, ...]) -> Any:
    """Return the response that a service was given to fill."""
    response = arguments[1]
    for field, value in (('success', False), ('message', repr(error))):
        if hasattr(response, field):
            setattr(response, field, value)
    return response


def _unchanged(error: Exception, arguments: tuple[Any, ...]) -> SetParametersResult:
    return SetParametersResult(successful=False, reason=f'cannot be judged: {error!r}')

"""A lifecycle node whose transitions may raise: the reason is logged and kept."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from ..core.errors import MonoDepthError
from .guarded_node import GuardedNode


class LifecycleBase(GuardedNode, LifecycleNode):
    """Calls `_configure`, `_activate`, `_deactivate` and `_cleanup` of the node built on it.

    Each may raise, which refuses the transition; `_cleanup` serves for the shutdown too, so that
    it must do from any state. rclpy by itself would swallow the exception without a word.

    Attributes:
        trouble: Why the node is not in the state it should be in; '' if it is.
        remedy: What to do so that a lifecycle manager finds the state it expects; '' if nothing.
        is_finalized: Whether it has been shut down.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.trouble = self.remedy = ''
        self.is_finalized = False
        service = self._service_change_state
        service.callback = partial(self._on_change_state, service.callback)
        self.guard_services()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Get ready."""
        return self._transition('configure', super().on_configure, state, self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen and publish."""
        return self._transition('activate', super().on_activate, state, self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening."""
        return self._transition('deactivate', super().on_deactivate, state, self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of what configuring took."""
        return self._transition('clean up', super().on_cleanup, state, self._cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of everything, from any state."""
        self.is_finalized = True
        return self._transition('shut down', super().on_shutdown, state, self._cleanup)

    def destroy_node(self) -> None:
        """Leave the graph; rclpy alone leaves that to whenever Python frees the state machine."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def log_failure(self, action: str, error: BaseException) -> None:
        """Log and keep why something failed; with a traceback where that was not foreseen."""
        if not self.context.ok():
            return
        self.trouble = f'cannot {action}: {error}'
        if isinstance(error, MonoDepthError):
            self.get_logger().error(self.trouble)
        else:
            trace = ''.join(traceback.format_exception(error))
            self.get_logger().error(f'cannot {action}: {trace}')

    def _transition(
        self,
        name: str,
        entities: Callable[[LifecycleState], TransitionCallbackReturn],
        state: LifecycleState,
        act: Callable[[], None],
    ) -> TransitionCallbackReturn:
        """Act, then let the publishers follow."""
        try:
            act()
        except Exception as error:
            self.log_failure(name, error)
            return TransitionCallbackReturn.FAILURE
        self.trouble = ''
        return entities(state)

    def _on_change_state(
        self,
        change: Callable[[ChangeState.Request, ChangeState.Response], ChangeState.Response],
        request: ChangeState.Request,
        response: ChangeState.Response,
    ) -> ChangeState.Response:
        """Refuse a transition that the present state does not have.

        rclpy up to Jazzy ends the process over it: https://github.com/ros2/rclpy/issues/1209
        """
        wanted = request.transition.label or request.transition.id
        available = self._state_machine.available_transitions
        if any(wanted in (number, label) for number, label, *_ in available):
            return change(request, response)
        state = self._state_machine.current_state[1]
        remedy = f'; {self.remedy}' if self.remedy else ''
        self.get_logger().warning(f'transition {wanted} refused: the node is {state}{remedy}')
        response.success = False
        return response

    def _configure(self) -> None:
        raise NotImplementedError

    def _activate(self) -> None:
        raise NotImplementedError

    def _deactivate(self) -> None:
        raise NotImplementedError

    def _cleanup(self) -> None:
        raise NotImplementedError

"""A lifecycle node whose transitions may raise: the reason is logged and kept."""

import traceback
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from ..core.errors import MonoDepthError
from .guarded_node import GuardedNode

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


class LifecycleBase(GuardedNode, LifecycleNode):
    """Refuses a transition that raises, and one that the present state does not have.

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


def transition(action: str) -> Callable[[Callable[[Any], None]], Transition]:
    """Make the callback of a transition of a method that may raise, which refuses it.

    rclpy by itself would swallow the exception without a word. `action` is for the log.
    """

    def decorated(act: Callable[[Any], None]) -> Transition:
        @wraps(act)
        def call(node: LifecycleBase, state: LifecycleState) -> TransitionCallbackReturn:
            try:
                act(node)
            except Exception as error:
                node.log_failure(action, error)
                return TransitionCallbackReturn.FAILURE
            node.trouble = ''
            # The publishers follow.
            return getattr(super(LifecycleBase, node), act.__name__)(state)

        return call

    return decorated

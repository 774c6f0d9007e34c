"""The services of the running node, called as `ros2 param set` and `ros2 service call` do."""

from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.srv import SetParametersAtomically
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_srvs.srv import Trigger

from ...core.errors import MonoDepthError
from .methods import Value

Spin = Callable[[Callable[[], bool]], bool]


class Remote:
    """Clients of the node's services.

    Args:
        node: Whose clients they are.
        name: Full name of the node.
        spin: Spins until its argument is true; returns False if that took too long.
    """

    def __init__(self, node: Node, name: str, spin: Spin) -> None:
        self._spin = spin
        self._parameters = node.create_client(
            SetParametersAtomically, f'{name}/set_parameters_atomically'
        )
        self._reset = node.create_client(Trigger, f'{name}/reset_alignment')

    def switch(self, parameters: Mapping[str, Value]) -> None:
        """Set parameters, all or none, and have the alignment start anew.

        Raises:
            MonoDepthError: The node refuses, or does not answer.
        """
        messages = [Parameter(name, value=v).to_parameter_msg() for name, v in parameters.items()]
        request = SetParametersAtomically.Request(parameters=messages)
        result = self._call(self._parameters, request).result
        if not result.successful:
            raise MonoDepthError(f'the node refuses {dict(parameters)}: {result.reason}')
        self._call(self._reset, Trigger.Request())

    def _call(self, client: Client, request: Any) -> Any:
        answer: Future | None = None
        if self._spin(client.service_is_ready):
            answer = client.call_async(request)
        if answer is None or not self._spin(answer.done):
            raise MonoDepthError(f'the node does not answer {client.srv_name}')
        return answer.result()

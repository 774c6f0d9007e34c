"""The demo's clients: what the node refuses is said in the node's own words."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

from mono_depth_ros.cli.demo.domain import claimed_domain
from mono_depth_ros.cli.demo.remote import Remote
from mono_depth_ros.core.errors import MonoDepthError

BOUND_S = 30.0


class Switchable(Node):
    """A node with two parameters that count as one, and a service."""

    def __init__(self, context: Context) -> None:
        super().__init__('switchable', context=context)
        self.resets = 0
        self.declare_parameter('method', 'robust')
        self.declare_parameter('residual', 0.25)
        self.add_on_set_parameters_callback(self._on_set)
        self.create_service(Trigger, '~/reset_alignment', self._on_reset)

    def _on_set(self, parameters: list[rclpy.Parameter]) -> SetParametersResult:
        bad = [p for p in parameters if p.value == 'magic']
        return SetParametersResult(successful=not bad, reason='no magic here' if bad else '')

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.resets += 1
        return response


@contextmanager
def graph() -> Iterator[tuple[Node, Switchable, Callable[[Callable[[], bool]], bool]]]:
    """Yield a client node, a node to be switched, and what spins both."""
    with claimed_domain() as domain:
        context = Context()
        rclpy.init(args=[], context=context, domain_id=domain)
        client, node = Node('client', context=context), Switchable(context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(client)
        executor.add_node(node)

        def spin(done: Callable[[], bool]) -> bool:
            deadline = time.monotonic() + BOUND_S
            while not done() and time.monotonic() < deadline:
                executor.spin_once(timeout_sec=0.1)
            return done()

        yield client, node, spin
        executor.shutdown()
        context.try_shutdown()


def test_parameters_change_together_and_the_alignment_starts_anew() -> None:
    with graph() as (client, node, spin):
        remote = Remote(client, '/switchable', spin)
        remote.switch({'method': 'min_max', 'residual': 10.0})
        assert node.get_parameter('method').value == 'min_max'
        assert node.get_parameter('residual').value == 10.0
        assert node.resets == 1
        with pytest.raises(MonoDepthError, match=r"'magic'.*: no magic here"):
            remote.switch({'residual': 1.0, 'method': 'magic'})
        assert node.get_parameter('residual').value == 10.0
        assert node.resets == 1


def test_a_node_that_is_not_there_is_named() -> None:
    with graph() as (client, _, _spin):
        remote = Remote(client, '/nobody', lambda done: done())
        with pytest.raises(MonoDepthError, match='/nobody/set_parameters_atomically'):
            remote.switch({'method': 'min_max'})

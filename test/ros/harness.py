"""A ROS graph inside the test process: nodes under test and a peer, each in its own thread."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from frames import (
    FOCAL_PX,
    FRAME_ID,
    camera,
    header,
    image,
    info_for,
    key,
    next_stamp,
    picture,
    scene,
    seconds,
)
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from parameter_messages import parameter_value, plain_value
from rcl_interfaces.msg import Log
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParametersAtomically
from rclpy.client import Client
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from spinning import TIMEOUT_S, Mailbox, Spun, wait_until
from std_srvs.srv import Trigger

from mono_depth_ros.ros.network_host import NetworkHost
from mono_depth_ros.ros.node import MonoDepthNode

__all__ = [
    'FOCAL_PX',
    'FRAME_ID',
    'TIMEOUT_S',
    'Graph',
    'Mailbox',
    'Running',
    'Spun',
    'camera',
    'header',
    'image',
    'info_for',
    'key',
    'next_stamp',
    'opened',
    'parameter_value',
    'picture',
    'plain_value',
    'scene',
    'seconds',
    'wait_until',
]

TRANSITIONS = {
    'configure': Transition.TRANSITION_CONFIGURE,
    'activate': Transition.TRANSITION_ACTIVATE,
    'deactivate': Transition.TRANSITION_DEACTIVATE,
    'cleanup': Transition.TRANSITION_CLEANUP,
}
SHUTDOWNS = {
    'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
    'active': Transition.TRANSITION_ACTIVE_SHUTDOWN,
}

_markers = itertools.count()
# Of the whole run: a node that Python has not freed yet is still on the graph.
_namespaces = itertools.count(1)


class Graph:
    """A context of its own with a peer that is camera, user and lifecycle manager."""

    def __init__(self, domain_id: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, args=[], domain_id=domain_id)
        self.peer = Spun(Node('peer', context=self.context))
        self.log = Mailbox('/rosout')
        durable = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscribe(Log, '/rosout', self.log, durable)
        self._running: list[Running] = []
        self._clients: dict[str, Client] = {}

    def start(
        self,
        parameters: dict[str, Any],
        *arguments: str,
        namespace: str = '',
        hold: bool = False,
        host: NetworkHost | None = None,
    ) -> 'Running':
        """Start a node.

        Args:
            parameters: By their names.
            arguments: As after --ros-args.
            namespace: '' makes one of its own.
            hold: Keep its worker from doing anything until `held` is left.
            host: What it shares with other nodes.
        """
        args = ['--ros-args', *arguments]
        for name, value in parameters.items():
            text = repr(value) if not isinstance(value, bool) else str(value).lower()
            args += ['-p', f'{name}:={text}']
        running = Running(self, namespace or f'/n{next(_namespaces)}', args, hold, host)
        self._running.append(running)
        return running

    def listen(self, topic: str, kind: type, depth: int = 50) -> Mailbox:
        """Subscribe reliably."""
        mailbox = Mailbox(topic)
        self._subscribe(kind, topic, mailbox, QoSProfile(depth=depth))
        return mailbox

    def _subscribe(self, kind: type, topic: str, mailbox: Mailbox, qos: QoSProfile) -> None:
        self.peer.do(lambda: self.peer.node.create_subscription(kind, topic, mailbox.put, qos))

    def unlisten(self, mailbox: Mailbox) -> None:
        """Destroy the subscription of a mailbox."""
        node = self.peer.node
        subscription = next(s for s in node.subscriptions if s.callback == mailbox.put)
        self.peer.do(lambda: node.destroy_subscription(subscription))

    def advertise(self, topic: str, kind: type, reliable: bool = True) -> Publisher:
        """Publish, and wait until the node under test listens."""
        policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        qos = QoSProfile(depth=5, reliability=policy)
        publisher = self.peer.do(lambda: self.peer.node.create_publisher(kind, topic, qos))
        wait_until(publisher.get_subscription_count, f'a reader of {topic}')
        return publisher

    def withdraw(self, publisher: Publisher) -> None:
        self.peer.do(lambda: self.peer.node.destroy_publisher(publisher))

    def call(self, kind: type, service: str, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
        """Call a service and return its answer."""
        return self.ask(kind, service, request)(timeout_s)

    def ask(self, kind: type, service: str, request: Any) -> Callable[..., Any]:
        """Call a service and return a function that waits for its answer."""
        node, done = self.peer.node, threading.Event()
        if service not in self._clients:
            self._clients[service] = self.peer.do(lambda: node.create_client(kind, service))
        client = self._clients[service]
        wait_until(client.service_is_ready, f'service {service}')
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())

        def answer(timeout_s: float = TIMEOUT_S) -> Any:
            assert done.wait(timeout_s), f'{service} does not answer within {timeout_s} s'
            return future.result()

        return answer

    def close(self) -> None:
        for running in list(self._running):
            running.close()
        self.peer.close()
        rclpy.shutdown(context=self.context)

    def forget(self, running: 'Running') -> None:
        self._running.remove(running)


class Running:
    """A node under test."""

    def __init__(
        self,
        graph: Graph,
        namespace: str,
        args: list[str],
        hold: bool,
        host: NetworkHost | None,
    ) -> None:
        self.graph = graph
        self.namespace = namespace
        self.node = MonoDepthNode(
            host,
            context=graph.context,
            namespace=namespace,
            cli_args=args,
            use_global_arguments=False,
        )
        self.spun = Spun(self.node)
        self._cameras: dict[str, Publisher] = {}
        self._is_held = False
        self._standing, self._free = threading.Event(), threading.Event()
        if hold:
            self._hold()
        self.node.start()

    def topic(self, name: str) -> str:
        if name.startswith('/'):
            return name
        return f'{self.namespace}/{name.replace("~", "mono_depth")}'

    # Lifecycle.

    @property
    def state(self) -> str:
        answer = self.graph.call(GetState, self.topic('~/get_state'), GetState.Request())
        return str(answer.current_state.label)

    def change(self, transition: str) -> bool:
        """Ask for a transition as a lifecycle manager does; return whether it succeeded."""
        return bool(self.ask(transition)().success)

    def ask(self, transition: str) -> Callable[..., Any]:
        """Ask for a transition; return a function that waits for the answer."""
        number = TRANSITIONS.get(transition)
        request = ChangeState.Request()
        request.transition.id = SHUTDOWNS[self.state] if number is None else number
        return self.graph.ask(ChangeState, self.topic('~/change_state'), request)

    def until(self, state: str) -> 'Running':
        """Wait for a state."""
        wait_until(lambda: self.state == state, f'state {state}')
        return self

    # Parameters.

    def set(self, **values: Any) -> str:
        """Set parameters, all or none ('__' stands for '.'); return the reason of a refusal."""
        request = SetParametersAtomically.Request()
        request.parameters = [
            ParameterMsg(name=name.replace('__', '.'), value=parameter_value(value))
            for name, value in values.items()
        ]
        service = self.topic('~/set_parameters_atomically')
        result = self.graph.call(SetParametersAtomically, service, request).result
        assert result.successful == (not result.reason)
        return str(result.reason)

    def get(self, name: str, timeout_s: float = TIMEOUT_S) -> Any:
        request = GetParameters.Request(names=[name])
        answer = self.graph.call(GetParameters, self.topic('~/get_parameters'), request, timeout_s)
        return plain_value(answer.values[0])

    def describe(self, names: Iterable[str]) -> list[Any]:
        request = DescribeParameters.Request(names=list(names))
        service = self.topic('~/describe_parameters')
        return list(self.graph.call(DescribeParameters, service, request).descriptors)

    # Topics.

    def listen(self, name: str, kind: type) -> Mailbox:
        """Listen to an output and wait until the node knows."""
        mailbox = self.graph.listen(self.topic(name), kind)
        readers = {p.topic_name: p for p in self.node.publishers}
        publisher = readers[mailbox.topic]
        wait_until(publisher.get_subscription_count, f'{mailbox.topic} matched')
        return mailbox

    def send(self, *messages: Any, names: Iterable[str] = ('camera_info', 'image_raw')) -> None:
        """Publish camera_info and image messages in the order given."""
        topics = dict(zip((CameraInfo, Image), names, strict=False))
        for msg in messages:
            self.publisher(topics.get(type(msg), 'image_raw/compressed'), type(msg)).publish(msg)

    def publisher(self, name: str, kind: type) -> Publisher:
        """Return the peer's publisher of an input, matched on both sides."""
        topic = self.topic(name)
        if topic not in self._cameras:
            self._cameras[topic] = self.graph.advertise(topic, kind)
        (reader,) = [s for s in self.node.subscriptions if s.topic_name == topic]
        wait_until(reader.get_publisher_count, f'a writer of {topic}')
        wait_until(self._cameras[topic].get_subscription_count, f'a reader of {topic}')
        return self._cameras[topic]

    def unplug(self) -> None:
        """End the publishers of the camera, and wait until the node knows."""
        for publisher in self._cameras.values():
            self.graph.withdraw(publisher)
        readers = [s for s in self.node.subscriptions if s.topic_name in self._cameras]
        wait_until(lambda: not any(s.get_publisher_count() for s in readers), 'no camera')
        self._cameras.clear()

    # What the node says.

    @property
    def statistics(self) -> Any:
        return self.node.shared.statistics

    def logged(self, text: str, timeout_s: float = TIMEOUT_S) -> Log:
        """Wait for a line of this node's log that contains a text."""
        return self.graph.log.wait(lambda line: self._mine(line) and text in line.msg, timeout_s)

    def lines(self, text: str) -> list[Log]:
        """Return all lines of this node's log so far that contain a text."""
        # Lines come in their order: once this one is here, all before it are.
        marker = f'marker {next(_markers)}'
        self.node.get_logger().info(marker)
        self.logged(marker)
        return [line for line in self.graph.log.all() if self._mine(line) and text in line.msg]

    def _mine(self, line: Log) -> bool:
        return bool(line.name == f'{self.namespace[1:]}.mono_depth')

    @property
    def received(self) -> int:
        return int(self.node.shared.statistics.received)

    @property
    def dropped(self) -> int:
        return int(self.node.shared.statistics.dropped)

    def until_received(self, count: int) -> None:
        wait_until(lambda: self.received >= count, f'{count} images received')

    def until_seen(self, sent: Any) -> None:
        """Wait until the worker has taken a frame and is through with it."""

        def taken() -> bool:
            latest = self.node.shared.latest
            return latest is not None and key(latest) == key(sent)

        wait_until(taken, 'the frame taken')
        self.settle()

    def snapshot(self) -> Trigger.Response:
        return self.ask_snapshot()()

    def ask_snapshot(self) -> Callable[..., Trigger.Response]:
        return self.graph.ask(Trigger, self.topic('~/snapshot'), Trigger.Request())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the worker from frames and calls, as a frame that takes long does."""
        if not self._is_held:
            self._hold()
        assert self._standing.wait(TIMEOUT_S)
        try:
            yield
        finally:
            self._is_held = False
            self._free.set()

    def _hold(self) -> None:
        self._is_held = True
        self._standing.clear()
        self._free.clear()
        self.node.worker.call(self._stand)

    def _stand(self) -> None:
        self._standing.set()
        self._free.wait(TIMEOUT_S)

    def settle(self) -> None:
        """Wait until the worker has done all that it was given so far."""
        self.node.worker.call(lambda: None).result(TIMEOUT_S)

    def close(self) -> None:
        for publisher in self._cameras.values():
            self.graph.withdraw(publisher)
        self.graph.forget(self)
        assert self.spun.is_spinning, 'a callback ended the executor'
        assert self.node.stop()
        self.spun.close()


def opened(domain_id: int) -> Iterator[Graph]:
    """Yield a graph and close it."""
    graph = Graph(domain_id)
    try:
        yield graph
    finally:
        graph.close()

"""A ROS graph inside the test process: nodes under test and a peer, each in its own thread."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Log, ParameterType, ParameterValue
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParametersAtomically
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from mono_depth_ros.core.camera import PinholeCamera
from mono_depth_ros.ros.camera_info import camera_to_info
from mono_depth_ros.ros.images import rgb_to_image
from mono_depth_ros.ros.node import MonoDepthNode

TIMEOUT_S = 30.0
FRAME_ID = 'eye_optical'
FOCAL_PX = 80.0

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

T = TypeVar('T')
_seconds = itertools.count(1_000)
_markers = itertools.count()
# Of the whole run: a node that Python has not freed yet is still on the graph.
_namespaces = itertools.count(1)


def picture(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Return a coarse random pattern, (H, W, 3) uint8 RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (-(-height // 8), -(-width // 8), 3))
    return np.kron(coarse, np.ones((8, 8, 1)))[:height, :width].astype(np.uint8)


def camera(height: int = 48, width: int = 64, focal_px: float = FOCAL_PX) -> PinholeCamera:
    """Return a camera whose principal point is not the centre."""
    return PinholeCamera(width, height, focal_px, focal_px + 4, width / 2 + 3, height / 2 - 2)


def next_stamp() -> Time:
    """Return a stamp that no other message of this run has; a second later than the last."""
    return Time(sec=next(_seconds), nanosec=125_000_000)


def header(stamp: Time | None = None, frame_id: str = FRAME_ID) -> Header:
    """Return a header with a stamp of its own."""
    return Header(stamp=stamp or next_stamp(), frame_id=frame_id)


def image(rgb: np.ndarray | None = None, head: Header | None = None) -> Image:
    """Return an rgb8 message with a stamp of its own."""
    return rgb_to_image(picture() if rgb is None else rgb, head or header())


def info_for(msg: Any, source: PinholeCamera | None = None) -> CameraInfo:
    """Return the camera_info of the same header."""
    return camera_to_info(source or camera(), msg.header)


def key(msg: Any) -> tuple[int, int]:
    """Return a message's stamp as something to compare."""
    return msg.header.stamp.sec, msg.header.stamp.nanosec


def seconds(msg: Any) -> float:
    """Return a message's stamp [s]."""
    return msg.header.stamp.sec + msg.header.stamp.nanosec / 1e9


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
    ) -> 'Running':
        """Start a node.

        Args:
            parameters: By their names.
            arguments: As after --ros-args.
            namespace: '' makes one of its own.
            hold: Keep its worker from doing anything until `held` is left.
        """
        args = ['--ros-args', *arguments]
        for name, value in parameters.items():
            text = repr(value) if not isinstance(value, bool) else str(value).lower()
            args += ['-p', f'{name}:={text}']
        running = Running(self, namespace or f'/n{next(_namespaces)}', args, hold)
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

    def __init__(self, graph: Graph, namespace: str, args: list[str], hold: bool) -> None:
        self.graph = graph
        self.namespace = namespace
        self.node = MonoDepthNode(
            context=graph.context, namespace=namespace, cli_args=args, use_global_arguments=False
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

    # What the node says.

    @property
    def statistics(self) -> Any:
        return self.node._engine.statistics

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
        return int(self.node._inputs.received)

    @property
    def dropped(self) -> int:
        return int(self.node._worker.dropped)

    def until_received(self, count: int) -> None:
        wait_until(lambda: self.received >= count, f'{count} images received')

    def until_seen(self, sent: Any) -> None:
        """Wait until the worker has taken a frame and is through with it."""

        def taken() -> bool:
            latest = self.node._engine._latest
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
        self.node._worker.call(self._stand)

    def _stand(self) -> None:
        self._standing.set()
        self._free.wait(TIMEOUT_S)

    def settle(self) -> None:
        """Wait until the worker has done all that it was given so far."""
        self.node._worker.call(lambda: None).result(TIMEOUT_S)

    def close(self) -> None:
        for publisher in self._cameras.values():
            self.graph.withdraw(publisher)
        self.graph.forget(self)
        assert self.spun.is_spinning, 'a callback ended the executor'
        assert self.node.stop()
        self.spun.close()


def parameter_value(value: Any) -> ParameterValue:
    """Return a value as the parameter services take it."""
    if isinstance(value, bool):
        return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    if isinstance(value, int):
        return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    if isinstance(value, float):
        return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def plain_value(value: ParameterValue) -> Any:
    """Return what a parameter service gave."""
    return {
        ParameterType.PARAMETER_BOOL: value.bool_value,
        ParameterType.PARAMETER_INTEGER: value.integer_value,
        ParameterType.PARAMETER_DOUBLE: value.double_value,
        ParameterType.PARAMETER_STRING: value.string_value,
    }[value.type]


def opened(domain_id: int) -> Iterator[Graph]:
    """Yield a graph and close it."""
    graph = Graph(domain_id)
    try:
        yield graph
    finally:
        graph.close()

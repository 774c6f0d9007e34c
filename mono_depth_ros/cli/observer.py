"""A node that reads the graph and listens to topics without disturbing anybody."""

import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import rclpy
from rclpy.clock import Clock
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node, NodeNameNonExistentError
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ..ros.messages import nanoseconds
from ..ros.qos import Mismatch, mismatches

_KEPT_STAMPS = 256
_POLL_S = 0.05

Msg = TypeVar('Msg')


class Heard(Generic[Msg]):
    """The messages of a topic.

    Attributes:
        newest: The newest one, None before the first.
        count: Number of all messages so far.
        stamps_ns: Stamps of the newest many, if they have a header [ns].
        age_ns: Age of the newest message when it came [ns].
    """

    def __init__(self, clock: Clock) -> None:
        self.newest: Msg | None = None
        self.count = self.age_ns = 0
        self.stamps_ns: deque[int] = deque(maxlen=_KEPT_STAMPS)
        self._clock = clock
        self._first_s = self._last_s = 0.0

    def put(self, msg: Any) -> None:
        """Add a message."""
        self.newest, self._last_s = msg, time.monotonic()
        self._first_s = self._first_s or self._last_s
        self.count += 1
        if hasattr(msg, 'header'):
            self.stamps_ns.append(nanoseconds(msg.header.stamp))
            self.age_ns = self._clock.now().nanoseconds - self.stamps_ns[-1]

    @property
    def rate(self) -> str:
        """Rate of all messages so far, as text."""
        if self.count < 2:
            return 'one so far'
        return f'{(self.count - 1) / (self._last_s - self._first_s):.1f} Hz'

    def is_paired_with(self, other: 'Heard[Any]', tolerance_s: float = 0.0) -> bool:
        """Return whether any stamp is one of another topic, or as near as tolerated."""
        if not self.stamps_ns or not other.stamps_ns:
            return False
        own, its = self.nearest_ns(other)
        return abs(own - its) <= tolerance_s * 1e9

    def nearest_ns(self, other: 'Heard[Any]') -> tuple[int, int]:
        """Return the stamp here and that there which differ least [ns]; both were heard."""
        pairs = ((own, its) for own in self.stamps_ns for its in other.stamps_ns)
        return min(pairs, key=lambda pair: abs(pair[0] - pair[1]))


class Observer:
    """Listens and asks; each wait is bounded, and all together take `limit_s` [s] at most."""

    def __init__(self, node: Node, limit_s: float = math.inf) -> None:
        self.node = node
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._end_s = time.monotonic() + limit_s

    @property
    def clock(self) -> str:
        """Name of the clock that ages of messages are taken by."""
        is_simulated = self.node.get_parameter('use_sim_time').value
        return '/clock' if is_simulated else "this machine's clock"

    def follow_clock(self, patience_s: float) -> bool:
        """Use the time of `/clock` if it is published; return whether it comes."""
        comes = bool(self.publishers('/clock'))
        self._use_sim_time(comes)
        comes = comes and self.wait(lambda: self.node.get_clock().now().nanoseconds, patience_s)
        self._use_sim_time(comes)
        return comes

    def _use_sim_time(self, value: bool) -> None:
        self.node.set_parameters([Parameter('use_sim_time', value=value)])

    def left_s(self, seconds: float) -> float:
        """Return how much of a wait the limit still allows [s]."""
        return max(0.0, min(seconds, self._end_s - time.monotonic()))

    def allow(self, seconds: float) -> None:
        """Let the waits from now on take so long together [s]."""
        self._end_s = time.monotonic() + seconds

    def wait(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Serve callbacks until a condition holds or time is up; return whether it holds."""
        end_s = time.monotonic() + self.left_s(seconds)
        while not condition():
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(min(left_s, _POLL_S))
        return True

    def settle(self, quiet_s: float, patience_s: float) -> None:
        """Wait until neither nodes nor topics have changed for `quiet_s` [s]."""
        end_s, is_changing = time.monotonic() + patience_s, True
        while is_changing and time.monotonic() < end_s:
            graph = self._graph()
            is_changing = self.wait(lambda seen=graph: self._graph() != seen, quiet_s)

    def _graph(self) -> tuple[object, ...]:
        return self.nodes(), self.node.get_topic_names_and_types()

    def listen(self, kind: type, topic: str) -> Heard[Any]:
        """Subscribe so that any publisher matches; for earlier messages, too, if all keep them."""
        heard: Heard[Any] = Heard(self.node.get_clock())
        kept = {it.qos_profile.durability for it in self.publishers(topic)}
        self.subscribe(kind, topic, heard.put, latched=kept == {DurabilityPolicy.TRANSIENT_LOCAL})
        return heard

    def listen_undecoded(self, kind: type, topic: str) -> Heard[bytes]:
        """Subscribe so that any publisher matches, to count messages and their bytes only."""
        heard: Heard[bytes] = Heard(self.node.get_clock())
        qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.node.create_subscription(kind, topic, heard.put, qos, raw=True)
        return heard

    def subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], *, latched: bool = False
    ) -> None:
        """Subscribe so that any publisher matches; `latched` asks for earlier messages, too."""
        qos = QoSProfile(depth=100 if latched else 5, reliability=ReliabilityPolicy.BEST_EFFORT)
        if latched:
            qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
            qos.reliability = ReliabilityPolicy.RELIABLE
        self.node.create_subscription(kind, topic, callback, qos)

    def call(self, kind: type, service: str, request: Any, seconds: float) -> Any:
        """Call a service; return None if no answer comes."""
        client = self.node.create_client(kind, service)
        if not self.wait(client.service_is_ready, seconds):
            return None
        future = client.call_async(request)
        return future.result() if self.wait(future.done, seconds) else None

    def nodes(self) -> list[str]:
        """Return the full names of all other nodes, equal ones as often as there are nodes.

        Hidden ones of tools are left out: the daemon of `ros2 topic list` is always there.
        """
        found = self.node.get_node_names_and_namespaces()
        names = (f'{ns.rstrip("/")}/{name}' for name, ns in found if not name.startswith('_'))
        return sorted(name for name in names if name != self.node.get_fully_qualified_name())

    def publishers(self, topic: str) -> list[TopicEndpointInfo]:
        """Return the publishers of a topic."""
        return list(self.node.get_publishers_info_by_topic(topic))

    def subscriptions(self, topic: str) -> list[TopicEndpointInfo]:
        """Return the subscriptions of other nodes to a topic."""
        own = self.node.get_name()
        found = self.node.get_subscriptions_info_by_topic(topic)
        return [endpoint for endpoint in found if endpoint.node_name != own]

    def publisher_names(self, *topics: str) -> list[str]:
        """Return the full names of the nodes that publish topics, once for each publisher."""
        return [
            f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'
            for topic in topics
            for endpoint in self.publishers(topic)
        ]

    def mismatches(self, topic: str) -> list[Mismatch]:
        """Return the pairs of other nodes that are not matched on a topic."""
        own = self.node.get_fully_qualified_name()
        found = mismatches(self.node, topic)
        return [pair for pair in found if own not in (pair.publisher, pair.subscriber)]

    def topics_of_type(self, *types: str) -> list[str]:
        """Return the topics that are published with one of these types."""
        return [
            topic
            for topic, kinds in self.node.get_topic_names_and_types()
            if set(types) & set(kinds) and self.node.count_publishers(topic)
        ]

    def topics_of_node(self, name: str) -> set[str]:
        """Return all topics that a node publishes or subscribes to."""
        namespace, _, base = name.rpartition('/')
        try:
            published = self.node.get_publisher_names_and_types_by_node(base, namespace or '/')
            heard = self.node.get_subscriber_names_and_types_by_node(base, namespace or '/')
        except NodeNameNonExistentError:
            return set()
        return {topic for topic, _ in (*published, *heard)}


@contextlib.contextmanager
def observing(limit_s: float) -> Iterator[Observer]:
    """Join the graph that the environment names, and leave it."""
    name = f'mono_depth_check_{os.getpid()}'
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    node = Node(name, context=context, enable_rosout=False, start_parameter_services=False)
    try:
        yield Observer(node, limit_s)
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)

"""A node that reads the graph and listens to topics without disturbing anybody."""

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node, NodeNameNonExistentError
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosgraph_msgs.msg import Clock

from ...ros.messages import nanoseconds
from ...ros.qos import Mismatch, mismatches

_KEPT_MESSAGES = 3
_KEPT_STAMPS = 256
_POLL_S = 0.05

Msg = TypeVar('Msg')


class Heard(Generic[Msg]):
    """The messages of a topic.

    Attributes:
        count: Number of all messages so far.
        newest: The newest few, the newest last.
        stamps_ns: Stamps of the newest many, if they have a header [ns].
        age_ns: Age of the newest message when it came [ns].
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.count = self.age_ns = 0
        self._now_ns = now_ns
        self.newest: deque[Msg] = deque(maxlen=_KEPT_MESSAGES)
        self.stamps_ns: deque[int] = deque(maxlen=_KEPT_STAMPS)
        self._arrivals_s: deque[float] = deque(maxlen=_KEPT_STAMPS)

    def put(self, msg: Any) -> None:
        """Add a message."""
        self.count += 1
        self.newest.append(msg)
        self._arrivals_s.append(time.monotonic())
        if hasattr(msg, 'header'):
            self.stamps_ns.append(nanoseconds(msg.header.stamp))
            self.age_ns = self._now_ns() - self.stamps_ns[-1]

    @property
    def rate(self) -> str:
        """Rate between the first and the last message that are kept, as text."""
        if self.count < 2:
            return 'one so far'
        took_s = self._arrivals_s[-1] - self._arrivals_s[0]
        return f'{(len(self._arrivals_s) - 1) / took_s:.1f} Hz'


class Observer:
    """Listens and asks; each wait is bounded, and so are all together.

    Args:
        node: Node to use.
        limit_s: Limit of all waits together [s].
    """

    def __init__(self, node: Node, limit_s: float) -> None:
        self.node = node
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._end_s = time.monotonic() + limit_s
        self._simulated_ns: int | None = None

    @property
    def clock(self) -> str:
        """Name of the clock of `now_ns`."""
        return "this machine's clock" if self._simulated_ns is None else '/clock'

    def now_ns(self) -> int:
        """Return the time of `/clock` if it is published, else of this machine [ns]."""
        return time.time_ns() if self._simulated_ns is None else self._simulated_ns

    def follow_clock(self, patience_s: float) -> bool:
        """Use the time of `/clock` if it is published; return whether it is."""
        if not self.publishers('/clock'):
            return False
        self.subscribe(Clock, '/clock', self._on_clock)
        return self.wait(lambda: self._simulated_ns is not None, patience_s)

    def _on_clock(self, msg: Clock) -> None:
        self._simulated_ns = nanoseconds(msg.clock)

    def left_s(self, seconds: float) -> float:
        """Return how much of a wait the limit still allows [s]."""
        return max(0.0, min(seconds, self._end_s - time.monotonic()))

    def wait(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Serve callbacks until a condition holds or time is up; return whether it holds."""
        end_s = time.monotonic() + self.left_s(seconds)
        while not condition():
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(min(left_s, _POLL_S))
        return True

    def listen(self, kind: type, topic: str) -> Heard[Any]:
        """Subscribe so that any publisher matches; for earlier messages, too, if all keep them."""
        heard: Heard[Any] = Heard(self.now_ns)
        kept = [it.qos_profile.durability for it in self.publishers(topic)]
        latched = set(kept) == {DurabilityPolicy.TRANSIENT_LOCAL}
        self.subscribe(kind, topic, heard.put, latched=latched)
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
        """Return the full names of all other nodes, hidden ones of tools aside."""
        found = self.node.get_node_names_and_namespaces()
        # Such as the daemon of `ros2 topic list`, which is there although nothing runs.
        names = {f'{ns.rstrip("/")}/{name}' for name, ns in found if not name.startswith('_')}
        return sorted(names - {self.node.get_fully_qualified_name()})

    def publishers(self, topic: str) -> list[TopicEndpointInfo]:
        """Return the publishers of a topic."""
        return list(self.node.get_publishers_info_by_topic(topic))

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

    def only_image_topic(self) -> str:
        """Return the topic of images if there is just one, '' otherwise."""
        found = self.topics_of_type('sensor_msgs/msg/Image')
        return found[0] if len(found) == 1 else ''

    def topics_of_node(self, name: str) -> list[str]:
        """Return all topics that a node publishes or subscribes to."""
        namespace, _, base = name.rpartition('/')
        try:
            published = self.node.get_publisher_names_and_types_by_node(base, namespace or '/')
            heard = self.node.get_subscriber_names_and_types_by_node(base, namespace or '/')
        except NodeNameNonExistentError:
            return []
        return sorted({topic for topic, _ in (*published, *heard)})


@contextlib.contextmanager
def observing(limit_s: float) -> Iterator[Observer]:
    """Join the graph that the environment names, and leave it."""
    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    try:
        node = Node(
            f'mono_depth_check_{os.getpid()}',
            context=context,
            enable_rosout=False,
            start_parameter_services=False,
        )
        try:
            yield Observer(node, limit_s)
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)

"""The subscriptions of consumers, and what each of them gets of a frame."""

from collections.abc import Iterable
from types import SimpleNamespace

from contract import Contract, Input, Seen
from harness import Graph, Mailbox, Running, wait_until
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.ros.qos import SubscriptionEventCallbacks


class Consumers:
    """Subscriptions to one node, each consumer's own with the QoS that it asks for."""

    def __init__(self, graph: Graph, node: Running, contracts: Iterable[Contract]) -> None:
        self.node = node
        self._peer = graph.peer
        self._boxes: dict[tuple[str, str], Mailbox] = {}
        self._subscriptions: dict[Mailbox, Subscription] = {}
        self._refused: set[Mailbox] = set()
        for contract in contracts:
            for role, source in contract.inputs.items():
                self._boxes[contract.consumer, role] = self._subscribe(source)
        wait_until(self._is_settled, 'every subscription matched or refused')

    def box(self, contract: Contract, role: str) -> Mailbox:
        """Return what arrives for a consumer in a role."""
        return self._boxes[contract.consumer, role]

    def is_refused(self, box: Mailbox) -> bool:
        """Return whether a subscription asks for more than the node offers."""
        return box in self._refused

    def seen(self, contract: Contract, sent: Image, truth: Result) -> Seen:
        """Return what a consumer got of a frame."""
        boxes = {role: self.box(contract, role) for role in contract.inputs}
        return SimpleNamespace(
            sent=sent,
            truth=truth,
            topics=SimpleNamespace(**{role: box.topic for role, box in boxes.items()}),
            **{role: box.of(sent) for role, box in boxes.items()},
        )

    def _subscribe(self, source: Input) -> Mailbox:
        box = Mailbox(self.node.topic(source.topic))
        events = SubscriptionEventCallbacks(incompatible_qos=lambda _: self._refused.add(box))

        def subscribe() -> Subscription:
            return self._peer.node.create_subscription(
                source.kind, box.topic, box.put, source.qos, event_callbacks=events
            )

        self._subscriptions[box] = self._peer.do(subscribe)
        return box

    def _is_settled(self) -> bool:
        matched = [box for box in self._subscriptions if box not in self._refused]
        if not all(self._subscriptions[box].get_publisher_count() for box in matched):
            return False
        topics = [box.topic for box in matched]
        return all(
            publisher.get_subscription_count() == topics.count(publisher.topic_name)
            for publisher in self.node.node.publishers
            if publisher.topic_name in topics
        )

"""Quality of service: what of it may be overridden, and who cannot be matched with whom."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from ..core.errors import SettingsError

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

_OVERRIDABLE = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)
POLICIES = tuple(kind.name.lower() for kind in _OVERRIDABLE)
OVERRIDES = rf'qos_overrides\.(/\w+)+\.(publisher|subscription)\.({"|".join(POLICIES)})'
"""What the parameters that change them match."""
_REQUESTED_IN_VAIN = {
    'reliability': (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE),
    'durability': (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL),
    'liveliness': (LivelinessPolicy.AUTOMATIC, LivelinessPolicy.MANUAL_BY_TOPIC),
}
"""Of each policy, what a publisher offers that does not do for what a subscription requests."""


class Mismatch(NamedTuple):
    """A publisher and a subscription, by their nodes, and a policy by which nothing is sent."""

    topic: str
    publisher: str
    subscriber: str
    policy: str
    offered: str
    requested: str

    @property
    def what(self) -> str:
        """What is wrong, both sides named."""
        return (
            f'{self.topic}: nothing passes from {self.publisher}, which offers {self.policy} '
            f'{self.offered}, to {self.subscriber}, which requests {self.requested}'
        )

    def remedy(self, ours: str) -> str:
        """Return what to set on either side; `ours` is the node that has parameters for it."""
        sides = []
        for node, entity, value in (
            (self.publisher, 'publisher', self.requested),
            (self.subscriber, 'subscription', self.offered),
        ):
            how = f'{self.policy} {value}'
            if node == ours and self.policy in POLICIES:
                how = f'parameter qos_overrides.{self.topic}.{entity}.{self.policy}: {value}'
            sides.append(f'{entity} of {node}: {how}')
        return '; or '.join(sides)


def overriding() -> QoSOverridingOptions:
    """Return which policies of a topic parameters `qos_overrides` may change."""
    return QoSOverridingOptions(policy_kinds=_OVERRIDABLE)


def clashes(offered: QoSProfile, requested: QoSProfile) -> list[tuple[str, str, str]]:
    """Return (policy, offered, requested) where a publisher offers less than is requested."""
    found = []
    for policy, (offer, request) in _REQUESTED_IN_VAIN.items():
        if getattr(offered, policy) == offer and getattr(requested, policy) == request:
            found.append((policy, offer.short_key, request.short_key))
    for policy in ('deadline', 'liveliness_lease_duration'):
        offer_s, request_s = (_seconds(getattr(qos, policy)) for qos in (offered, requested))
        if offer_s > request_s:
            found.append((policy, f'{offer_s:g} s', f'{request_s:g} s'))
    return found


def mismatches(node: Node, topic: str) -> list[Mismatch]:
    """Return all pairs on a topic, as far as the node knows the graph, that are not matched."""
    publishers = node.get_publishers_info_by_topic(topic)
    subscriptions = node.get_subscriptions_info_by_topic(topic)
    return [
        Mismatch(topic, _full_name(publisher), _full_name(subscription), *clash)
        for publisher in publishers
        for subscription in subscriptions
        for clash in clashes(publisher.qos_profile, subscription.qos_profile)
    ]


class QosMonitor:
    """Notices what cannot be matched with the publishers and subscriptions of a node.

    The middleware says that there is something, the graph says who.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._suspected: set[str] = set()

    def publisher_events(self, topic: str) -> PublisherEventCallbacks:
        """Return the callbacks to create a publisher with."""
        return PublisherEventCallbacks(incompatible_qos=self._suspect(topic))

    def subscription_events(self, topic: str) -> SubscriptionEventCallbacks:
        """Return the callbacks to create a subscription with."""
        return SubscriptionEventCallbacks(incompatible_qos=self._suspect(topic))

    def mismatches(self) -> list[Mismatch]:
        """Return what is not matched with this node now."""
        own = self._node.get_fully_qualified_name()
        return [
            found
            for topic in sorted(self._suspected)
            for found in mismatches(self._node, topic)
            if own in (found.publisher, found.subscriber)
        ]

    def _suspect(self, topic: str) -> Any:
        name = self._node.resolve_topic_name(topic)
        return lambda event: self._suspected.add(name)


def input_qos() -> QoSProfile:
    """Return a fresh profile: any publisher matches, only the newest message counts."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def subscribe(
    node: Node, kind: type, topic: str, callback: Callable[[Any], None], qos: QosMonitor
) -> Subscription:
    """Return a new subscription whose quality of service parameters may change.

    Raises:
        SettingsError: A `qos_overrides` parameter has an invalid value.
    """
    try:
        return node.create_subscription(
            kind,
            topic,
            callback,
            input_qos(),
            qos_overriding_options=overriding(),
            event_callbacks=qos.subscription_events(topic),
        )
    except Exception as error:  # of many kinds, for a policy, a depth or a type
        raise SettingsError(f'qos_overrides of {topic}: {error}') from error


def _full_name(endpoint: Any) -> str:
    return f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'


def _seconds(duration: Any) -> float:
    """Return seconds; DDS has two ways of saying "for ever"."""
    nanoseconds = duration.nanoseconds
    return nanoseconds / 1e9 if 0 < nanoseconds < 2**63 - 1 else float('inf')

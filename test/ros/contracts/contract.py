"""A consumer's rules, what it subscribes to, and how to break each rule alone."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from types import SimpleNamespace

from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_system_default

Seen = SimpleNamespace
"""One frame as a consumer got it.

A message under each role of its inputs, `topics` (full names by role), `sent` (the image) and
`truth` (a `Result`: what the library makes of it without ROS).
"""

Rules = Iterator[tuple[str, bool]]
"""Each rule in the consumer's order, and whether it holds; later ones may need earlier ones."""


@dataclass(frozen=True)
class Input:
    """A subscription of a consumer.

    Attributes:
        topic: Relative to the node's namespace, `~` being the node.
        kind: Message type.
        qos: What the consumer asks for.
    """

    topic: str
    kind: type
    qos: QoSProfile


@dataclass(frozen=True)
class Contract:
    """What a consumer demands of our messages.

    Attributes:
        consumer: Its name.
        inputs: Subscriptions by role.
        check: Yields its rules for what was seen.
        breaks: By rule, a change in place after which this rule is the first not to hold.
    """

    consumer: str
    inputs: Mapping[str, Input]
    check: Callable[[Seen], Rules]
    breaks: Mapping[str, Callable[[Seen], None]]

    def __str__(self) -> str:
        return self.consumer.replace(' ', '_')

    def broken_rule(self, seen: Seen) -> str:
        """Return the first rule that does not hold, '' if all do."""
        return next((rule for rule, holds in self.check(seen) if not holds), '')

    def broken(self, seen: Seen, rule: str) -> Seen:
        """Return a copy of what was seen, broken in this rule."""
        copies = {role: deepcopy(getattr(seen, role)) for role in (*self.inputs, 'topics')}
        copy = SimpleNamespace(**(vars(seen) | copies))
        self.breaks[rule](copy)
        return copy


def reliable(depth: int = 10) -> QoSProfile:
    """Return what rclcpp asks for unless told otherwise."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def sensor_data(depth: int = 5) -> QoSProfile:
    """Return rclcpp's SensorDataQoS."""
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)


def system_default() -> QoSProfile:
    """Return what the middleware does if it is told nothing."""
    return qos_profile_system_default

"""How the node subscribes to its inputs."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from ..core.errors import SettingsError
from .qos import QosMonitor, overriding


def input_qos() -> QoSProfile:
    """Return a fresh profile: any publisher matches, only the newest message counts."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def subscribe(
    node: Node, kind: type, topic: str, callback: Callable[[Any], None], qos: QosMonitor
) -> Subscription:
    """Return a new subscription whose quality of service parameters may change.

    Args:
        node: Whose it is.
        kind: Type of the messages.
        topic: Where they come.
        callback: What stores them.
        qos: Told about it.

    Raises:
        SettingsError: A `qos_overrides` parameter has a value it cannot have.
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

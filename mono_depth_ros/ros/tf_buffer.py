"""Where frames stand in one another, as TF says: by tf2_ros where it is installed, else by us."""

from importlib.util import find_spec
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription
from rclpy.time import Time

from ..core.camera.rigid_transform import RigidTransform
from ..core.camera.transform_tree import TransformTree
from ..core.errors import SettingsError, TransformError
from .messages import nanoseconds

_DEPTH = 100
"""As tf2_ros subscribes to both topics."""
_QUATERNION_TOLERANCE = 0.01  # of the square of its length, as in tf2


class TfBuffer(Protocol):
    """The executor stores what comes, the worker asks."""

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame.

        Args:
            target: Name of a frame.
            source: Name of a frame.
            stamp_ns: As of then [ns]; None is the newest time that all between them have.

        Raises:
            TransformError: Nothing connects them, or not at that time.
        """

    def clear(self) -> None:
        """Forget what moves, as where time jumped back."""

    def close(self) -> None:
        """Stop listening."""


def listen_to_tf(node: Node) -> TfBuffer:
    """Return what listens to /tf and /tf_static.

    Raises:
        SettingsError: Neither tf2_ros nor tf2_msgs is installed.
    """
    if find_spec('tf2_ros') is not None:
        return _Tf2Buffer(node)
    if find_spec('tf2_msgs') is not None:
        return _OwnBuffer(node)
    raise SettingsError(
        'TF needs tf2_msgs or tf2_ros, and neither is installed',
        'install ros-<distribution>-tf2-ros-py (there is no wheel of it)',
    )


class _OwnBuffer:
    """Listens without tf2."""

    def __init__(self, node: Node) -> None:
        from tf2_msgs.msg import TFMessage

        self._node = node
        self._tree = TransformTree()
        latched = QoSProfile(depth=_DEPTH, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions: list[Subscription] = [
            node.create_subscription(TFMessage, '/tf', self._on_moving, QoSProfile(depth=_DEPTH)),
            node.create_subscription(TFMessage, '/tf_static', self._on_static, latched),
        ]

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        return self._tree.lookup(target, source, stamp_ns)

    def clear(self) -> None:
        self._tree.clear()

    def close(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _on_moving(self, message: Any) -> None:
        self._put(message, is_static=False)

    def _on_static(self, message: Any) -> None:
        self._put(message, is_static=True)

    def _put(self, message: Any, is_static: bool) -> None:
        for stamped in message.transforms:
            try:
                transform = _rigid(stamped.transform)
                _require_unit_length(stamped.transform.rotation)
                parent, child = stamped.header.frame_id, stamped.child_frame_id
                stamp_ns = nanoseconds(stamped.header.stamp)
                self._tree.put(parent, child, stamp_ns, transform, is_static=is_static)
            except (TransformError, ValueError) as error:
                self._node.get_logger().warning(
                    f'transform not used: {error}', throttle_duration_sec=10.0
                )


class _Tf2Buffer:
    """Asks tf2_ros."""

    def __init__(self, node: Node) -> None:
        from tf2_ros import Buffer, TransformListener

        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        from tf2_ros import TransformException

        try:
            found = self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns or 0))
        except TransformException as error:
            raise TransformError(
                f'TF does not connect {source!r} to {target!r}: {error}'
            ) from error
        return _rigid(found.transform)

    def clear(self) -> None:
        self._buffer.clear()

    def close(self) -> None:
        self._listener.unregister()


def _require_unit_length(q: Any) -> None:
    """Refuse what tf2 refuses.

    Raises:
        TransformError: The quaternion is none of a rotation.
    """
    square = q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w
    if abs(square - 1) >= _QUATERNION_TOLERANCE:
        raise TransformError(
            f'its quaternion {q.x:g} {q.y:g} {q.z:g} {q.w:g} has the length {square**0.5:g}',
            'it must be 1',
        )


def _rigid(transform: Any) -> RigidTransform:
    """Return a geometry_msgs/Transform as ours."""
    position, rotation = transform.translation, transform.rotation
    return RigidTransform.of(
        (position.x, position.y, position.z), (rotation.x, rotation.y, rotation.z, rotation.w)
    )

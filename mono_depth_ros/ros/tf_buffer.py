"""Where frames stand in one another, as TF says: by tf2_ros where it is installed, else by us."""

from importlib.util import find_spec
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription
from rclpy.time import Time

from ..core.camera.rigid_transform import RigidTransform
from ..core.camera.transform_tree import TransformTree
from ..core.errors import TransformError
from .messages import nanoseconds

INSTALL = (
    'to bring them together by TF install tf2_ros (ros-<distribution>-tf2-ros-py; there is no '
    'wheel of it)'
)
_DEPTH = 100
"""As tf2_ros subscribes to both topics."""
_QUATERNION_TOLERANCE = 0.01  # of the square of its length, as in tf2


class _Buffer(Protocol):
    """The executor stores what comes, the worker asks."""

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame; see `Tf.lookup`."""

    def clear(self) -> None:
        """Forget what moves."""

    def close(self) -> None:
        """Stop listening."""


class Tf:
    """Listens to /tf and /tf_static while that is wanted."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._buffer: _Buffer | None = None
        self._users: set[str] = set()

    @property
    def is_installed(self) -> bool:
        """Whether it can listen."""
        return any(find_spec(name) is not None for name in ('tf2_ros', 'tf2_msgs'))

    def listen(self, is_wanted: bool, who: str = 'measurements') -> None:
        """Begin or cease to listen for someone; nothing is heard where TF is not installed."""
        (self._users.add if is_wanted else self._users.discard)(who)
        if self._users and self._buffer is None and self.is_installed:
            own = find_spec('tf2_ros') is None
            self._buffer = _OwnBuffer(self._node) if own else _Tf2Buffer(self._node)
        elif not self._users and self._buffer is not None:
            self._buffer.close()
            self._buffer = None

    def clear(self) -> None:
        """Forget what moves, as where time jumped back."""
        if self._buffer is not None:
            self._buffer.clear()

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame.

        Args:
            target: Name of a frame.
            source: Name of a frame.
            stamp_ns: As of then [ns]; None is the newest time that all between them have.

        Raises:
            TransformError: Nothing connects them, or not at that time, or TF is not installed.
        """
        if target == source:
            return RigidTransform.identity()
        buffer = self._buffer  # the executor may take it away meanwhile
        if buffer is None:
            raise TransformError(f'{source!r} and {target!r} are two frames', INSTALL)
        return buffer.lookup(target, source, stamp_ns)


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

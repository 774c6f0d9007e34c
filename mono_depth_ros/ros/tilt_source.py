"""Which way is down for the camera: as TF or the gravity of an IMU says it."""

from importlib.util import find_spec
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.time import Time
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from ..core.errors import AlignmentError, SettingsError
from ..core.scale.tilt import Gravity, Quaternion, Tilt, rotated
from .messages import nanoseconds
from .qos import QosMonitor, subscribe


class TiltSource:
    """Listens to an IMU or to TF, as `alignment.camera_pitch_from` says.

    The executor stores, the worker asks.
    """

    def __init__(self, node: Node, qos: QosMonitor) -> None:
        self._node = node
        self._qos = qos
        self._kind, self._base_frame = 'parameter', ''
        self._gravity = Gravity()
        self._imu_frame = ''
        self._imu: Subscription | None = None
        self._transforms: Any = None  # a tf2_ros.Buffer
        self._listener: Any = None

    @property
    def newest_imu_ns(self) -> int:
        """Stamp of the newest message of the IMU [ns], 0 before the first."""
        return self._gravity.stamp_ns

    def listen(self, kind: str, base_frame: str) -> None:
        """Subscribe to the tilt source that `alignment.camera_pitch_from` names; drop another.

        With tf, z of `base_frame` points up.

        Raises:
            SettingsError: TF is wanted and tf2_ros is not installed, or the `qos_overrides` of
                the topic cannot be; what was listened to before goes on.
        """
        self._base_frame = base_frame
        if kind == self._kind:
            return
        has_tf = find_spec('tf2_ros') is not None
        if kind == 'tf' and not has_tf:
            raise SettingsError(
                'alignment.camera_pitch_from is tf, which needs tf2_ros: install '
                'ros-<distribution>-tf2-ros-py (there is no wheel of it), or take imu or parameter'
            )
        imu = None
        if kind == 'imu':
            imu = subscribe(self._node, Imu, 'imu', self._on_imu, self._qos)
        if self._imu is not None:
            self._node.destroy_subscription(self._imu)
        self._imu, self._gravity = imu, Gravity()
        if self._listener is not None:
            self._listener.unregister()
            self._transforms = self._listener = None
        if kind != 'parameter' and has_tf:
            self._listen_to_tf()
        self._kind = kind

    def tilt(self, header: Header) -> Tilt | None:
        """Return the tilt of the camera of an image; None leaves it to `alignment.camera_pitch`.

        Raises:
            AlignmentError: Nothing tells it, or nothing credible.
        """
        frame_id = header.frame_id
        if self._kind == 'tf':
            x, y, z = rotated((0.0, 0.0, -1.0), self._rotation(frame_id, self._base_frame))
            return Tilt.of_down((x, y, z))
        if self._kind == 'imu':
            down = self._gravity.down(nanoseconds(header.stamp))
            if self._imu_frame != frame_id:
                down = rotated(down, self._rotation(frame_id, self._imu_frame))
            return Tilt.of_down(down)
        return None

    def _rotation(self, target: str, source: str) -> Quaternion:
        """Return the newest rotation from one frame to another."""
        transforms = self._transforms  # the executor may take it away meanwhile
        if transforms is None:
            raise AlignmentError(
                f'the imu is in frame {source!r} and the image in {target!r}: to bring them '
                'together install tf2_ros (ros-<distribution>-tf2-ros-py), or publish the imu in '
                'the frame of the image'
            )
        from tf2_ros import TransformException

        try:
            found = transforms.lookup_transform(target, source, Time())
        except TransformException as error:
            raise AlignmentError(
                f'TF does not connect {source!r} to {target!r}: {error}'
            ) from error
        q = found.transform.rotation
        return q.x, q.y, q.z, q.w

    def _on_imu(self, message: Imu) -> None:
        if message.header.frame_id != self._imu_frame:
            self._imu_frame, self._gravity = message.header.frame_id, Gravity()
        a = message.linear_acceleration
        self._gravity.add(nanoseconds(message.header.stamp), (a.x, a.y, a.z))

    def _listen_to_tf(self) -> None:
        from tf2_ros import Buffer, TransformListener

        self._transforms = Buffer()
        self._listener = TransformListener(self._transforms, self._node)

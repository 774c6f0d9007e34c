"""Which way is down for the camera: as TF or the gravity of an IMU says it."""

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from ..core.errors import SettingsError
from ..core.scale.tilt import Gravity, Tilt
from .messages import nanoseconds
from .qos import QosMonitor, subscribe
from .tf_buffer import Tf


class TiltSource:
    """Listens to an IMU or to TF, as `alignment.camera_pitch_from` says.

    The executor stores, the worker asks.
    """

    def __init__(self, node: Node, qos: QosMonitor, tf: Tf) -> None:
        self._node = node
        self._qos = qos
        self._tf = tf
        self._kind, self._base_frame = 'parameter', ''
        self._gravity = Gravity()
        self._imu_frame = ''
        self._imu: Subscription | None = None

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
        if kind == 'tf' and not self._tf.is_installed:
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
        self._kind = kind

    def tilt(self, header: Header) -> Tilt | None:
        """Return the tilt of the camera of an image; None leaves it to `alignment.camera_pitch`.

        Raises:
            AlignmentError: Nothing tells it, or nothing credible.
        """
        frame_id = header.frame_id
        if self._kind == 'tf':
            up = self._tf.lookup(frame_id, self._base_frame).rotation[:, 2]
            return Tilt.of_down(tuple(-up))
        if self._kind == 'imu':
            down = self._gravity.down(nanoseconds(header.stamp))
            rotation = self._tf.lookup(frame_id, self._imu_frame).rotation
            return Tilt.of_down(tuple(rotation @ down))
        return None

    def _on_imu(self, message: Imu) -> None:
        if message.header.frame_id != self._imu_frame:
            self._imu_frame, self._gravity = message.header.frame_id, Gravity()
        a = message.linear_acceleration
        self._gravity.add(nanoseconds(message.header.stamp), (a.x, a.y, a.z))

"""Where the camera sits, told to TF for robots whose description does not."""

from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ..core.scale.tilt import optical_rotation
from .node_settings import NodeSettings


class CameraTfPublisher:
    """Publishes the static transform from the base frame to the images' optical frame."""

    def __init__(self, node: Node, settings: NodeSettings) -> None:
        self._node = node
        self._publisher: Publisher | None = None
        self._frame_id = ''
        self._settings = settings
        self.configure(settings)

    def configure(self, settings: NodeSettings) -> None:
        """Take over settings; a frame that is known already is placed anew if they move it."""
        if self._publisher is not None and not settings.mount.publish_tf:
            self._node.destroy_publisher(self._publisher)
            self._publisher = None
        if self._publisher is None and settings.mount.publish_tf:
            self._publisher = self._advertised()
        before, self._settings = self._settings, settings
        if _placement(settings) != _placement(before):
            self._publish()

    def place(self, frame_id: str) -> None:
        """Publish where the optical frame of an image is, unless that has been done."""
        if frame_id != self._frame_id:
            self._frame_id = frame_id
            self._publish()

    def _publish(self) -> None:
        if self._publisher is None or not self._frame_id:
            return
        base_frame, height_m, pitch_rad = _placement(self._settings)[1:]
        if self._frame_id == base_frame:
            self._node.get_logger().error(
                f'no transform published: base_frame is {base_frame!r}, and so is the frame_id '
                'of the images; give one of them another name'
            )
            return
        stamped = TransformStamped(child_frame_id=self._frame_id)
        stamped.header.frame_id = base_frame
        stamped.header.stamp = self._node.get_clock().now().to_msg()
        stamped.transform.translation = Vector3(z=height_m)
        x, y, z, w = optical_rotation(pitch_rad)
        stamped.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
        from tf2_msgs.msg import TFMessage

        self._publisher.publish(TFMessage(transforms=[stamped]))

    def _advertised(self) -> Publisher:
        from tf2_msgs.msg import TFMessage

        # As tf2's own StaticTransformBroadcaster: who comes later gets it, too.
        qos = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        return self._node.create_publisher(TFMessage, '/tf_static', qos)


def _placement(settings: NodeSettings) -> tuple[bool, str, float, float]:
    alignment = settings.pipeline.alignment
    return (
        settings.mount.publish_tf,
        settings.mount.base_frame,
        alignment.camera_height,
        alignment.camera_pitch,
    )

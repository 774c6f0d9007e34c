"""A LiDAR and a laser round the simulated camera, and where all of them stand."""

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import LaserScan, PointCloud2
from std_msgs.msg import Header

from ..core.camera.rigid_transform import RigidTransform
from ..simulation.pose import Pose
from ..simulation.range_sensors import SpinningLidar
from ..simulation.scene import Scene
from .messages import cloud_to_message

FIXED_FRAME, LIDAR_FRAME, LASER_FRAME = 'odom', 'lidar', 'laser'
LIDAR_MOUNT = RigidTransform.of((0.05, -0.2, -0.1), (0.5, -0.5, 0.5, 0.5))
LASER_MOUNT = RigidTransform.of((0.05, 0.25, 0.0), (0.5, -0.5, 0.5, 0.5))
"""In the optical frame of the camera; both look ahead, with z up where the camera looks level."""
_LASER = SpinningLidar((0.0,), columns=720, farthest_m=12.0, noise_m=0.01)


class SimulatedSensors:
    """Publishes `lidar_points`, `scan`, /tf and /tf_static; a sensor only while it is heard.

    A turn of either takes no time.

    Args:
        node: Whose publishers they are.
        camera_frame: Optical frame of the camera.
        beams: Of the LiDAR.
    """

    def __init__(self, node: Node, camera_frame: str, beams: int) -> None:
        self._camera_frame = camera_frame
        self._lidar = SpinningLidar.of_beams(beams)
        self._points = node.create_publisher(PointCloud2, 'lidar_points', QoSProfile(depth=5))
        self._scan = node.create_publisher(LaserScan, 'scan', QoSProfile(depth=5))
        self._tf: Any = None
        if find_spec('tf2_msgs') is not None:
            self._tf = self._advertised_tf(node)

    def publish(self, scene: Scene, pose: Pose, header: Header, seed: int) -> None:
        """Publish what is sensed of a scene from a pose of the camera, at its image's stamp."""
        if self._tf is not None:
            place = RigidTransform.of_matrix(pose.position.numpy(), pose.rotation.numpy())
            self._tf.publish(_tf_message([(FIXED_FRAME, self._camera_frame, place)], header))
        if self._points.get_subscription_count():
            points = self._lidar.scan(scene, pose, LIDAR_MOUNT, seed).astype(np.float32)
            at = Header(stamp=header.stamp, frame_id=LIDAR_FRAME)
            self._points.publish(cloud_to_message(points, at, is_dense=True))
        if self._scan.get_subscription_count():
            ranges = _LASER.ranges(scene, pose, LASER_MOUNT, seed)[0]
            at = Header(stamp=header.stamp, frame_id=LASER_FRAME)
            self._scan.publish(scan_message(_LASER, ranges, at))

    def _advertised_tf(self, node: Node) -> Any:
        from tf2_msgs.msg import TFMessage

        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        static = node.create_publisher(TFMessage, '/tf_static', latched)
        mounts = ((LIDAR_FRAME, LIDAR_MOUNT), (LASER_FRAME, LASER_MOUNT))
        placed = [(self._camera_frame, frame, mount) for frame, mount in mounts]
        static.publish(_tf_message(placed, Header(stamp=node.get_clock().now().to_msg())))
        return node.create_publisher(TFMessage, '/tf', QoSProfile(depth=100))


def scan_message(laser: SpinningLidar, ranges: np.ndarray, header: Header) -> LaserScan:
    """Return distances (columns,) [m] of a laser's only beam, infinite without an echo."""
    azimuths = laser.azimuths()
    return LaserScan(
        header=header,
        angle_min=float(azimuths[0]),
        angle_max=float(azimuths[-1]),
        angle_increment=2 * math.pi / laser.columns,
        range_min=0.1,
        range_max=laser.farthest_m,
        ranges=ranges.astype(np.float32).tolist(),
    )


def _tf_message(placed: list[tuple[str, str, RigidTransform]], header: Header) -> Any:
    """Return parents, children and their poses as a tf2_msgs/TFMessage."""
    from tf2_msgs.msg import TFMessage

    message = TFMessage()
    for parent, child, pose in placed:
        stamped = TransformStamped(child_frame_id=child)
        stamped.header.stamp, stamped.header.frame_id = header.stamp, parent
        position, rotation = stamped.transform.translation, stamped.transform.rotation
        position.x, position.y, position.z = pose.position.tolist()
        rotation.x, rotation.y, rotation.z, rotation.w = pose.quaternion.tolist()
        message.transforms.append(stamped)
    return message

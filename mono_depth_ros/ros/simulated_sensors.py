"""The sensors round the simulated camera, and where all of them stand."""

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from ..core.camera.pinhole import PinholeCamera
from ..core.camera.rigid_transform import RigidTransform
from ..simulation.drive import Drive
from ..simulation.landmarks import LandmarkMap
from ..simulation.pose import Pose
from ..simulation.range_sensors import ConeRanger, MultizoneSensor, SpinningLidar
from ..simulation.robots import SimulatedRobot
from .messages import cloud_to_message

FIXED_FRAME = 'odom'
LIDAR_FRAME, LASER_FRAME, TOF_FRAME, SONAR_FRAME = 'lidar', 'laser', 'tof', 'sonar'
_AHEAD = (0.5, -0.5, 0.5, 0.5)
LIDAR_MOUNT = RigidTransform.of((0.05, -0.2, -0.1), _AHEAD)
LASER_MOUNT = RigidTransform.of((0.05, 0.25, 0.0), _AHEAD)
TOF_MOUNT = RigidTransform.of((-0.04, 0.02, 0.0), _AHEAD)
SONAR_MOUNT = RigidTransform.of((0.0, 0.1, 0.0), _AHEAD)
"""In the optical frame of a camera that looks level; all have x ahead and z up. `tof` looks where
the camera does, the others where the robot does."""
LASER = SpinningLidar((0.0,), columns=720, farthest_m=12.0, noise_m=0.01)
DENSE_LIDAR = SpinningLidar.of_beams(64)
_SONAR = ConeRanger()
_TOF = MultizoneSensor()


class Moment(NamedTuple):
    """The pose of the camera, how often it has been posed before, and the time of the drive."""

    pose: Pose
    number: int
    t_s: float


class _Sensor(NamedTuple):
    """What is published of a moment, while it is heard."""

    publisher: Publisher
    frame: str
    message: Callable[[Moment, Header], Any]


class SimulatedSensors:
    """Publishes the sensors, /tf and /tf_static; a sensor is computed only while it is heard.

    `lidar_points`, `dense_lidar_points` (64 beams) and `scan` turn in no time; `tof_points` are
    8x8 zones; `range` is an ultrasonic cone; `landmarks` are those of visual-inertial odometry,
    numbered, in `odom` as it gives them, or in the frame of the images where there is no TF to
    place them.

    Args:
        node: Whose publishers they are.
        camera_frame: Optical frame of the camera.
        camera: What sees the landmarks.
        robot: What carries all of them.
        drive: Where it goes.
        beams: Of the LiDAR.
    """

    def __init__(
        self,
        node: Node,
        camera_frame: str,
        camera: PinholeCamera,
        robot: SimulatedRobot,
        drive: Drive,
        beams: int,
    ) -> None:
        self._camera_frame, self._camera = camera_frame, camera
        self._robot, self._drive = robot, drive
        self._lidar = SpinningLidar.of_beams(beams)
        self._landmarks: LandmarkMap | None = None
        self._tf: Any = None
        if find_spec('tf2_msgs') is not None:
            self._tf = self._advertised_tf(node)
        landmark_frame = camera_frame if self._tf is None else FIXED_FRAME
        self._sensors = [
            _Sensor(node.create_publisher(kind, topic, QoSProfile(depth=5)), frame, message)
            for topic, kind, frame, message in (
                ('lidar_points', PointCloud2, LIDAR_FRAME, self._lidar_message),
                ('dense_lidar_points', PointCloud2, LIDAR_FRAME, self._dense_lidar_message),
                ('scan', LaserScan, LASER_FRAME, self._scan_message),
                ('tof_points', PointCloud2, TOF_FRAME, self._tof_message),
                ('range', Range, SONAR_FRAME, self._range_message),
                ('landmarks', PointCloud2, landmark_frame, self._landmark_message),
            )
        ]

    def publish(self, moment: Moment, header: Header) -> None:
        """Publish what is sensed, at the stamp of the image of that moment."""
        if self._tf is not None:
            self._tf.publish(tf_message([self._odometry(moment)], header))
        for sensor in self._sensors:
            if sensor.publisher.get_subscription_count():
                at = Header(stamp=header.stamp, frame_id=sensor.frame)
                sensor.publisher.publish(sensor.message(moment, at))

    def _lidar_message(self, moment: Moment, header: Header) -> PointCloud2:
        return self._turn_of(self._lidar, moment, header)

    def _dense_lidar_message(self, moment: Moment, header: Header) -> PointCloud2:
        return self._turn_of(DENSE_LIDAR, moment, header)

    def _turn_of(self, lidar: SpinningLidar, moment: Moment, header: Header) -> PointCloud2:
        mount = self._robot.mounted(LIDAR_MOUNT)
        points = lidar.scan(self._drive.scene, moment.pose, mount, moment.number)
        return cloud_to_message(points.astype(np.float32), header, is_dense=True)

    def _scan_message(self, moment: Moment, header: Header) -> LaserScan:
        mount = self._robot.mounted(LASER_MOUNT)
        ranges = LASER.ranges(self._drive.scene, moment.pose, mount, moment.number)[0]
        return scan_message(LASER, ranges, header)

    def _tof_message(self, moment: Moment, header: Header) -> PointCloud2:
        points = _TOF.scan(self._drive.scene, moment.pose, TOF_MOUNT, moment.number)
        return cloud_to_message(points.astype(np.float32), header, is_dense=True)

    def _range_message(self, moment: Moment, header: Header) -> Range:
        mount = self._robot.mounted(SONAR_MOUNT)
        return Range(
            header=header,
            radiation_type=Range.ULTRASOUND,
            field_of_view=math.radians(_SONAR.fov_deg),
            min_range=_SONAR.nearest_m,
            max_range=_SONAR.farthest_m,
            range=_SONAR.range(self._drive.scene, moment.pose, mount, moment.number),
        )

    def _landmark_message(self, moment: Moment, header: Header) -> PointCloud2:
        if self._landmarks is None:
            self._landmarks = LandmarkMap(self._drive, self._robot, self._camera)
        points, numbers = self._landmarks.seen(moment.pose, moment.t_s)
        if self._tf is None:
            points = (points - moment.pose.position.numpy()) @ moment.pose.rotation.numpy()
        return landmark_message(points, numbers, header)

    def _odometry(self, moment: Moment) -> tuple[str, str, RigidTransform]:
        if self._robot.base_frame:
            base = self._robot.base_at(self._drive, moment.t_s)
            return FIXED_FRAME, self._robot.base_frame, base
        pose = moment.pose
        place = RigidTransform.of_matrix(pose.position.numpy(), pose.rotation.numpy())
        return FIXED_FRAME, self._camera_frame, place

    def _advertised_tf(self, node: Node) -> Any:
        from tf2_msgs.msg import TFMessage

        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        static = node.create_publisher(TFMessage, '/tf_static', latched)
        camera, robot = self._camera_frame, self._robot
        mounts = {
            LIDAR_FRAME: robot.mounted(LIDAR_MOUNT),
            LASER_FRAME: robot.mounted(LASER_MOUNT),
            TOF_FRAME: TOF_MOUNT,
            SONAR_FRAME: robot.mounted(SONAR_MOUNT),
        }
        placed = [(camera, frame, mount) for frame, mount in mounts.items()]
        if robot.base_frame:
            placed.append((robot.base_frame, camera, robot.camera_on_base(self._drive)))
        static.publish(tf_message(placed, Header(stamp=node.get_clock().now().to_msg())))
        return node.create_publisher(TFMessage, '/tf', QoSProfile(depth=100))


def scan_message(
    laser: SpinningLidar, ranges: npt.NDArray[np.float64], header: Header
) -> LaserScan:
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


def landmark_message(
    points: npt.NDArray[np.float64], numbers: npt.NDArray[np.uint32], header: Header
) -> PointCloud2:
    """Return points (N, 3) [m] as x, y, z with their numbers (N,) as field `id`."""
    bits = numbers.astype(np.uint32).view(np.float32)
    values = np.column_stack((points.astype(np.float32), bits))
    message = cloud_to_message(values, header, is_dense=True)
    message.fields[3] = PointField(name='id', offset=12, datatype=PointField.UINT32, count=1)
    return message


def tf_message(placed: list[tuple[str, str, RigidTransform]], header: Header) -> Any:
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

"""A laser and a LiDAR beside the camera, placed by TF, give the running node its meters."""

import itertools
import math
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TransformStamped
from harness import FRAME_ID, Graph, Mailbox, Running, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, LaserScan, PointCloud2
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import TransformError
from mono_depth_ros.core.files.point_messages import scan_to_points
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.ros.messages import camera_to_info, cloud_to_message, rgb_to_image
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.rig import StereoRig

if find_spec('tf2_msgs') is None:
    pytest.skip('no tf2_msgs: `make test` builds one with g++', allow_module_level=True)

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
# Both look ahead with z up: the laser 0.25 m below the camera, the LiDAR 0.2 m above it.
LASER = RigidTransform.of((0.05, 0.25, 0.0), (0.5, -0.5, 0.5, 0.5))
LIDAR = RigidTransform.of((0.0, -0.2, -0.1), (0.5, -0.5, 0.5, 0.5))
PARAMETERS = {'encoder': 'tiny', 'variant': 'relative', 'alignment.source': 'scan'}
SENSOR = SpinningLidar((0.0,), columns=720, farthest_m=12.0, noise_m=0.01)
_seconds = itertools.count(100, 10)


class Robot:
    """A camera with sensors round it in a simulated room."""

    def __init__(self, node: Running) -> None:
        self.node = node
        self.drive = Drive(22)
        self.depths = node.listen('~/depth/image_rect', Image)
        self.fits: Mailbox = node.listen('~/alignment', DiagnosticArray)

    def show(self, t_s: float, head: Header) -> tuple[np.ndarray, np.ndarray]:
        """Send what the camera sees after a time; return the depth it gets, and the true one."""
        frame = StereoRig(CAMERA, 0.1).capture(self.drive.scene, self.drive.pose_at(t_s))
        image = rgb_to_image(frame.left.numpy(), head)
        self.node.send(camera_to_info(CAMERA, head), image)
        got = self.depths.of(image)
        depth = np.frombuffer(got.data, np.float32).reshape(got.height, got.width)
        return depth, frame.depth.numpy()

    def scan(self, t_s: float, head: Header) -> LaserScan:
        ranges = SENSOR.ranges(self.drive.scene, self.drive.pose_at(t_s), LASER)[0]
        step = 2 * math.pi / SENSOR.columns
        return LaserScan(
            header=head,
            angle_min=-math.pi + step / 2,
            angle_max=math.pi - step / 2,
            angle_increment=step,
            range_min=0.1,
            range_max=12.0,
            ranges=ranges.astype(np.float32).tolist(),
        )

    def measure(self, topic: str, message: LaserScan | PointCloud2) -> None:
        self.node.settle()
        self.node.publisher(topic, type(message)).publish(message)
        wait_until(lambda: self.node.node.shared.has_measurement, 'the measurement there')

    def said(self, message: LaserScan | PointCloud2 | Image) -> str:
        return str(self.fits.of(message).status[0].message)


@pytest.fixture(scope='module')
def robot(graph: Graph) -> Robot:
    return Robot(graph.start(PARAMETERS).until('active'))


@pytest.fixture
def send_tf(robot: Robot, graph: Graph) -> Callable[..., None]:
    """Return what publishes poses and waits until the node has them."""
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publishers = {
        False: graph.peer.node.create_publisher(TFMessage, '/tf', QoSProfile(depth=100)),
        True: graph.peer.node.create_publisher(TFMessage, '/tf_static', latched),
    }

    def send(parent: str, child: str, stamp: Time, pose: RigidTransform, is_static: bool) -> None:
        message = TransformStamped(header=Header(stamp=stamp, frame_id=parent))
        message.child_frame_id = child
        p, q = message.transform.translation, message.transform.rotation
        p.x, p.y, p.z = pose.position.tolist()
        q.x, q.y, q.z, q.w = pose.quaternion.tolist()
        publisher = publishers[is_static]
        wait_until(lambda: publisher.get_subscription_count() > 0, 'the node listens to TF')
        publisher.publish(TFMessage(transforms=[message]))
        stamp_ns = None if is_static else stamp.sec * 10**9 + stamp.nanosec

        def is_known() -> bool:
            try:
                robot.node.node.inputs.tf.lookup(parent, child, stamp_ns)
            except TransformError:
                return False
            return True

        wait_until(is_known, f'{child} in {parent}')

    return send


def relative_error(depth: np.ndarray, truth: np.ndarray) -> float:
    known = np.isfinite(depth)
    assert known.mean() > 0.5
    return float(np.median(np.abs(depth[known] / truth[known] - 1)))


def test_without_tf_a_scan_is_refused_with_what_to_do(robot: Robot) -> None:
    head = Header(stamp=Time(sec=next(_seconds)), frame_id=FRAME_ID)
    depth, _ = robot.show(0.0, head)
    assert np.isnan(depth).all()
    scan = robot.scan(0.0, Header(stamp=head.stamp, frame_id='unknown_laser'))
    robot.measure('scan', scan)
    robot.show(0.0, Header(stamp=Time(sec=head.stamp.sec, nanosec=10**8), frame_id=FRAME_ID))
    said = robot.said(scan)
    assert 'where the sensor stands is not known: TF knows no frame' in said
    assert 'static_transform_publisher' in said


def test_one_line_of_a_laser_makes_depth_metric(
    robot: Robot, send_tf: Callable[..., None]
) -> None:
    send_tf(FRAME_ID, 'laser', Time(), LASER, True)
    head = Header(stamp=Time(sec=next(_seconds)), frame_id=FRAME_ID)
    scan = robot.scan(7.0, Header(stamp=head.stamp, frame_id='laser'))
    robot.measure('scan', scan)
    depth, truth = robot.show(7.0, head)
    assert robot.said(scan).startswith('aligned')
    # A network that is aligned by one line; without it everything is unknown.
    assert relative_error(depth, truth) < 0.25
    row = int(CAMERA.cy + CAMERA.fy * 0.25 / float(np.median(truth)))
    line = depth[row - 2 : row + 3] / truth[row - 2 : row + 3]
    assert np.nanmedian(np.abs(line - 1)) < 0.06


def test_what_a_turning_robot_measured_before_is_moved_to_the_image(
    robot: Robot, send_tf: Callable[..., None]
) -> None:
    """The robot turns by 10 degrees between a scan and the image that it is fitted to."""
    assert robot.node.set(alignment__stamp_tolerance=0.5) == ''
    send_tf(FRAME_ID, 'laser', Time(), LASER, True)
    half = math.radians(10) / 2
    in_odom = RigidTransform.of((0, 0, 1), (-0.5, 0.5, -0.5, 0.5))
    turn = RigidTransform.of((0, 0, 0), (0, math.sin(half), 0, math.cos(half)))
    pose = robot.drive.pose_at(7.0)
    errors = []
    for fixed_frame in ('odom', ''):
        assert robot.node.set(alignment__fixed_frame=fixed_frame) == ''
        robot.node.graph.call(Trigger, robot.node.topic('~/reset_alignment'), Trigger.Request())
        second = next(_seconds)
        before, after = Time(sec=second), Time(sec=second, nanosec=200_000_000)
        send_tf('odom', FRAME_ID, before, in_odom @ turn, False)
        send_tf('odom', FRAME_ID, after, in_odom, False)
        # The scene after the turn, and the laser as it stood before it.
        ranges = SENSOR.ranges(robot.drive.scene, pose, turn @ LASER)[0]
        scan = robot.scan(7.0, Header(stamp=before, frame_id='laser'))
        scan.ranges = ranges.astype(np.float32).tolist()
        robot.measure('scan', scan)
        head = Header(stamp=after, frame_id=FRAME_ID)
        depth, truth = robot.show(7.0, head)
        points, _ = scan_to_points(scan)
        seen = np.isfinite(measure_points(points, turn @ LASER, CAMERA).inverse_depth.numpy())
        errors.append(np.nanmean(np.abs(depth[seen] / truth[seen] - 1)))
    moved, standing = errors
    assert moved < 0.05
    assert standing > 2 * moved
    defaults = {'alignment__stamp_tolerance': 0.02, 'alignment__fixed_frame': 'odom'}
    assert robot.node.set(**defaults) == ''


def test_a_lidar_above_the_camera(robot: Robot, send_tf: Callable[..., None]) -> None:
    assert robot.node.set(alignment__source='points') == ''
    send_tf(FRAME_ID, 'lidar', Time(), LIDAR, True)
    head = Header(stamp=Time(sec=next(_seconds)), frame_id=FRAME_ID)
    lidar = SpinningLidar.of_beams(16)
    points = lidar.scan(robot.drive.scene, robot.drive.pose_at(3.0), LIDAR)
    at = Header(stamp=head.stamp, frame_id='lidar')
    cloud = cloud_to_message(points.astype(np.float32), at, is_dense=True)
    robot.measure('lidar_points', cloud)
    depth, truth = robot.show(3.0, head)
    assert robot.said(cloud).startswith('aligned')
    assert relative_error(depth, truth) < 0.08


def test_odometry_that_lags_is_warned_of_once_in_a_while(
    robot: Robot, send_tf: Callable[..., None]
) -> None:
    """Each image asks for a time that TF lacks; only the numbers of what is said differ."""
    assert robot.node.set(alignment__source='scan') == ''
    send_tf(FRAME_ID, 'laser', Time(), LASER, True)
    second = next(_seconds)
    for k in range(2):
        send_tf('odom', FRAME_ID, Time(sec=second - 5 + k), LASER, False)
    for k in range(3):
        stamp = Time(sec=second, nanosec=k * 10**8)
        robot.measure('scan', robot.scan(7.0, Header(stamp=stamp, frame_id='laser')))
        robot.show(7.0, Header(stamp=stamp, frame_id=FRAME_ID))
    said = [line.msg for line in robot.node.lines('as if the robot stood still')]
    assert len([text for text in said if 'and not at' in text]) == 1

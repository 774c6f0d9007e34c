"""Several sources at once in the running node: each with its own topic, pose and state."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import FRAME_ID, Graph, Mailbox, Running, wait_until
from sensor_msgs.msg import Image, LaserScan, PointCloud2, Range
from std_msgs.msg import Header

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.scale.sensor_pose import pose_text
from mono_depth_ros.ros.messages import camera_to_info, rgb_to_image
from mono_depth_ros.ros.simulated_sensors import scan_message
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.rig import StereoRig

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
LASER = RigidTransform.of((0.05, 0.25, 0.0), (0.5, -0.5, 0.5, 0.5))
BACKWARD = RigidTransform.of((0.05, 0.25, 0.0), (0.5, 0.5, -0.5, 0.5))
SENSOR = SpinningLidar((0.0,), columns=720, farthest_m=12.0, noise_m=0.01)
T_S = 6.0
_seconds = itertools.count(100, 10)


class Robot:
    """A camera, a laser, a range sensor and a floor in a simulated room."""

    def __init__(self, node: Running) -> None:
        self.node = node
        self.drive = Drive(22)
        self.pose = self.drive.pose_at(T_S)
        self.frame = StereoRig(CAMERA, 0.1).capture(self.drive.scene, self.pose)
        self.depths = node.listen('~/depth/image_rect', Image)
        self.fits: Mailbox = node.listen('~/alignment', DiagnosticArray)
        self.reports: Mailbox = node.listen('/diagnostics', DiagnosticArray)

    @property
    def floor(self) -> dict[str, float]:
        """The parameters of the floor."""
        pitch = math.asin(-float(self.pose.rotation[2, 2]))
        return {
            'alignment__camera_height': float(self.pose.position[2]),
            'alignment__camera_pitch': pitch,
        }

    def show(self, head: Header) -> float:
        """Send what the camera sees; return the median error of the depth, 1 if unknown."""
        image = rgb_to_image(self.frame.left.numpy(), head)
        self.node.send(camera_to_info(CAMERA, head), image)
        got = self.depths.of(image)
        depth = np.frombuffer(got.data, np.float32).reshape(got.height, got.width)
        known = np.isfinite(depth)
        if not known.any():
            return 1.0
        return float(np.median(np.abs(depth[known] / self.frame.depth.numpy()[known] - 1)))

    def scan(self, stamp: Time, frame_id: str = 'laser') -> LaserScan:
        ranges = SENSOR.ranges(self.drive.scene, self.pose, LASER)[0]
        return scan_message(SENSOR, ranges, Header(stamp=stamp, frame_id=frame_id))

    def measure(self, topic: str, message: LaserScan | Range) -> None:
        """Send a measurement and wait until the node has it."""
        self.node.settle()
        self.node.publisher(topic, type(message)).publish(message)
        wait_until(lambda: self.node.node.shared.has_measurement, 'the measurement there')

    def said(self, head: Header) -> DiagnosticStatus:
        return self.fits.of(Image(header=head)).status[0]


@pytest.fixture(scope='module')
def robot(graph: Graph) -> Robot:
    return Robot(graph.start({'encoder': 'tiny'}).until('active'))


@pytest.fixture
def head(robot: Robot) -> Iterator[Header]:
    """Set both sources, and return the header of an image yet to come."""
    both = {'alignment__source': 'scan, ground', 'alignment__sensor_pose': pose_text(LASER)}
    assert robot.node.set(**robot.floor, **both) == ''
    yield Header(stamp=Time(sec=next(_seconds)), frame_id=FRAME_ID)
    assert robot.node.set(alignment__source='none', alignment__sensor_pose='') == ''


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {pair.key: pair.value for pair in status.values}


def test_both_are_fitted_to_and_named(robot: Robot, head: Header) -> None:
    robot.measure('scan', robot.scan(head.stamp))
    assert robot.show(head) < 0.2
    said = robot.said(head)
    assert said.level == DiagnosticStatus.OK, said.message
    assert values(said)['source scan'] == values(said)['source ground'] == 'used'


def test_a_laser_that_tf_does_not_know_does_not_take_the_floor_down(
    robot: Robot, head: Header
) -> None:
    assert robot.node.set(alignment__sensor_pose='') == ''
    robot.measure('scan', robot.scan(head.stamp, 'unknown_laser'))
    assert robot.show(head) < 0.3
    said = robot.said(head)
    assert said.level == DiagnosticStatus.WARN
    assert said.message.startswith('aligned by ground. scan: ')
    assert 'where the sensor stands is not known' in said.message
    assert values(said)['source ground'] == 'used'


def test_a_laser_that_looks_backward_is_told_where_it_stands(robot: Robot, head: Header) -> None:
    assert robot.node.set(alignment__sensor_pose=pose_text(BACKWARD)) == ''
    scan = robot.scan(head.stamp)
    half = len(scan.ranges) // 2
    for k in (*range(half // 2), *range(half + half // 2, len(scan.ranges))):
        scan.ranges[k] = math.inf
    robot.measure('scan', scan)
    assert robot.show(head) < 0.3
    said = robot.said(head)
    assert 'scan: none of ' in said.message
    assert 'ends within the image: does the laser look where the camera does?' in said.message
    assert '0.05 m right, 0.25 m below' in said.message


def test_a_late_scan_is_fitted_to_with_the_floor_of_its_image(robot: Robot, head: Header) -> None:
    robot.show(head)
    late = Time(sec=head.stamp.sec + 1)
    again = Header(stamp=late, frame_id=FRAME_ID)
    robot.show(again)
    between = Time(sec=late.sec, nanosec=5_000_000)
    robot.measure('scan', robot.scan(between))
    robot.show(Header(stamp=Time(sec=late.sec, nanosec=10**8), frame_id=FRAME_ID))
    said = robot.said(Header(stamp=between))
    assert values(said)['source scan'] == 'used'
    shared = robot.node.node.shared
    wait_until(lambda: shared.scale.state.sources == ('ground', 'scan'), 'both in the fit')


def test_a_source_that_stops_is_named_with_what_to_ask(robot: Robot, head: Header) -> None:
    for k in range(3):
        stamp = Time(sec=head.stamp.sec, nanosec=k * 10**8)
        robot.measure('scan', robot.scan(stamp))
        robot.show(Header(stamp=stamp, frame_id=FRAME_ID))

    def is_named() -> bool:
        moment = Time(sec=head.stamp.sec + 1, nanosec=next(_seconds) * 10**5)
        robot.show(Header(stamp=moment, frame_id=FRAME_ID))
        reports = [status for report in robot.reports.all() for status in report.status]
        own = [status for status in reports if status.name.endswith(': alignment')]
        topic = robot.node.topic('scan')
        return any(
            status.level == DiagnosticStatus.WARN
            and 'scan: no message for ' in status.message
            and f's on {topic}; is the laser on?' in status.message
            for status in own
        )

    wait_until(is_named, 'the silent laser in the diagnostics')


def test_topics_are_kept_and_dropped_one_by_one(robot: Robot, head: Header) -> None:
    shared = robot.node.node.shared
    before = shared.streams
    assert set(before) == {'scan'}
    both = f'scan {pose_text(LASER)}; range {pose_text(LASER)}'
    assert robot.node.set(alignment__source='scan,range', alignment__sensor_pose=both) == ''
    assert {name: stream.topic for name, stream in shared.streams.items()} == {
        'scan': robot.node.topic('scan'),
        'range': robot.node.topic('range'),
    }
    assert robot.node.set(alignment__source='range') == ''
    assert set(shared.streams) == {'range'}
    refused = robot.node.set(alignment__source='range,lidar')
    assert "alignment.source is 'range,lidar'; choose one of" in refused
    assert set(shared.streams) == {'range'}


def test_a_range_and_the_floor(robot: Robot, head: Header) -> None:
    ahead = RigidTransform.of((0.0, 0.0, 0.0), LASER.quaternion.tolist())
    pose = {'alignment__source': 'range,ground', 'alignment__sensor_pose': pose_text(ahead)}
    assert robot.node.set(**pose) == ''
    x, y = CAMERA.rays()
    length = (x * x + y * y + 1).sqrt()
    fov = 0.2
    range_m = float((robot.frame.depth * length)[length < 1 / math.cos(fov / 2)].min())
    message = Range(
        header=Header(stamp=head.stamp, frame_id='sonar'),
        field_of_view=fov,
        min_range=0.02,
        max_range=9.0,
        range=range_m,
    )
    robot.measure('range', message)
    assert robot.show(head) < 0.25
    assert values(robot.said(head))['source range'] == 'used'


def test_each_source_has_its_type(robot: Robot, head: Header) -> None:
    poses = '; '.join(f'{name} {pose_text(LASER)}' for name in ('scan', 'range', 'points'))
    every = 'points,scan,range,depth,disparity,ground'
    assert robot.node.set(alignment__source=every, alignment__sensor_pose=poses) == ''
    node = robot.node.node
    kinds = {'scan': LaserScan, 'range': Range, 'points': PointCloud2}
    for name, kind in kinds.items():
        topic = node.shared.streams[name].topic
        (info,) = node.get_subscriptions_info_by_topic(topic)
        assert info.topic_type == f'sensor_msgs/msg/{kind.__name__}'

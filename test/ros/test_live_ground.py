"""Clouds of ground and obstacles, and the height gate, in the running node."""

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import FRAME_ID, Graph, Mailbox, Running, header, image, info_for, picture, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, Imu, PointCloud2
from std_msgs.msg import Header

from mono_depth_ros.core.scale.tilt import Tilt, optical_rotation

HEIGHT_M = 0.2
PARAMETERS = {'scale': 3.0, 'shift': -1.4, 'max_depth': 1.5, 'edge_filter.enabled': False}
TOPICS = ('~/points', '~/points_ground', '~/points_nonground')
needs_tf = pytest.mark.skipif(
    find_spec('tf2_msgs') is None, reason='no tf2_msgs: `make test` builds one with g++'
)


@pytest.fixture
def mounted(node: Running) -> Running:
    """Return the node with its camera at a known height; nothing is left set afterwards."""
    assert node.set(alignment__camera_height=HEIGHT_M) == ''
    return node


@pytest.fixture(autouse=True)
def reset(node: Running) -> Any:
    """Set everything back."""
    yield
    assert node.set(cloud__min_height=0.0, cloud__max_height=0.0, ground__plane_from='auto') == ''
    changes = {'alignment__camera_height': 0.0, 'alignment__camera_pitch_from': 'parameter'}
    assert node.set(**changes, base_frame='base_footprint') == ''


def boxes_of(node: Running) -> tuple[Mailbox, ...]:
    return tuple(node.listen(topic, PointCloud2) for topic in TOPICS)


def show(node: Running, head: Header | None = None) -> Any:
    sent = image(picture(seed=3), head)
    node.send(info_for(sent), sent)
    return sent


def rows(cloud: PointCloud2) -> set[bytes]:
    data, step = bytes(cloud.data), cloud.point_step
    return {data[k : k + step] for k in range(0, len(data), step)}


def warning(message: DiagnosticArray) -> str:
    status = message.status[0]
    return status.message if status.level == DiagnosticStatus.WARN else ''


def plane_told(message: DiagnosticArray) -> str:
    return {pair.key: pair.value for pair in message.status[0].values}.get('ground plane', '')


def quieten(node: Running, *boxes: Mailbox) -> None:
    for box in boxes:
        node.graph.unlisten(box)
    wait_until(lambda: not node.node.outputs.wanted(), 'nobody listening')


def test_the_two_clouds_are_parts_of_points_of_one_stamp_and_frame(mounted: Running) -> None:
    boxes = boxes_of(mounted)
    reports = mounted.listen('/diagnostics', DiagnosticArray)
    sent = show(mounted)
    points, ground, nonground = (box.of(sent) for box in boxes)
    for cloud in (points, ground, nonground):
        assert cloud.header == sent.header
        assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb']
        assert cloud.is_dense
    assert len(rows(ground)) > 100
    assert len(rows(nonground)) > 100
    assert not rows(ground) & rows(nonground)
    assert rows(ground) | rows(nonground) <= rows(points)
    reports.wait(lambda m: plane_told(m).startswith('by mount: 0.200 m below the camera'))
    quieten(mounted, *boxes, reports)


def test_a_gate_without_a_plane_withholds_the_cloud_and_says_what_to_do(node: Running) -> None:
    assert node.set(cloud__max_height=0.1) == ''
    box, reports = (
        node.listen('~/points', PointCloud2),
        node.listen('/diagnostics', DiagnosticArray),
    )
    processed = node.statistics.processed
    show(node)
    wait_until(lambda: node.statistics.processed == processed + 1, 'the frame processed')
    message = reports.wait(lambda m: 'cloud.max_height count from' in warning(m))
    assert 'set alignment.camera_height and alignment.camera_pitch' in warning(message)
    assert f'{FRAME_ID!r} is on the robot, name its frame on the floor' in warning(message)
    assert box.all() == []
    assert node.set(alignment__camera_height=HEIGHT_M) == ''
    cloud = box.of(show(node))
    y = np.frombuffer(bytes(cloud.data), '<f4').reshape(-1, cloud.point_step // 4)[:, 1]
    assert len(y) > 100
    assert (HEIGHT_M - y).min() >= -1e-6
    assert (HEIGHT_M - y).max() <= 0.1 + 1e-6
    reports.wait(lambda m: m.status[0].message == 'ok')
    quieten(node, box, reports)


def test_a_snapshot_says_why_it_has_no_cloud(node: Running, tmp_path: Path) -> None:
    assert node.set(cloud__max_height=0.1, snapshot_folder=str(tmp_path)) == ''
    box = node.listen('~/depth/image_rect', Image)
    box.of(show(node))
    answer = node.snapshot()
    assert answer.success
    assert '; no cloud: cloud.min_height and cloud.max_height count from' in answer.message
    assert not list(tmp_path.glob('*.ply'))
    quieten(node, box)


def test_the_gate_must_keep_something(node: Running) -> None:
    assert 'min_height must be smaller' in node.set(cloud__min_height=0.3)
    assert 'ground.plane_from is depth' in node.set(
        cloud__max_height=0.3, ground__plane_from='depth'
    )


def test_the_imu_is_heard_only_while_somebody_needs_the_ground(mounted: Running) -> None:
    def hears() -> bool:
        return mounted.topic('imu') in [s.topic_name for s in mounted.node.subscriptions]

    changes = {'ground__plane_from': 'mount', 'alignment__camera_pitch_from': 'imu'}
    assert mounted.set(**changes) == ''
    show(mounted)
    mounted.settle()
    assert not hears()
    box, reports = (
        mounted.listen(name, kind)
        for name, kind in (('~/points_ground', PointCloud2), ('/diagnostics', DiagnosticArray))
    )
    show(mounted)
    wait_until(hears, 'the imu heard')
    reports.wait(lambda m: 'no points_ground and points_nonground: no imu' in warning(m))
    head = header()
    level = Imu(header=Header(stamp=head.stamp, frame_id=FRAME_ID))
    a = level.linear_acceleration
    a.x, a.y, a.z = (-9.80665 * part for part in Tilt(0.1).down)
    mounted.publisher('imu', Imu).publish(level)
    wait_until(lambda: mounted.node.ground.newest_imu_ns > 0, 'the imu message there')
    sent = show(mounted, head)
    assert box.of(sent).width > 0
    reports.wait(lambda m: 'pitch 0.100 rad' in plane_told(m))
    quieten(mounted, box, reports)
    show(mounted)
    wait_until(lambda: not hears(), 'the imu no more heard')


def transform(parent: str, child: str, height_m: float, pitch: float | None = None) -> Any:
    """Return the message that places a frame above another; an optical frame if it has a pitch."""
    from geometry_msgs.msg import Quaternion, TransformStamped, Vector3

    stamped = TransformStamped(child_frame_id=child)
    stamped.header = Header(stamp=Time(sec=1), frame_id=parent)
    stamped.transform.translation = Vector3(z=height_m)
    x, y, z, w = (0.0, 0.0, 0.0, 1.0) if pitch is None else optical_rotation(pitch)
    stamped.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
    return stamped


@pytest.fixture
def tf_static(graph: Graph) -> Any:
    """Return what publishes /tf_static; nobody does afterwards."""
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer = graph.peer
    publisher = peer.do(lambda: peer.node.create_publisher(TFMessage, '/tf_static', latched))
    yield lambda *stamped: publisher.publish(TFMessage(transforms=list(stamped)))
    graph.withdraw(publisher)


@needs_tf
def test_by_tf_the_plane_is_that_of_the_base_frame(node: Running, tf_static: Any) -> None:
    def hears_tf() -> bool:
        return '/tf_static' in [s.topic_name for s in node.node.subscriptions]

    tf_static(transform('base_footprint', FRAME_ID, 0.25, 0.1))
    assert not hears_tf()
    box, reports = (
        node.listen(name, kind)
        for name, kind in (('~/points_ground', PointCloud2), ('/diagnostics', DiagnosticArray))
    )
    # Before TF is heard the plane is fitted to the depth, or there is none.
    show(node)
    wait_until(hears_tf, 'TF heard')

    def is_by_tf() -> bool:
        show(node)
        plane = node.statistics.ground_plane
        return plane is not None and plane.origin == 'tf'

    wait_until(is_by_tf, 'the plane by TF')
    plane = node.statistics.ground_plane
    assert plane.height_m == pytest.approx(0.25)
    assert math.isclose(plane.tilt.pitch_rad, 0.1, abs_tol=1e-6)
    assert node.set(ground__plane_from='tf', base_frame=FRAME_ID) == ''
    show(node)
    message = reports.wait(lambda m: 'the camera is 0 m above' in warning(m))
    assert 'base_frame must be a frame on the floor below the camera' in warning(message)
    quieten(node, box, reports)
    show(node)
    wait_until(lambda: not hears_tf(), 'TF no more heard')


@needs_tf
def test_how_the_camera_moves_is_asked_for_new_clusters_alone(
    mounted: Running, tf_static: Any
) -> None:
    node = mounted
    tf_static(transform('base_footprint', FRAME_ID, 0.25, 0.1))
    box = node.listen('~/points_nonground', PointCloud2)
    head = header()

    def pose() -> Any:
        return node.node.ground.pose(head)

    assert node.set(ground__max_new_cells=5, ground__plane_from='mount') == ''
    show(node)
    line = node.logged('ground.max_new_cells drops nothing').msg
    assert "'odom'" in line
    assert 'alignment.fixed_frame must be' in line
    tf_static(
        transform('base_footprint', FRAME_ID, 0.25, 0.1), transform('odom', 'base_footprint', 0.5)
    )
    wait_until(lambda: show(node) and pose() is not None, 'the pose by TF')
    np.testing.assert_allclose(pose().position, (0, 0, 0.75))
    assert node.set(alignment__fixed_frame='') == ''
    wait_until(lambda: show(node) and pose() is None, 'no pose')
    assert node.set(ground__max_new_cells=0, alignment__fixed_frame='odom') == ''
    quieten(node, box)

"""The sensors round the simulated camera see what the camera sees."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from harness import Graph, Mailbox, Spun
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, LaserScan, PointCloud2, PointField, Range

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.files.point_messages import cloud_to_points, scan_to_points
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.ros.simulated_camera import SimulatedStereoCamera
from mono_depth_ros.ros.simulated_sensors import (
    LASER_MOUNT,
    LIDAR_MOUNT,
    TOF_MOUNT,
)
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.robots import ROBOTS

CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
RATE = 4.0


@pytest.fixture(scope='module')
def boxes(graph: Graph) -> dict[str, Mailbox]:
    kinds = {
        **dict.fromkeys(('left/depth_truth', 'registered_depth'), Image),
        'scan': LaserScan,
        **dict.fromkeys(('lidar_points', 'dense_lidar_points'), PointCloud2),
        **dict.fromkeys(('tof_points', 'landmarks'), PointCloud2),
        'range': Range,
    }
    return {name: graph.listen(f'/sensed/{name}', kind) for name, kind in kinds.items()}


@pytest.fixture(scope='module')
def placed(graph: Graph) -> dict[str, Mailbox]:
    """Return what comes on /tf and /tf_static."""
    if find_spec('tf2_msgs') is None:
        pytest.skip('no tf2_msgs: `make test` builds one with g++')
    from tf2_msgs.msg import TFMessage

    found = {'/tf': Mailbox('/tf'), '/tf_static': Mailbox('/tf_static')}
    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    for topic, qos in (('/tf', QoSProfile(depth=10)), ('/tf_static', latched)):
        put = found[topic].put
        graph.peer.do(
            lambda topic=topic, put=put, qos=qos: graph.peer.node.create_subscription(
                TFMessage, topic, put, qos
            )
        )
    return found


@pytest.fixture(scope='module')
def camera(graph: Graph, boxes: dict[str, Mailbox]) -> Iterator[Spun]:
    yield from carried(graph, '/sensed')


def carried(graph: Graph, namespace: str, **parameters: str | int) -> Iterator[Spun]:
    """Run a simulated camera."""
    values = {'width': 160, 'height': 120, 'rate': RATE, 'seed': 22, 'views': 3, **parameters}
    args = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
    spun = Spun(
        SimulatedStereoCamera(
            context=graph.context,
            namespace=namespace,
            cli_args=['--ros-args', *args],
            use_global_arguments=False,
        )
    )
    yield spun
    assert spun.is_spinning, 'a callback ended the executor'
    spun.close()


@pytest.mark.parametrize(
    ('topic', 'frame', 'mount', 'least'),
    [
        ('lidar_points', 'lidar', LIDAR_MOUNT, 500),
        ('dense_lidar_points', 'lidar', LIDAR_MOUNT, 2000),
        ('scan', 'laser', LASER_MOUNT, 60),
        ('tof_points', 'tof', TOF_MOUNT, 15),
    ],
)
@pytest.mark.usefixtures('camera')
def test_it_lies_on_the_true_surfaces(
    boxes: dict[str, Mailbox], topic: str, frame: str, mount: RigidTransform, least: int
) -> None:
    message = boxes[topic].wait(bool)
    assert message.header.frame_id == frame
    is_scan = isinstance(message, LaserScan)
    points = scan_to_points(message)[0] if is_scan else cloud_to_points(message)
    error = errors(points, mount, boxes['left/depth_truth'].of(message))
    assert len(error) > least
    assert np.median(error) < (0.04 if topic == 'tof_points' else 0.02)


@pytest.mark.usefixtures('camera')
def test_a_depth_camera_sees_what_the_image_shows(boxes: dict[str, Mailbox]) -> None:
    message = boxes['registered_depth'].wait(bool)
    truth = boxes['left/depth_truth'].of(message)
    assert message.header.frame_id == truth.header.frame_id == 'camera_left_optical_frame'
    depth, true = (
        np.frombuffer(image.data, np.float32).reshape(120, 160) for image in (message, truth)
    )
    known = np.isfinite(depth)
    assert 0.5 < known.mean() < 1
    assert np.median(np.abs(depth[known] / true[known] - 1)) < 0.04


def errors(points: np.ndarray, mount: RigidTransform, truth: Image) -> np.ndarray:
    """Return the relative errors of depth of the points in view."""
    depth = np.frombuffer(truth.data, np.float32).reshape(truth.height, truth.width)
    measured = measure_points(points, mount, CAMERA).inverse_depth.numpy()
    seen = np.isfinite(measured)
    return np.abs(1 / (measured[seen] * depth[seen]) - 1)


@pytest.mark.usefixtures('camera')
def test_landmarks_lie_in_the_frame_of_odometry(
    boxes: dict[str, Mailbox], placed: dict[str, Mailbox]
) -> None:
    (moving,) = placed['/tf'].wait(bool).transforms
    message, truth = (boxes[name].of(moving) for name in ('landmarks', 'left/depth_truth'))
    assert message.header.frame_id == 'odom'
    error = errors(cloud_to_points(message), pose_of(moving).inverse(), truth)
    assert 30 < len(error) <= 100
    assert np.median(error) < 0.05
    id_field = message.fields[3]
    assert (id_field.name, id_field.datatype, id_field.offset) == ('id', PointField.UINT32, 12)
    numbers = np.frombuffer(message.data, np.uint32).reshape(-1, 4)[:, 3]
    assert len(set(numbers.tolist())) == len(numbers) == message.width


def pose_of(placed: TransformStamped) -> RigidTransform:
    p, q = placed.transform.translation, placed.transform.rotation
    return RigidTransform.of((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))


@pytest.mark.usefixtures('camera')
def test_ultrasound_is_of_a_cone_ahead(boxes: dict[str, Mailbox]) -> None:
    message = boxes['range'].wait(bool)
    assert message.header.frame_id == 'sonar'
    assert message.radiation_type == Range.ULTRASOUND
    assert message.field_of_view == pytest.approx(np.radians(15))
    assert (message.min_range, message.max_range) == pytest.approx((0.02, 4.0))
    assert message.min_range < message.range < message.max_range or np.isinf(message.range)


@pytest.mark.usefixtures('camera')
def test_tf_tells_where_all_of_them_stand(placed: dict[str, Mailbox]) -> None:
    fixed = {t.child_frame_id: t for t in placed['/tf_static'].wait(bool).transforms}
    assert set(fixed) == {'lidar', 'laser', 'tof', 'sonar'}
    assert {t.header.frame_id for t in fixed.values()} == {'camera_left_optical_frame'}
    rotation = fixed['laser'].transform.rotation
    stated = np.array((rotation.x, rotation.y, rotation.z, rotation.w))
    assert abs(stated @ LASER_MOUNT.quaternion) == pytest.approx(1)
    (moving,) = placed['/tf'].wait(bool).transforms
    assert (moving.header.frame_id, moving.child_frame_id) == ('odom', 'camera_left_optical_frame')
    at = moving.transform.translation
    poses = [Drive(22).pose_at(k / RATE) for k in range(3)]
    assert min(
        float(np.abs(pose.position.numpy() - (at.x, at.y, at.z)).max()) for pose in poses
    ) == pytest.approx(0)


@pytest.mark.parametrize('robot', ['turtlebot', 'drone'])
def test_tf_goes_by_the_base_of_a_robot(
    graph: Graph, placed: dict[str, Mailbox], robot: str
) -> None:
    carrier, drive = ROBOTS[robot], Drive(22)
    base = carrier.base_frame
    for _ in carried(graph, f'/{robot}', robot=robot):
        moving = placed['/tf'].wait(lambda tf: tf.transforms[0].child_frame_id == base)
        (odometry,) = moving.transforms
        statics = placed['/tf_static'].wait(lambda tf: tf.transforms[-1].header.frame_id == base)
        fixed = {t.child_frame_id: t for t in statics.transforms}
    assert odometry.header.frame_id == 'odom'
    camera = pose_of(odometry) @ pose_of(fixed['camera_left_optical_frame'])
    poses = [carrier.camera_at(drive, k / RATE) for k in range(3)]
    assert min(
        float(np.abs(pose.position.numpy() - camera.position).max())
        + float(np.abs(pose.rotation.numpy() - camera.rotation).max())
        for pose in poses
    ) == pytest.approx(0, abs=1e-9)
    laser = camera @ pose_of(fixed['laser'])
    if robot == 'turtlebot':
        np.testing.assert_allclose(laser.rotation[:, 2], (0, 0, 1), atol=1e-9)


@pytest.mark.parametrize(('beams', 'rings'), [(16, 16), (64, 64)])
def test_the_lidar_has_as_many_beams_as_wanted(graph: Graph, beams: int, rings: int) -> None:
    box = graph.listen(f'/beams{beams}/lidar_points', PointCloud2)
    for _ in carried(graph, f'/beams{beams}', lidar_beams=beams):
        points = cloud_to_points(box.wait(bool))
    elevation = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    expected = SpinningLidar.of_beams(beams).elevations_deg
    assert len(np.unique(np.round(elevation, 3))) == rings
    assert (elevation.min(), elevation.max()) == pytest.approx((expected[0], expected[-1]))


def test_nothing_is_computed_that_nobody_listens_to(graph: Graph) -> None:
    image = graph.listen('/unheard/left/image_raw', Image)
    for spun in carried(graph, '/unheard'):
        image.wait(lambda _: len(image.all()) >= 3)
        assert spun.node._sensors._landmarks is None

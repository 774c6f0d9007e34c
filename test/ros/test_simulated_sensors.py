"""The LiDAR and the laser round the simulated camera see what the camera sees."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from harness import Graph, Mailbox, Spun
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, LaserScan, PointCloud2

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.files.point_messages import cloud_to_points, scan_to_points
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.ros.simulated_camera import SimulatedStereoCamera
from mono_depth_ros.ros.simulated_sensors import LASER_MOUNT, LIDAR_MOUNT
from mono_depth_ros.simulation.drive import Drive

CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
RATE = 4.0


@pytest.fixture(scope='module')
def boxes(graph: Graph) -> dict[str, Mailbox]:
    kinds = {'left/depth_truth': Image, 'lidar_points': PointCloud2, 'scan': LaserScan}
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
    values = {'width': 160, 'height': 120, 'rate': RATE, 'seed': 22, 'views': 3}
    args = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
    spun = Spun(
        SimulatedStereoCamera(
            context=graph.context,
            namespace='/sensed',
            cli_args=['--ros-args', *args],
            use_global_arguments=False,
        )
    )
    yield spun
    assert spun.is_spinning, 'a callback ended the executor'
    spun.close()


@pytest.mark.parametrize(
    ('topic', 'frame', 'mount', 'least'),
    [('lidar_points', 'lidar', LIDAR_MOUNT, 500), ('scan', 'laser', LASER_MOUNT, 60)],
)
@pytest.mark.usefixtures('camera')
def test_it_lies_on_the_true_surfaces(
    boxes: dict[str, Mailbox], topic: str, frame: str, mount: RigidTransform, least: int
) -> None:
    message = boxes[topic].wait(bool)
    assert message.header.frame_id == frame
    is_scan = isinstance(message, LaserScan)
    points = scan_to_points(message)[0] if is_scan else cloud_to_points(message)
    truth = boxes['left/depth_truth'].of(message)
    depth = np.frombuffer(truth.data, np.float32).reshape(truth.height, truth.width)
    measured = measure_points(points, mount, CAMERA).inverse_depth.numpy()
    seen = np.isfinite(measured)
    assert seen.sum() > least
    assert np.median(np.abs(1 / (measured[seen] * depth[seen]) - 1)) < 0.02


@pytest.mark.usefixtures('camera')
def test_tf_tells_where_all_of_them_stand(placed: dict[str, Mailbox]) -> None:
    fixed = {t.child_frame_id: t for t in placed['/tf_static'].wait(bool).transforms}
    assert set(fixed) == {'lidar', 'laser'}
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

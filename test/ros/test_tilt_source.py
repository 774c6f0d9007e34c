"""The camera's tilt from an IMU and from TF, in the running node."""

import math
from importlib.util import find_spec
from pathlib import Path

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from frames import image
from harness import FRAME_ID, Graph, Mailbox, Running, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, Imu
from std_msgs.msg import Header

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import TransformError
from mono_depth_ros.core.scale.tilt import Tilt, optical_rotation
from mono_depth_ros.ros.messages import camera_to_info
from mono_depth_ros.ros.tilt_source import TiltSource
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoRig

G = 9.80665
CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
has_tf = find_spec('tf2_msgs') is not None
needs_tf = pytest.mark.skipif(not has_tf, reason='no tf2_msgs: `make test` builds one with g++')


class Floor:
    """A node that sees a simulated floor, and the truth about its camera."""

    def __init__(self, graph: Graph, weights: Path, drive: Drive) -> None:
        pose = drive.pose_at(0.0)
        self.pitch = -math.asin(float(pose.rotation[2, 2]))
        frame = StereoRig(CAMERA, 0.1).capture(drive.scene, pose)
        self.rgb = frame.left.numpy()
        parameters = {
            'encoder': 'tiny',
            'variant': 'relative',
            'checkpoint': str(weights),
            'alignment.source': 'ground',
            'alignment.camera_height': drive.height_m,
            'alignment.camera_pitch': self.pitch,
            'alignment.smoothing': 0.0,
            'alignment.max_residual': 10.0,
        }
        self.node: Running = graph.start(parameters).until('active')
        self.depths: Mailbox = self.node.listen('~/depth/image_rect', Image)
        self.fits: Mailbox = self.node.listen('~/alignment', DiagnosticArray)

    def fit(self, second: int) -> dict[str, str]:
        """Show the floor; return what became of it."""
        head = Header(stamp=Time(sec=second), frame_id=FRAME_ID)
        message = image(self.rgb, head)
        self.node.send(camera_to_info(CAMERA, head), message)
        self.depths.of(message)
        status = self.fits.of(message).status[0]
        return {'message': status.message} | {pair.key: pair.value for pair in status.values}

    def feel(self, second: int, pitch: float, frame_id: str = FRAME_ID, length: float = G) -> None:
        """Send what an accelerometer at rest reads, and wait until it is there."""
        x, y, z = (-length * part for part in Tilt(pitch).down)
        message = Imu(header=Header(stamp=Time(sec=second), frame_id=frame_id))
        a = message.linear_acceleration
        a.x, a.y, a.z = x, y, z
        self.node.publisher('imu', Imu).publish(message)
        tilt_source = self.node.node.inputs.tilt_source
        wait_until(lambda: tilt_source.newest_imu_ns == second * 10**9, 'the imu message there')


@pytest.fixture(scope='module')
def floor(graph: Graph, weights: Path) -> Floor:
    return Floor(graph, weights, Drive(21))


@pytest.fixture
def by_imu(floor: Floor) -> Floor:
    """Return the floor with an IMU from which nothing has come."""
    assert floor.node.set(alignment__camera_pitch_from='parameter') == ''
    assert floor.node.set(alignment__camera_pitch_from='imu') == ''
    return floor


def test_gravity_does_what_the_right_pitch_does(floor: Floor) -> None:
    by_parameter = floor.fit(100)
    assert by_parameter['message'] == 'aligned'
    changes = {'alignment__camera_pitch_from': 'imu', 'alignment__camera_pitch': 0.9}
    assert floor.node.set(**changes) == ''
    floor.feel(101, floor.pitch)
    by_gravity = floor.fit(101)
    assert by_gravity['message'] == 'aligned'
    # Two fits of one view draw other hypotheses; the shift is small, so 0.01 of it is little.
    for name in ('scale', 'shift [1/m]'):
        assert float(by_gravity[name]) == pytest.approx(float(by_parameter[name]), abs=0.01)


def test_without_imu_messages_the_floor_is_not_used(by_imu: Floor) -> None:
    assert 'no imu message came' in by_imu.fit(200)['message']
    by_imu.feel(210, by_imu.pitch)
    assert '9.0 s away from the image' in by_imu.fit(201)['message']


def test_an_imu_without_gravity_is_refused(by_imu: Floor) -> None:
    by_imu.feel(300, by_imu.pitch, length=1.0)
    assert 'is 1.00 m/s^2' in by_imu.fit(300)['message']


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf_the_imu_must_be_in_the_frame_of_the_image(by_imu: Floor) -> None:
    by_imu.feel(400, by_imu.pitch, frame_id='imu_link')
    message = by_imu.fit(400)['message']
    assert f"'imu_link' and '{FRAME_ID}' are two frames" in message
    assert 'install tf2_ros' in message


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf_the_parameter_is_refused_and_nothing_changes(by_imu: Floor) -> None:
    reason = by_imu.node.set(alignment__camera_pitch_from='tf')
    assert 'needs tf2_ros: install ros-<distribution>-tf2-ros-py' in reason
    assert by_imu.node.get('alignment.camera_pitch_from') == 'imu'
    by_imu.feel(500, by_imu.pitch)
    assert by_imu.fit(500)['message'] == 'aligned'


def test_the_imu_is_heard_only_while_the_floor_needs_it(by_imu: Floor) -> None:
    def hears() -> bool:
        return by_imu.node.topic('imu') in [s.topic_name for s in by_imu.node.node.subscriptions]

    assert hears()
    assert by_imu.node.set(alignment__source='none') == ''
    assert not hears()
    assert by_imu.node.set(alignment__source='ground') == ''
    assert hears()


@needs_tf
def test_tf_tells_the_tilt_of_camera_and_imu(by_imu: Floor, graph: Graph) -> None:
    from geometry_msgs.msg import Quaternion, TransformStamped
    from tf2_msgs.msg import TFMessage

    def stamped(parent: str, child: str, rotation: tuple[float, ...]) -> TransformStamped:
        transform = TransformStamped(header=Header(frame_id=parent), child_frame_id=child)
        x, y, z, w = rotation
        transform.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
        return transform

    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer = graph.peer
    publisher = peer.do(lambda: peer.node.create_publisher(TFMessage, '/tf_static', qos))
    mounted = stamped('base_footprint', FRAME_ID, optical_rotation(by_imu.pitch))
    level = stamped(FRAME_ID, 'imu_link', (0.0, 0.0, 0.0, 1.0))
    publisher.publish(TFMessage(transforms=[mounted, level]))
    assert by_imu.node.set(alignment__camera_pitch_from='tf') == ''
    tilt_source = by_imu.node.node.inputs.tilt_source
    wait_until(lambda: _knows(tilt_source), 'the frames')
    assert tilt_source.tilt(Header(frame_id=FRAME_ID)).pitch_rad == pytest.approx(by_imu.pitch)
    assert by_imu.fit(600)['message'] == 'aligned'
    assert by_imu.node.set(alignment__camera_pitch_from='imu') == ''
    by_imu.feel(601, by_imu.pitch, frame_id='imu_link')
    assert by_imu.fit(601)['message'] == 'aligned'


def _knows(tilt_source: TiltSource) -> bool:
    try:
        return tilt_source.tilt(Header(frame_id=FRAME_ID)) is not None
    except TransformError:
        return False

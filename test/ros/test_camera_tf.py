"""What TF is told about the camera."""

import math
from importlib.util import find_spec
from pathlib import Path

import pytest
from harness import FRAME_ID, Graph, Mailbox, Running, header, image, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.ros.node_settings import MountSettings, NodeSettings

HEIGHT_M, PITCH_RAD = 0.6, 0.2
has_tf2 = find_spec('tf2_msgs') is not None
needs_tf2 = pytest.mark.skipif(not has_tf2, reason='no tf2_msgs: `make test` builds one with g++')


@pytest.fixture
def node(graph: Graph, weights: Path) -> Running:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
        'alignment.camera_height': HEIGHT_M,
        'alignment.camera_pitch': PITCH_RAD,
    }
    return graph.start(parameters).until('active')


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf2_the_parameter_is_refused_with_what_to_install(node: Running) -> None:
    reason = node.set(publish_tf=True)
    assert 'install ros-<distribution>-tf2-msgs' in reason
    assert node.get('publish_tf') is False
    assert '/tf_static' not in [p.topic_name for p in node.node.publishers]
    node.close()


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf2_a_node_that_shall_publish_does_not_start(graph: Graph) -> None:
    parameters = {'publish_tf': True, 'alignment.camera_height': HEIGHT_M, 'autostart': False}
    with pytest.raises(SettingsError, match='tf2-msgs'):
        graph.start(parameters)


@needs_tf2
def test_height_is_needed() -> None:
    with pytest.raises(SettingsError, match=r'camera_height is 0\.0 m, which means not set'):
        NodeSettings(mount=MountSettings(publish_tf=True))
    pipeline = PipelineSettings(alignment=AlignmentSettings(camera_height=HEIGHT_M))
    assert NodeSettings(mount=MountSettings(publish_tf=True), pipeline=pipeline)


def test_base_frame_needs_a_name() -> None:
    with pytest.raises(SettingsError, match="base_frame is ''"):
        MountSettings(publish_tf=True, base_frame='')


def static_transforms(graph: Graph) -> Mailbox:
    from tf2_msgs.msg import TFMessage

    box = Mailbox('/tf_static')
    peer = graph.peer
    latched = QoSProfile(depth=20, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer.do(lambda: peer.node.create_subscription(TFMessage, '/tf_static', box.put, latched))
    return box


@needs_tf2
def test_transform_is_latched_and_follows_parameters_and_frames(
    graph: Graph, node: Running
) -> None:
    node.send(image())
    node.until_received(1)
    assert node.set(publish_tf=True, base_frame='rover') == ''
    box = static_transforms(graph)
    (stamped,) = box.wait(lambda msg: True).transforms
    assert (stamped.header.frame_id, stamped.child_frame_id) == ('rover', FRAME_ID)
    moved = stamped.transform.translation
    assert (moved.x, moved.y, moved.z) == (0, 0, HEIGHT_M)
    turned = stamped.transform.rotation
    # The direction that optical z has in the base.
    x = 2 * (turned.x * turned.z + turned.y * turned.w)
    z = 1 - 2 * (turned.x**2 + turned.y**2)
    assert (x, z) == pytest.approx((math.cos(PITCH_RAD), -math.sin(PITCH_RAD)))

    assert node.set(alignment__camera_height=0.9) == ''
    box.wait(lambda msg: msg.transforms[0].transform.translation.z == 0.9)
    node.send(image(head=header(frame_id='other_optical')))
    box.wait(lambda msg: msg.transforms[0].child_frame_id == 'other_optical')
    node.send(image(head=header(frame_id='')))
    box.wait(lambda msg: msg.transforms[0].child_frame_id == 'camera_optical_frame')

    count = len(box.all())
    assert node.set(max_depth=50.0) == ''
    node.send(image(head=header(frame_id='rover')))
    assert 'give one of them another name' in node.logged('no transform published').msg
    assert node.set(publish_tf=False) == ''
    wait_until(lambda: not graph.peer.node.count_publishers('/tf_static'), '/tf_static given up')
    assert len(box.all()) == count
    node.close()

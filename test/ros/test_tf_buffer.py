"""TF without tf2: what /tf and /tf_static say over DDS."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from harness import Graph, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header

from mono_depth_ros.core.errors import TransformError
from mono_depth_ros.ros.tf_buffer import Tf

if find_spec('tf2_msgs') is None:
    pytest.skip('no tf2_msgs: `make test` builds one with g++ and cmake', allow_module_level=True)
TURNED = Quaternion(z=0.5**0.5, w=0.5**0.5)


def stamped(
    parent: str, child: str, sec: int, x: float, rotation: Quaternion = TURNED
) -> TransformStamped:
    message = TransformStamped(
        header=Header(stamp=Time(sec=sec), frame_id=parent), child_frame_id=child
    )
    message.transform.translation = Vector3(x=x)
    message.transform.rotation = rotation
    return message


@pytest.fixture
def buffer(graph: Graph) -> Iterator[Tf]:
    found = Tf(graph.peer.node)
    graph.peer.do(lambda: found.listen(True))
    yield found
    graph.peer.do(lambda: found.listen(False))


@pytest.fixture
def send(graph: Graph) -> Iterator[Callable[..., None]]:
    """Return what publishes transforms to /tf or, latched, to /tf_static."""
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publishers = {
        topic: graph.peer.node.create_publisher(TFMessage, topic, qos)
        for topic, qos in (('/tf', QoSProfile(depth=100)), ('/tf_static', latched))
    }

    def publish(topic: str, *transforms: TransformStamped) -> None:
        publisher = publishers[topic]
        wait_until(lambda: publisher.get_subscription_count() > 0, f'somebody listens to {topic}')
        publisher.publish(TFMessage(transforms=list(transforms)))

    yield publish
    for publisher in publishers.values():
        graph.peer.do(lambda publisher=publisher: graph.peer.node.destroy_publisher(publisher))


def is_known(buffer: Tf, *query: object) -> Callable[[], bool]:
    def known() -> bool:
        try:
            buffer.lookup(*query)
        except TransformError:
            return False
        return True

    return known


def test_fixed_and_moving_frames_are_joined(buffer: Tf, send: Callable[..., None]) -> None:
    send('/tf_static', stamped('base', 'lidar', 0, 0.5))
    send('/tf', stamped('odom', 'base', 10, 0.0), stamped('odom', 'base', 12, 2.0))
    query = 'odom', 'lidar', 11_000_000_000
    wait_until(is_known(buffer, *query), 'the transforms there')
    # The base is at x = 1 and looks along y, where the lidar is half a meter ahead.
    found = buffer.lookup(*query)
    np.testing.assert_allclose(found.position, (1.0, 0.5, 0.0), atol=1e-9)
    np.testing.assert_allclose(found.rotation[:, 0], (-1.0, 0.0, 0.0), atol=1e-9)
    with pytest.raises(TransformError, match='12'):
        buffer.lookup('odom', 'lidar', 13_000_000_000)
    buffer.clear()
    with pytest.raises(TransformError):
        buffer.lookup(*query)


def test_what_is_no_transform_is_left_out(buffer: Tf, send: Callable[..., None]) -> None:
    send(
        '/tf',
        stamped('odom', 'long', 20, 0.0, Quaternion(w=2.0)),
        stamped('odom', 'none', 20, 0.0, Quaternion(w=0.0)),
        stamped('odom', 'nan', 20, float('nan')),
        stamped('odom', 'odom', 20, 0.0),
        stamped('', 'orphan', 20, 0.0),
        stamped('odom', 'right', 20, 1.0),
    )
    wait_until(is_known(buffer, 'odom', 'right'), 'the last of them there')
    for frame in ('long', 'none', 'nan', 'orphan'):
        with pytest.raises(TransformError):
            buffer.lookup('odom', frame)


def test_what_is_not_listened_to_is_not_known(buffer: Tf, graph: Graph) -> None:
    graph.peer.do(lambda: buffer.listen(False))
    assert buffer.lookup('base', 'base').position.tolist() == [0, 0, 0]
    with pytest.raises(TransformError, match="'lidar' and 'base' are two frames"):
        buffer.lookup('base', 'lidar')


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf_messages_it_says_what_to_install(graph: Graph) -> None:
    tf = Tf(graph.peer.node)
    tf.listen(True)
    assert not tf.is_installed
    with pytest.raises(TransformError, match='install tf2_ros'):
        tf.lookup('base', 'lidar')

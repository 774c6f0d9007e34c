"""What the node listens to: topics after remapping, the right camera_info, the rate."""

from collections.abc import Iterator

import pytest
from builtin_interfaces.msg import Time
from harness import Graph, Mailbox, Spun, camera, header, image, info_for, wait_until
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.ros.inputs import Inputs, image_topics
from mono_depth_ros.ros.node_settings import InputSettings
from mono_depth_ros.ros.qos import QosMonitor
from mono_depth_ros.ros.shared_state import Frame, SharedState


class Listener:
    """Inputs on a plain node, and the peer's camera in front of them."""

    def __init__(self, graph: Graph, namespace: str, **settings: float | str) -> None:
        node = Node('listener', context=graph.context, namespace=namespace)
        self.spun = Spun(node)
        self.frames = Mailbox('frames')
        self.shared = SharedState()
        self.inputs = self.spun.do(
            lambda: Inputs(
                node, InputSettings(**settings), self.shared, self.frames.put, QosMonitor(node)
            )
        )
        kind = CompressedImage if settings.get('image_transport') == 'compressed' else Image
        self.image = self._advertised(graph, self.inputs.image_topic, kind)
        self.info = self._advertised(graph, self.inputs.info_topic, CameraInfo)

    def _advertised(self, graph: Graph, topic: str, kind: type) -> Publisher:
        publisher = graph.advertise(topic, kind)
        readers = [s for s in self.spun.node.subscriptions if s.topic_name == topic]
        wait_until(lambda: all(r.get_publisher_count() for r in readers), f'writer of {topic}')
        return publisher

    def tell(self, info: CameraInfo) -> None:
        """Publish a camera_info and wait until it came."""
        self.info.publish(info)
        wait_until(lambda: info in self.inputs.known_infos, 'camera_info')

    def show(self, *messages: Image | CompressedImage) -> None:
        """Publish images one by one, each after the one before came."""
        for msg in messages:
            before = self.shared.statistics.received
            self.image.publish(msg)
            wait_until(lambda before=before: self.shared.statistics.received > before, 'image')


@pytest.fixture
def listener(graph: Graph, request: pytest.FixtureRequest) -> Iterator[Listener]:
    settings = getattr(request, 'param', {})
    listener = Listener(graph, f'/in{abs(hash(request.node.name))}', **settings)
    yield listener
    graph.withdraw(listener.image)
    graph.withdraw(listener.info)
    listener.spun.do(listener.inputs.close)
    listener.spun.close()


@pytest.mark.parametrize(
    ('remaps', 'transport', 'image_topic', 'info_topic'),
    [
        ([], 'raw', '/left/image_raw', '/left/camera_info'),
        ([], 'compressed', '/left/image_raw/compressed', '/left/camera_info'),
        (['image_raw:=/cam/x'], 'raw', '/cam/x', '/cam/camera_info'),
        (['image_raw:=/cam/x'], 'compressed', '/cam/x/compressed', '/cam/camera_info'),
        (['image_raw:=cam/x'], 'raw', '/left/cam/x', '/left/cam/camera_info'),
        (['image_raw:=/x'], 'raw', '/x', '/camera_info'),
        (['image_raw:=/cam/x', 'camera_info:=/k'], 'raw', '/cam/x', '/k'),
        (['camera_info:=/k'], 'raw', '/left/image_raw', '/k'),
    ],
)
def test_topics_follow_the_image(
    graph: Graph, remaps: list[str], transport: str, image_topic: str, info_topic: str
) -> None:
    args = [part for rule in remaps for part in ('-r', rule)]
    node = Node(
        'topics',
        context=graph.context,
        namespace='/left',
        cli_args=['--ros-args', *args] if args else None,
        use_global_arguments=False,
    )
    assert image_topics(node, transport) == (image_topic, info_topic)
    node.destroy_node()


def test_subscriptions_take_the_newest_from_any_publisher(listener: Listener) -> None:
    profiles = [s.qos_profile for s in listener.spun.node.subscriptions]
    assert len(profiles) == 2
    for qos in profiles:
        assert qos.reliability == ReliabilityPolicy.BEST_EFFORT
        assert qos.durability == DurabilityPolicy.VOLATILE
        assert (qos.history, qos.depth) == (HistoryPolicy.KEEP_LAST, 1)


@pytest.mark.parametrize('listener', [{'image_transport': 'compressed'}], indirect=True)
def test_compressed_transport_changes_topic_and_type(listener: Listener) -> None:
    assert listener.inputs.image_topic.endswith('/image_raw/compressed')
    sent = CompressedImage(header=header(), format='jpeg', data=b'123')
    listener.show(sent)
    assert listener.frames.of(sent).image == sent


def test_camera_info_sent_once_before_the_node_listens_is_found(graph: Graph) -> None:
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    topic, peer = '/late/camera_info', graph.peer
    latched = peer.do(lambda: peer.node.create_publisher(CameraInfo, topic, qos))
    sent, seen = info_for(image()), image()
    latched.publish(sent)
    listener = Listener(graph, '/late')
    node, find = listener.spun.node, listener.inputs.find_latched_info
    wait_until(lambda: len(node.get_publishers_info_by_topic(topic)) == 2, 'both publishers')
    listener.spun.do(find)
    listener.spun.do(find)
    assert len(list(node.subscriptions)) == 3
    wait_until(lambda: sent in listener.inputs.known_infos, 'the camera_info')
    listener.show(seen)
    assert listener.frames.of(seen).info == sent
    listener.spun.do(listener.inputs.close)
    assert not list(node.subscriptions)
    listener.spun.close()
    for publisher in (latched, listener.image, listener.info):
        graph.withdraw(publisher)


def test_publishers_that_keep_nothing_get_no_further_subscription(listener: Listener) -> None:
    listener.spun.do(listener.inputs.find_latched_info)
    assert len(list(listener.spun.node.subscriptions)) == 2


def test_camera_info_of_the_same_stamp_is_preferred(listener: Listener) -> None:
    sent = image()
    exact, later = info_for(sent, camera(focal_px=70)), info_for(image(), camera(focal_px=90))
    listener.tell(exact)
    listener.tell(later)
    listener.show(sent)
    assert listener.frames.of(sent).info == exact


def test_latest_camera_info_serves_where_none_has_the_stamp(listener: Listener) -> None:
    infos = [info_for(image(), camera(focal_px=focal)) for focal in (70, 80, 90)]
    for info in infos:
        listener.tell(info)
    listener.tell(infos[0])
    sent = image()
    listener.show(sent)
    assert listener.frames.of(sent).info == infos[0]


def test_frame_without_camera_info(listener: Listener) -> None:
    sent = image()
    listener.show(sent)
    frame: Frame = listener.frames.of(sent)
    assert frame.info is None
    assert frame.image == sent


def test_old_camera_infos_are_forgotten(listener: Listener) -> None:
    for i in range(40):
        listener.tell(info_for(image(), camera(focal_px=50 + i)))
    assert len(listener.inputs.known_infos) == 16


def stamps(*seconds: float) -> list[Image]:
    return [image(head=header(Time(sec=int(s), nanosec=round(s % 1 * 1e9)))) for s in seconds]


@pytest.mark.parametrize('listener', [{'max_rate': 10.0}], indirect=True)
def test_max_rate_counts_stamps(listener: Listener) -> None:
    frames = stamps(50.0, 50.03, 50.06, 50.1, 50.13, 50.195, 50.3)
    listener.show(*frames)
    let_through = [listener.frames.has(msg) for msg in frames]
    assert let_through == [True, False, False, True, False, True, True]
    assert listener.shared.statistics.received == 7
    assert listener.shared.statistics.skipped == 3


@pytest.mark.parametrize('listener', [{'max_rate': 10.0}], indirect=True)
def test_stamp_that_jumps_back_is_let_through(listener: Listener) -> None:
    frames = stamps(50.0, 50.2, 20.0, 20.05, 20.1, 20.15)
    listener.show(*frames)
    passed = [listener.frames.has(msg) for msg in frames]
    assert passed[:2] == [True, True]
    assert passed[3:] == [True, False, True], 'the jump is certain with its second image'
    assert listener.shared.statistics.time_jumps == 1


@pytest.mark.parametrize('listener', [{'max_rate': 1000.0}], indirect=True)
def test_max_rate_counts_arrivals_where_stamps_stand_still(listener: Listener) -> None:
    for _ in range(5):
        listener.show(*stamps(0.0))
    statistics = listener.shared.statistics
    assert statistics.received == 5
    assert len(listener.frames.all()) + statistics.skipped == 5
    assert len(listener.frames.all()) > 1, 'not one image and then nothing'
    assert statistics.standing == (0, 5)


def test_all_images_pass_without_a_rate(listener: Listener) -> None:
    frames = stamps(60.0, 60.001, 60.0, 59.0)
    listener.show(*frames)
    assert len(listener.frames.all()) == 4


def test_images_without_a_frame_need_a_name_for_it() -> None:
    with pytest.raises(SettingsError, match="frame_id is ''; name the optical frame"):
        InputSettings(frame_id='')

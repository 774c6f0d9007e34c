"""`mono_depth check` on a camera alone: each thing that can be wrong with it is named."""

from collections.abc import Callable
from typing import Any

import pytest
from builtin_interfaces.msg import Time
from cameras import BRIEF, SEEN_S, examined, faults, filming, only
from harness import FRAME_ID, Graph
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from mono_depth_ros.cli.check.findings import Verdict
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros.messages import bgr_to_compressed, color_decoder

SIDES = ('width', 'height')
GOOD, WARNING, FAULT = Verdict.GOOD, Verdict.WARNING, Verdict.FAULT


def restamp(sec: Callable[[int], int], nanosec: int | None = None) -> Any:
    """Return what gives an image and its camera_info another stamp."""

    def change(image: Image, info: CameraInfo) -> None:
        for stamp in (image.header.stamp, info.header.stamp):
            stamp.sec = sec(stamp.sec)
            stamp.nanosec = stamp.nanosec if nanosec is None else nanosec

    return change


def enlarge(info: CameraInfo, factor: int) -> None:
    """Make a camera_info that of the same view at another size."""
    info.width, info.height = factor * info.width, factor * info.height
    info.k[:6], info.p[:8] = factor * info.k[:6], factor * info.p[:8]


def test_camera_info_sent_once_before_is_heard(graph: Graph, observer: Observer) -> None:
    node, topic = graph.peer.node, '/once/camera_info'
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = graph.peer.do(lambda: node.create_publisher(CameraInfo, topic, qos))
    publisher.publish(CameraInfo(width=7))
    assert observer.wait(lambda: observer.publishers(topic), 10.0)
    heard = observer.listen(CameraInfo, topic)
    assert observer.wait(lambda: heard.count, 10.0)
    assert heard.newest.width == 7
    graph.withdraw(publisher)


def test_nothing_is_wrong_with_a_good_camera(graph: Graph, observer: Observer) -> None:
    with filming(graph, observer, '/good'):
        findings = examined(observer, image='/good/image_raw')
    assert faults(findings) == []
    assert only(findings, 'image').what.startswith('/good/image_raw: 64x48 px, rgb8, ')
    assert only(findings, 'camera_info').what == '/good/camera_info: 64x48 px, fx 80.0 px'
    assert only(findings, 'stamps').verdict is GOOD
    assert only(findings, 'QoS').verdict is GOOD
    assert only(findings, 'node').verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ('spoil', 'subject', 'verdict', 'what', 'remedy'),
    [
        (
            lambda image, info: info.k.fill(0),
            *('camera_info', FAULT, 'uncalibrated: K[0] is 0', 'camera_calibration'),
        ),
        (
            lambda image, info: setattr(info, 'width', 40),
            *('camera_info', FAULT, '40x48 px and the image has 64x48 px', 'of this image'),
        ),
        (
            lambda image, info: enlarge(info, 2),
            *('camera_info', GOOD, 'fx 160.0 px; scaled to the 64x48 px of the image: fx 80', ''),
        ),
        (
            lambda image, info: info.k.__setitem__(0, float('nan')),
            *('camera_info', FAULT, 'must be finite', 'Correct it'),
        ),
        (
            lambda image, info: setattr(info, 'k', [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0]),
            *('camera_info', FAULT, 'identity for 64x48 px', 'Calibrate it (camera_calibration)'),
        ),
        (
            lambda image, info: [setattr(info, n, 4 * getattr(image, n)) for n in SIDES],
            *('camera_info', FAULT, 'that of about 71x45 px', 'Use the K of 256x192 px'),
        ),
        (
            lambda image, info: setattr(info, 'd', [0.1] * 5),
            *('camera_info', WARNING, 'has distortion', 'rectify'),
        ),
        (
            lambda image, info: setattr(info.header, 'frame_id', 'odd'),
            *('camera_info', WARNING, f"in frame 'odd' and its image in '{FRAME_ID}'", 'driver'),
        ),
        (
            lambda image, info: setattr(info.header.stamp, 'sec', 5),
            *('camera_info', WARNING, 'no stamp is that of an image', 'same stamp'),
        ),
        (
            lambda image, info: setattr(image, 'step', 7),
            *('image', FAULT, 'cannot be read: step is 7 bytes', 'driver'),
        ),
        (
            lambda image, info: setattr(image, 'encoding', 'unheard'),
            *('image', FAULT, "'unheard'", 'driver'),
        ),
        (
            restamp(lambda sec: 0, 0),
            *('stamps', FAULT, 'stamp 0', 'driver must stamp'),
        ),
        (
            restamp(lambda sec: 12, 0),
            *('stamps', FAULT, 'all images have the same stamp, 12.000 s', 'driver must stamp'),
        ),
        (
            restamp(lambda sec: sec - 7200),
            *('stamps', WARNING, '2:00:00 (h:min:s) old by this machine', 'use_sim_time'),
        ),
        (
            restamp(lambda sec: sec + 60),
            *('stamps', WARNING, ' (h:min:s) ahead by this machine', 'chrony'),
        ),
        (
            lambda image, info: setattr(image.header, 'frame_id', ''),
            *('frame_id', WARNING, 'empty frame_id', 'driver'),
        ),
    ],
)
def test_what_is_wrong_with_messages_is_named(
    graph: Graph,
    observer: Observer,
    spoil: Callable[[Image, CameraInfo], Any],
    subject: str,
    verdict: Verdict,
    what: str,
    remedy: str,
) -> None:
    with filming(graph, observer, '/bad', spoil=spoil):
        findings = examined(observer, image='/bad/image_raw')
    named = [f for f in findings if f.subject == subject and what in f.what]
    assert [(f.verdict, remedy in f.remedy) for f in named] == [(verdict, True)], findings


def test_two_cameras_on_one_topic_are_named(graph: Graph, observer: Observer) -> None:
    with filming(graph, observer, '/twins'), filming(graph, observer, '/twins'):
        assert observer.wait(lambda: len(observer.publishers('/twins/image_raw')) == 2, SEEN_S)
        found = examined(observer, BRIEF, image='/twins/image_raw')
    mixed = [f for f in found if f.subject == 'graph' and f.verdict is FAULT]
    assert [f.what for f in mixed] == [
        f'/twins/{name} has 2 publishers: /peer, /peer' for name in ('image_raw', 'camera_info')
    ]
    assert 'namespace' in mixed[0].remedy


def test_the_nearest_stamps_are_told_in_full(graph: Graph, observer: Observer) -> None:
    def late(image: Image, info: CameraInfo) -> None:
        image.header.stamp = Time(sec=image.header.stamp.sec, nanosec=500_000_237)
        info.header.stamp = Time(sec=image.header.stamp.sec, nanosec=500_000_000)

    with filming(graph, observer, '/late', spoil=late):
        findings = examined(observer, BRIEF, image='/late/image_raw')
    (found,) = [f for f in findings if 'no stamp is that of an image' in f.what]
    assert '.500000000 s and ' in found.what
    assert found.what.endswith('.500000237 s, 0.000000237 s apart')


def test_a_missing_camera_info_is_named_with_others_that_there_are(
    graph: Graph, observer: Observer
) -> None:
    image = '/bare/image_raw'
    bare = filming(graph, observer, '/bare', topics=('image_raw',))
    with bare, filming(graph, observer, '/other'):
        found = only(examined(observer, BRIEF, image=image), 'camera_info')
        named = examined(observer, BRIEF, image=image, camera_info='/other/camera_info')
    assert (found.verdict, found.what) == (FAULT, 'nobody publishes /bare/camera_info')
    assert 'set fov_deg' in found.remedy
    assert '/other/camera_info: camera_info_topic:=' in found.remedy
    assert 'nobody publishes' not in only(named, 'camera_info').what


def test_a_silent_camera_info_is_named(graph: Graph, observer: Observer) -> None:
    peer = graph.peer
    silent = peer.do(lambda: peer.node.create_publisher(CameraInfo, '/mute/camera_info', 1))
    with filming(graph, observer, '/mute', topics=('image_raw',)):
        found = only(examined(observer, BRIEF, image='/mute/image_raw'), 'camera_info')
    assert found.what == '/mute/camera_info is published, but nothing came'
    graph.withdraw(silent)


def test_a_silent_camera_is_named(graph: Graph, observer: Observer) -> None:
    peer = graph.peer
    silent = peer.do(lambda: peer.node.create_publisher(Image, '/dead/image_raw', 1))
    with filming(graph, observer, '/dead', topics=('camera_info',)):
        found = only(examined(observer, image='/dead/image_raw'), 'image')
    assert found.verdict is FAULT
    assert found.what == '/dead/image_raw is published by /peer, but none came in 2 s'
    assert 'Large messages' in found.remedy
    graph.withdraw(silent)


def test_a_wrong_topic_is_named_with_those_that_there_are(
    graph: Graph, observer: Observer
) -> None:
    with filming(graph, observer, '/left'), filming(graph, observer, '/right'):
        found = only(examined(observer, BRIEF, image='/image_raw'), 'image')
    assert found.what == 'nobody publishes /image_raw'
    assert '/left/image_raw, /right/image_raw: set image_topic:=' in found.remedy


def compressed(picture: Image) -> CompressedImage:
    return bgr_to_compressed(color_decoder().rgb(picture), picture.header)


def test_compressed_images_only(graph: Graph, observer: Observer) -> None:
    topics, more = ('camera_info',), {'image_raw/compressed': compressed}
    with filming(graph, observer, '/thin', topics=topics, more=more):
        raw = only(examined(observer, BRIEF, image='/thin/image_raw'), 'image')
        findings = examined(observer, image='/thin/image_raw/compressed')
    assert raw.what == 'nobody publishes /thin/image_raw, but there is /thin/image_raw/compressed'
    assert raw.remedy == 'Set image_transport: compressed.'
    assert only(findings, 'image').what.startswith(
        '/thin/image_raw/compressed: 64x48 px, bgr8; jpeg compressed bgr8, '
    )
    assert only(findings, 'camera_info').what == '/thin/camera_info: 64x48 px, fx 80.0 px'


def test_another_type_on_the_topic(graph: Graph, observer: Observer) -> None:
    with filming(graph, observer, '/odd', topics=('camera_info',), more={'image_raw': compressed}):
        found = only(examined(observer, image='/odd/image_raw'), 'image')
    assert 'carries sensor_msgs/msg/CompressedImage, and sensor_msgs/msg/Image' in found.what


def test_a_reader_that_a_camera_cannot_reach_is_named_with_both_policies(
    graph: Graph, observer: Observer
) -> None:
    reader = graph.listen('/torn/image_raw', Image)
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    with filming(graph, observer, '/torn', qos=best_effort):
        found = only(examined(observer, image='/torn/image_raw'), 'QoS')
    assert found.verdict is FAULT
    assert 'from /peer, which offers reliability best_effort, to /peer' in found.what
    assert 'publisher of /peer: reliability reliable; or subscription of /peer' in found.remedy
    graph.unlisten(reader)


def test_stamps_are_judged_by_the_clock_topic(graph: Graph, observer: Observer) -> None:
    def long_ago(image: Image, info: CameraInfo) -> None:
        image.header.stamp.sec -= 1_000_000

    def clock(image: Image) -> Clock:
        stamp = image.header.stamp
        return Clock(clock=Time(sec=stamp.sec - 1_000_000, nanosec=stamp.nanosec))

    with filming(graph, observer, '/sim', spoil=long_ago, more={'/clock': clock}):
        found = only(examined(observer, image='/sim/image_raw'), 'stamps')
    assert found.verdict is GOOD
    assert found.what.endswith('by /clock')

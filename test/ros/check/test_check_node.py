"""`mono_depth check` on a running node: its state, its scale, its depth, who listens in vain."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from cameras import BRIEF, examined, faults, filming, only
from harness import FRAME_ID, Graph, Running, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.cli.check.findings import Verdict
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros.messages import cloud_to_message, float_to_image

GOOD, WARNING, FAULT = Verdict.GOOD, Verdict.WARNING, Verdict.FAULT


def start(graph: Graph, weights: Path, **parameters: Any) -> Running:
    given = {name.replace('__', '.'): value for name, value in parameters.items()}
    return graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights), **given}
    )


def test_nothing_is_wrong_with_a_good_node(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    node = start(graph, weights, scale=1.0).until('active')
    with filming(graph, observer, node.namespace):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    assert faults(findings) == []
    assert 'is active: encoder tiny, device cpu' in only(findings, 'node').what
    told = re.fullmatch(
        rf'{node.namespace}/mono_depth/depth/image_rect: (\d+)% known, .* median ([\d.]+) m',
        only(findings, 'depth').what,
    )
    assert told
    cloud = only(findings, 'cloud')
    assert cloud.verdict is GOOD
    assert re.fullmatch(rf'{node.namespace}/mono_depth/points: [\d.]+ Hz, 0.0 MB each', cloud.what)
    assert 0 < int(told[1]) <= 100
    assert 0.1 < float(told[2]) < 80
    node.close()


def test_without_its_name_the_only_node_is_found_and_of_two_none_is_chosen(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    one = start(graph, weights, autostart=False)
    with filming(graph, observer, one.namespace):
        found = only(examined(observer), 'node')
        assert one.change('configure')
        inactive = only(examined(observer), 'node')
    assert found.what.startswith(f'{one.namespace}/mono_depth is unconfigured: not active')
    assert found.remedy.startswith(f'ros2 lifecycle set {one.namespace}/mono_depth configure')
    assert inactive.remedy.startswith(f'ros2 lifecycle set {one.namespace}/mono_depth activate')
    two = start(graph, weights, autostart=False)
    wait_until(lambda: two.state == 'unconfigured', 'the second node')
    with pytest.raises(Exception, match=r'/mono_depth run; name one of them with --node'):
        examined(observer)
    one.close()
    two.close()


def test_an_image_that_the_node_does_not_take_is_examined_alone(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    node = start(graph, weights, scale=1.0).until('active')
    name, taken = f'{node.namespace}/mono_depth', node.topic('image_raw')
    with filming(graph, observer, '/elsewhere'), filming(graph, observer, node.namespace):
        apart = examined(observer, image='/elsewhere/image_raw')
        asked = examined(observer, node=name, image='/elsewhere/image_raw')
        taking = examined(observer, image=taken)
    what = f'no node listens to /elsewhere/image_raw: {name} listens to {taken}'
    for findings, verdict in ((apart, Verdict.UNCHECKED), (asked, FAULT)):
        found = only(findings, 'node')
        assert (found.verdict, found.what) == (verdict, what)
        assert 'image_topic:=/elsewhere/image_raw' in found.remedy
        assert findings[0].what == (
            'a camera without a node: images on /elsewhere/image_raw, '
            'camera_info on /elsewhere/camera_info'
        )
        assert not [f for f in findings if f.subject == 'depth']
    assert taking[0].what.startswith(f'{name}: images on {taken}, camera_info on ')
    assert only(taking, 'depth').verdict is GOOD
    node.close()


def test_of_two_nodes_the_one_on_the_image_is_examined(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    one, two = (start(graph, weights, autostart=False) for _ in range(2))
    wait_until(lambda: two.state == 'unconfigured', 'the second node')
    for node in (one, two):
        with filming(graph, observer, node.namespace):
            findings = examined(observer, image=node.topic('image_raw'))
        assert findings[0].what.startswith(f'{node.namespace}/mono_depth: ')
        assert only(findings, 'node').what.startswith(f'{node.namespace}/mono_depth is unconf')
    one.close()
    two.close()


def test_a_node_that_could_not_load_says_why(
    graph: Graph, observer: Observer, tmp_path: Path
) -> None:
    path = tmp_path / 'no.safetensors'
    node = graph.start({'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(path)})
    node.logged('cannot load the network')
    with filming(graph, observer, node.namespace):
        found = only(examined(observer, node=f'{node.namespace}/mono_depth'), 'node')
    assert found.verdict is FAULT
    assert str(path) in found.what
    node.close()


def test_a_node_that_is_not_there(graph: Graph, observer: Observer) -> None:
    with filming(graph, observer, '/alone'):
        found = only(examined(observer, BRIEF, node='/nobody'), 'node')
    assert (found.verdict, found.what) == (FAULT, 'no node /nobody runs')
    assert 'ros2 launch mono_depth_ros mono.launch.py' in found.remedy


def test_depth_that_is_not_known_says_what_to_set(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    node = start(graph, weights).until('active')
    with filming(graph, observer, node.namespace):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    found = only(findings, 'depth')
    assert found.verdict is FAULT
    assert 'no pixel of 3072 is known' in found.what
    assert 'set scale' in found.remedy
    node.close()


def test_frames_that_are_lost_say_why(graph: Graph, observer: Observer, weights: Path) -> None:
    node = start(graph, weights, scale=1.0).until('active')
    node.listen('~/depth/image_rect', Image)

    def cut(image: Image, info: CameraInfo) -> None:
        image.height = 47

    with filming(graph, observer, node.namespace, spoil=cut):
        wait_until(lambda: node.statistics.refused > 15, 'frames lost for more than a report')
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    assert 'frame lost: data has' in only(findings, 'node').remedy
    assert 'cannot be read: data has' in only(findings, 'image').what
    node.close()


def test_a_lens_that_cannot_be_rectified(graph: Graph, observer: Observer, weights: Path) -> None:
    node = start(graph, weights, scale=1.0, rectify=True).until('active')

    def fancy(image: Image, info: CameraInfo) -> None:
        info.distortion_model, info.d = 'fancy', [0.1] * 5

    with filming(graph, observer, node.namespace, spoil=fancy):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    lens, depth = only(findings, 'camera_info'), only(findings, 'depth')
    assert (lens.verdict, depth.verdict) == (FAULT, FAULT)
    assert lens.what.endswith("distortion model is 'fancy'")
    assert 'equidistant' in lens.remedy
    assert depth.what.endswith('/mono_depth loses frames')
    assert "distortion model is 'fancy'" in depth.remedy
    node.close()


def test_who_listens_in_vain_is_named(graph: Graph, observer: Observer, weights: Path) -> None:
    node = start(graph, weights, scale=1.0).until('active')
    topic, peer = node.topic('~/points'), graph.peer
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    reader = peer.do(
        lambda: peer.node.create_subscription(PointCloud2, topic, lambda _: None, latched)
    )
    with filming(graph, observer, node.namespace):
        found = only(examined(observer, node=f'{node.namespace}/mono_depth'), 'QoS')
    assert found.verdict is FAULT
    assert f'{topic}: nothing passes from {node.namespace}/mono_depth' in found.what
    assert f'parameter qos_overrides.{topic}.publisher.durability: transient_local' in found.remedy
    assert 'subscription of /peer: durability volatile' in found.remedy
    peer.do(lambda: peer.node.destroy_subscription(reader))
    node.close()


def disparity(**changes: Any) -> Any:
    """Return what makes a disparity of an image: a slope, some of it changed."""

    def made(image: Image) -> DisparityImage:
        stamp = image.header.stamp
        nanosec = max(0, stamp.nanosec - changes.get('late_ns', 0))
        stamp = Time(sec=stamp.sec - changes.get('late_s', 0), nanosec=nanosec)
        head = Header(stamp=stamp, frame_id=changes.get('frame_id', image.header.frame_id))
        values = np.linspace(2, 12, image.width * image.height, dtype=np.float32)
        values = values.reshape(image.height, image.width) * changes.get('factor', 1)
        msg = DisparityImage(header=head, image=float_to_image(values, head), f=80.0)
        msg.t, msg.min_disparity, msg.max_disparity = changes.get('t', 0.1), 1.0, 64.0
        return msg

    return made


def test_a_missing_disparity_is_named(graph: Graph, observer: Observer, weights: Path) -> None:
    node = start(graph, weights, alignment__source='disparity').until('active')
    with filming(graph, observer, node.namespace):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    topic = node.topic('disparity')
    found = only(findings, 'measurement')
    assert found.what == f'nobody publishes {topic}, which alignment.source asks for'
    assert 'stereo_image_proc' in found.remedy
    alignment = only(findings, 'alignment')
    assert alignment.verdict is FAULT
    assert 'no measurement of source disparity was used yet' in alignment.what
    assert only(findings, 'depth').verdict is FAULT
    node.close()


@pytest.mark.parametrize(
    ('changes', 'verdict', 'what'),
    [
        ({'t': -0.1}, FAULT, 'disparity has t = -0.1'),
        ({'factor': 0.0}, FAULT, 'no pixel of disparity with f = 80 px and t = 0.1 m is valid'),
        ({'t': 120.0}, FAULT, 't is in millimeters; it must be in meters'),
        ({'late_s': 3600}, FAULT, 'apart; alignment.stamp_tolerance is 0.02 s'),
        ({'late_ns': 9_000_000}, GOOD, '3072 pixels'),
        ({'frame_id': 'right'}, WARNING, f"in frame 'right', the images in '{FRAME_ID}'"),
    ],
)
def test_what_is_wrong_with_a_disparity_is_named(
    graph: Graph,
    observer: Observer,
    weights: Path,
    changes: dict[str, Any],
    verdict: Verdict,
    what: str,
) -> None:
    node = start(graph, weights, alignment__source='disparity').until('active')
    with filming(graph, observer, node.namespace, more={'disparity': disparity(**changes)}):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    named = [f for f in findings if f.subject == 'measurement' and what in f.what]
    assert [f.verdict for f in named] == [verdict], findings
    node.close()


@pytest.mark.parametrize(
    ('x', 'verdict', 'what'),
    [
        (1.0, GOOD, '12 points'),
        (np.nan, FAULT, 'none of 0 points has an echo'),
        (None, FAULT, 'a cloud has y, z; x, y and z are needed'),
    ],
)
def test_what_is_wrong_with_a_cloud_is_named(
    graph: Graph, observer: Observer, weights: Path, x: float | None, verdict: Verdict, what: str
) -> None:
    def made(image: Image) -> PointCloud2:
        points = np.ones((12, 3), np.float32)
        points[:, 0] = 1.0 if x is None else x
        head = Header(stamp=image.header.stamp, frame_id='lidar')
        msg = cloud_to_message(points, head, is_dense=True)
        if x is None:
            msg.fields = msg.fields[1:]
        return msg

    node = start(graph, weights, alignment__source='points').until('active')
    with filming(graph, observer, node.namespace, more={'lidar_points': made}):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    named = [f for f in findings if f.subject == 'measurement']
    assert [f.verdict for f in named] == [verdict], findings
    assert what in named[0].what
    node.close()


def test_a_live_alignment_is_good(graph: Graph, observer: Observer, weights: Path) -> None:
    parameters = {'alignment__source': 'disparity', 'alignment__max_residual': 5.0}
    node = start(graph, weights, **parameters).until('active')
    with filming(graph, observer, node.namespace, more={'disparity': disparity()}):
        findings = examined(observer, node=f'{node.namespace}/mono_depth')
    assert only(findings, 'measurement').verdict is GOOD
    alignment = only(findings, 'alignment')
    # A slope is not what the network sees in noise: some scenes of it are refused.
    assert alignment.verdict in (GOOD, WARNING), findings
    node.close()


def test_simulated_time_without_a_clock(graph: Graph, observer: Observer, weights: Path) -> None:
    node = start(graph, weights, use_sim_time=True, autostart=False)
    with filming(graph, observer, node.namespace):
        found = only(examined(observer, node=f'{node.namespace}/mono_depth'), 'clock')
    assert found.verdict is FAULT
    assert 'use_sim_time true and nothing comes on /clock' in found.what
    node.close()

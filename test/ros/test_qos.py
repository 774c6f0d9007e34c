"""Who cannot be matched with whom, and how the node says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Running, wait_until
from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from sensor_msgs.msg import Image, PointCloud2

from mono_depth_ros.ros.qos import Mismatch, clashes

BEST_EFFORT, RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
LATCHED = DurabilityPolicy.TRANSIENT_LOCAL


def qos(**policies: object) -> QoSProfile:
    return QoSProfile(depth=1, **policies)


@pytest.mark.parametrize(
    ('offered', 'requested', 'found'),
    [
        ({}, {}, []),
        ({'reliability': RELIABLE}, {'reliability': BEST_EFFORT}, []),
        (
            {'reliability': BEST_EFFORT},
            {'reliability': RELIABLE},
            [('reliability', 'best_effort', 'reliable')],
        ),
        ({'durability': LATCHED}, {}, []),
        ({}, {'durability': LATCHED}, [('durability', 'volatile', 'transient_local')]),
        (
            {},
            {'liveliness': LivelinessPolicy.MANUAL_BY_TOPIC},
            [('liveliness', 'automatic', 'manual_by_topic')],
        ),
        ({'deadline': Duration(seconds=1)}, {}, []),
        ({}, {'deadline': Duration(seconds=1)}, [('deadline', 'inf s', '1 s')]),
        (
            {'deadline': Duration(seconds=2)},
            {'deadline': Duration(seconds=1)},
            [('deadline', '2 s', '1 s')],
        ),
        ({'deadline': Duration(seconds=1)}, {'deadline': Duration(seconds=2)}, []),
        (
            {'reliability': BEST_EFFORT},
            {'reliability': RELIABLE, 'durability': LATCHED},
            [
                ('reliability', 'best_effort', 'reliable'),
                ('durability', 'volatile', 'transient_local'),
            ],
        ),
    ],
)
def test_clashes_are_those_of_dds(
    offered: dict[str, object], requested: dict[str, object], found: list[tuple[str, str, str]]
) -> None:
    default = {'liveliness': LivelinessPolicy.AUTOMATIC, 'durability': DurabilityPolicy.VOLATILE}
    publisher, subscription = qos(**(default | offered)), qos(**(default | requested))
    assert clashes(publisher, subscription) == found
    judged, reason = qos_check_compatible(publisher, subscription)
    assert (judged == QoSCompatibility.OK) == (found == []), reason


def test_the_remedy_names_both_sides() -> None:
    clash = ('reliability', 'best_effort', 'reliable')
    found = Mismatch('/eye/image_raw', '/eye/driver', '/mono_depth', *clash)
    assert found.what == (
        '/eye/image_raw: nothing passes from /eye/driver, which offers reliability best_effort, '
        'to /mono_depth, which requests reliable'
    )
    assert found.remedy('/mono_depth') == (
        'publisher of /eye/driver: reliability reliable; or subscription of /mono_depth: '
        'parameter qos_overrides./eye/image_raw.subscription.reliability: best_effort'
    )


def start(graph: Graph, weights: Path, tmp_path: Path, overrides: str, namespace: str) -> Running:
    file = tmp_path / 'qos.yaml'
    file.write_text(f'/**:\n  ros__parameters:\n    qos_overrides:\n      {overrides}\n')
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start(parameters, '--params-file', str(file), namespace=namespace)
    return node.until('active')


def told(node: Running, level: bytes, *words: str) -> Callable[[DiagnosticArray], bool]:
    """Return what tells the report of a node about its quality of service."""
    name = f'{node.namespace[1:]}/mono_depth: quality of service'

    def matches(msg: DiagnosticArray) -> bool:
        mine = [s for s in msg.status if s.name == name and s.level == level]
        return any(all(word in s.message for word in words) for s in mine)

    return matches


def test_a_camera_that_cannot_be_heard_is_named_while_it_is_there(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    overrides = '/qa/image_raw: {subscription: {reliability: reliable}}'
    node = start(graph, weights, tmp_path, overrides, '/qa')
    reports = node.listen('/diagnostics', DiagnosticArray)
    peer = graph.peer
    camera = peer.do(
        lambda: peer.node.create_publisher(Image, '/qa/image_raw', qos(reliability=BEST_EFFORT))
    )
    what = '/qa/image_raw: nothing passes from /peer, which offers reliability best_effort'
    theirs = 'publisher of /peer: reliability reliable'
    ours = 'qos_overrides./qa/image_raw.subscription.reliability: best_effort'
    reports.wait(told(node, DiagnosticStatus.ERROR, what, theirs, ours))
    reports.wait(lambda _: len(reports.all()) >= 3)
    assert ours in node.logged(what).msg
    assert len(node.lines('nothing passes')) == 1
    graph.withdraw(camera)
    known = len(reports.all())
    healthy = told(node, DiagnosticStatus.OK, 'all matched')
    wait_until(lambda: any(map(healthy, reports.all()[known:])), 'the report without it')
    node.close()


def test_a_reader_that_cannot_hear_is_named(graph: Graph, weights: Path, tmp_path: Path) -> None:
    overrides = '/qb/mono_depth/depth/image_rect: {publisher: {reliability: best_effort}}'
    node = start(graph, weights, tmp_path, overrides, '/qb')
    reports = node.listen('/diagnostics', DiagnosticArray)
    graph.listen('/qb/mono_depth/depth/image_rect', Image)
    reports.wait(
        told(
            node,
            DiagnosticStatus.WARN,
            'to /peer, which requests reliable; publisher of /qb/mono_depth: parameter '
            'qos_overrides./qb/mono_depth/depth/image_rect.publisher.reliability: reliable; '
            'or subscription of /peer: reliability best_effort',
        )
    )
    node.close()


def test_a_reader_of_what_was_before_it_can_be_served_by_an_override(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    peer = graph.peer

    def read_latched(topic: str) -> None:
        profile = qos(reliability=RELIABLE, durability=LATCHED)
        peer.do(lambda: peer.node.create_subscription(PointCloud2, topic, lambda _: None, profile))

    node = start(graph, weights, tmp_path, '/qc/elsewhere: {}', '/qc')
    reports = node.listen('/diagnostics', DiagnosticArray)
    read_latched('/qc/mono_depth/points')
    remedy = 'qos_overrides./qc/mono_depth/points.publisher.durability: transient_local'
    reports.wait(told(node, DiagnosticStatus.WARN, 'offers durability volatile', remedy))
    node.close()

    overrides = '/qd/mono_depth/points: {publisher: {durability: transient_local}}'
    node = start(graph, weights, tmp_path, overrides, '/qd')
    read_latched('/qd/mono_depth/points')
    (points,) = [p for p in node.node.publishers if p.topic_name == '/qd/mono_depth/points']
    wait_until(points.get_subscription_count, 'the reader matched')
    node.close()

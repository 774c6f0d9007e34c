"""`mono_depth check --report`: what a bug report says of a graph, and what it keeps to itself."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cameras import filming
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from harness import FRAME_ID, Graph, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from mono_depth_ros.cli.check.findings import good
from mono_depth_ros.cli.check.graph_facts import changed_parameters
from mono_depth_ros.cli.check.report import Sections, as_text, graph_sections
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.core.settings import parameter_table
from mono_depth_ros.ros.node_settings import NodeSettings

CHANGED = {'max_depth': 12.5, 'scale': 0.75, 'alignment.source': 'scan'}


@pytest.fixture(scope='module')
def weights_at_home(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    home = tmp_path_factory.mktemp('home')
    (home / 'tiny.safetensors').symlink_to(weights)
    return home


@pytest.fixture(scope='module')
def reported(
    graph: Graph, observer: Observer, weights_at_home: Path
) -> Iterator[tuple[str, Sections]]:
    """Return the name of a node with a camera, and what is reported of it."""
    checkpoint = str(weights_at_home / 'tiny.safetensors')
    node = graph.start({'encoder': 'tiny', 'checkpoint': checkpoint, **CHANGED}).until('active')
    name = f'{node.namespace}/mono_depth'
    driver = DiagnosticStatus(name='camera: frames', level=DiagnosticStatus.WARN, message='hot')
    driver.values = [KeyValue(key='temperature', value='71')]
    observer.listen(DiagnosticArray, '/diagnostics')
    diagnostics = graph.advertise('/diagnostics', DiagnosticArray)
    depth = graph.listen(f'{name}/depth/image_rect', Image)

    found = [good('image', 'it comes')]

    def examine() -> list[Any]:
        graph.peer.node.get_logger().warning('the lens is dirty')
        wait_until(lambda: diagnostics.get_subscription_count() == 2, 'a reader of the report')
        diagnostics.publish(DiagnosticArray(status=[driver]))
        depth.wait(lambda _: True)
        return found

    with filming(graph, observer, node.namespace):
        sections, findings = graph_sections(observer, name, examine)
    assert findings is found
    yield name, sections
    graph.withdraw(diagnostics)
    graph.unlisten(depth)
    node.close()


def test_the_parameters_that_differ_are_told_and_no_others(
    reported: tuple[str, Sections], weights_at_home: Path
) -> None:
    name, sections = reported
    assert sections[f'Parameters of {name} that are not at their defaults'] == {
        'state': 'active',
        **{key: repr(value) for key, value in sorted(CHANGED.items())},
        'checkpoint': repr(str(weights_at_home / 'tiny.safetensors')),
        'encoder': "'tiny'",
    }


def test_topics_have_type_rate_size_and_both_ends(reported: tuple[str, Sections]) -> None:
    name, sections = reported
    topics, namespace = sections['Topics'], name.rpartition('/')[0]
    first, *ends = topics[f'{namespace}/image_raw'].splitlines()
    rate = re.fullmatch(r'sensor_msgs/msg/Image, ([\d.]+) Hz, ([\d.]+) MB', first)
    assert rate
    assert 2 < float(rate[1]) < 12  # of ten per second
    assert float(rate[2]) > 0
    assert ends == ['from /peer: reliable volatile', f'to {name}: best_effort volatile']
    depth = topics[f'{name}/depth/image_rect'].splitlines()
    assert re.match(r'sensor_msgs/msg/Image, (one so far|[\d.]+ Hz), ', depth[0])
    assert depth[1:] == [f'from {name}: reliable volatile', 'to /peer: reliable volatile']
    assert topics[f'{namespace}/scan'].startswith('sensor_msgs/msg/LaserScan, nobody publishes')
    assert f'{name}/points' in topics['not made, as nobody listens'].split(', ')


def test_diagnostics_log_and_findings_are_there(reported: tuple[str, Sections]) -> None:
    name, sections = reported
    diagnostics = sections['Diagnostics']
    assert diagnostics['camera: frames'] == 'warning: hot\ntemperature: 71'
    own = diagnostics[name.lstrip('/')]
    assert f'image topic: {name.rpartition("/")[0]}/image_raw' in own.splitlines()
    assert 'encoder: tiny' in own.splitlines()
    log = sections['Log: newest warnings and errors'].values()
    assert 'peer: warning: the lens is dirty' in log
    assert sections['Findings'] == {'1. image': 'ok: it comes', 'summary': 'Nothing is wrong.'}
    assert name in sections['Graph']['nodes'].split(', ')


def test_the_text_has_no_home_folder(
    reported: tuple[str, Sections], weights_at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('HOME', str(weights_at_home))
    text = as_text(reported[1])
    assert "checkpoint: '~/tiny.safetensors'" in text.splitlines()
    assert str(weights_at_home) not in text


@pytest.mark.skipif(find_spec('tf2_msgs') is None, reason='no tf2_msgs: `make test` builds one')
def test_frames_are_told_by_their_parents(graph: Graph, observer: Observer) -> None:
    from geometry_msgs.msg import TransformStamped
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    peer = graph.peer
    publisher = peer.do(lambda: peer.node.create_publisher(TFMessage, '/tf_static', latched))
    stamped = TransformStamped(child_frame_id=FRAME_ID)
    stamped.header.frame_id = 'base_link'
    publisher.publish(TFMessage(transforms=[stamped]))
    assert observer.wait(lambda: observer.publishers('/tf_static'), 20.0)
    heard = observer.listen(TFMessage, '/tf_static')

    def examine() -> list[Any]:
        assert observer.wait(lambda: heard.count, 20.0)
        return []

    sections, _ = graph_sections(observer, '/nobody/mono_depth', examine)
    assert sections['Frames'][FRAME_ID] == 'in base_link'
    graph.withdraw(publisher)


def test_without_a_node_the_cameras_are_told(graph: Graph, observer: Observer) -> None:
    offered = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    with filming(graph, observer, '/alone', qos=offered):
        sections, _ = graph_sections(observer, '/nobody/mono_depth', list)
    assert sections['Graph']['mono_depth'].startswith('no node /nobody/mono_depth runs')
    first, *ends = sections['Topics']['/alone/image_raw'].splitlines()
    assert re.match(r'sensor_msgs/msg/Image, [\d.]+ Hz, ', first)
    assert ends == ['from /peer: best_effort volatile']
    assert not [heading for heading in sections if heading.startswith('Parameters')]


def test_of_two_nodes_both_are_told_though_neither_is_examined(
    graph: Graph, observer: Observer, weights: Path
) -> None:
    settings = {'encoder': 'tiny', 'checkpoint': str(weights), 'autostart': False}
    nodes = [graph.start(settings) for _ in range(2)]
    names = [f'{node.namespace}/mono_depth' for node in nodes]
    assert observer.wait(lambda: set(names) <= set(observer.nodes()), 20.0)

    def examine() -> list[Any]:
        raise MonoDepthError('two run', 'name one')

    sections, findings = graph_sections(observer, '', examine)
    for name in names:
        told = sections[f'Parameters of {name} that are not at their defaults']
        assert (told['state'], told['autostart']) == ('unconfigured', 'False')
    assert findings == []
    assert sections['Findings'] == {'summary': 'two run; name one'}
    for node in nodes:
        node.close()


def test_defaults_are_not_told() -> None:
    defaults = {row.name: row.default for row in parameter_table(NodeSettings())}
    assert len(defaults) > 50
    assert changed_parameters(defaults) == {}
    assert changed_parameters(defaults | {'use_sim_time': False}) == {}
    changed = defaults | {'use_sim_time': True, 'max_depth': 3.0, 'from_the_future': 1}
    assert changed_parameters(changed) == {
        'use_sim_time': 'True',
        'max_depth': '3.0',
        'from_the_future': '1',
    }

"""`mono_depth check`: the graph that is empty, TF, the table, and the command itself."""

import itertools
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from cameras import BRIEF, examined, filming, only
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import FRAME_ID, Graph
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rich.console import Console
from sensor_msgs.msg import Image

from mono_depth_ros.cli.check.findings import (
    Verdict,
    fault,
    good,
    print_findings,
    summary,
    unchecked,
    warning,
)
from mono_depth_ros.cli.check.graph import (
    add_transforms,
    check_discovery,
    check_transforms,
    domains_in_use,
)
from mono_depth_ros.cli.check.running_node import RunningNode, check_depth
from mono_depth_ros.cli.main import main
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros import diagnostics
from mono_depth_ros.ros.ros_domain import claimed_domain

GOOD, WARNING, FAULT = Verdict.GOOD, Verdict.WARNING, Verdict.FAULT
has_tf2 = find_spec('tf2_msgs') is not None


def test_an_empty_graph_names_what_may_hide_the_others() -> None:
    environment = {'ROS_DOMAIN_ID': '42', 'ROS_LOCALHOST_ONLY': '1'}
    found = check_discovery([], environment)
    assert found.verdict is FAULT
    assert 'ROS_DOMAIN_ID 42' in found.what
    assert 'rmw_fastrtps_cpp' in found.what
    assert 'discovery range LOCALHOST' in found.what
    for word in ('RMW_IMPLEMENTATION', '--net=host', 'multicast'):
        assert word in found.remedy
    assert check_discovery(['/camera'], {}).what.startswith('1 other node(s) (ROS_DOMAIN_ID 0, ')


def test_domains_are_read_off_the_ports() -> None:
    def line(port: int) -> str:
        return f'  1: 00000000:{port:04X} 00000000:0000 07 0:0 00:0 0 0 0 1 2 0 0'

    # Port 7400 itself is bound by whoever looks, too.
    ports = (53, 7400, 7410, 7411, 17911, 7400 + 250 * 101 + 12, 45000)
    table = '\n'.join(['  sl  local_address rem_address', *map(line, ports)])
    assert domains_in_use(table) == [0, 42, 101]
    assert domains_in_use('') == []


def test_tools_do_not_count_as_nodes(graph: Graph, observer: Observer) -> None:
    daemon = Node('_ros2cli_daemon', context=graph.context)
    camera = Node('camera', context=graph.context)
    assert observer.wait(lambda: '/camera' in observer.nodes(), 20.0)
    assert observer.wait(lambda: '_ros2cli_daemon' in observer.node.get_node_names(), 20.0)
    assert '/_ros2cli_daemon' not in observer.nodes()
    daemon.destroy_node()
    camera.destroy_node()


def test_nodes_of_one_name_are_a_fault_where_they_are_examined(
    graph: Graph, observer: Observer
) -> None:
    twins = [Node('mono_depth', namespace='/same', context=graph.context) for _ in range(2)]
    others = [Node('rviz', context=graph.context) for _ in range(3)]
    assert observer.wait(lambda: observer.nodes().count('/rviz') == 3, 20.0)
    assert observer.wait(lambda: observer.nodes().count('/same/mono_depth') == 2, 20.0)
    found = examined(observer, BRIEF, node='/same/mono_depth')
    named = [(f.verdict, f.what) for f in found if f.subject == 'graph' and 'are named' in f.what]
    assert named == [
        (WARNING, '3 nodes are named /rviz'),
        (FAULT, '2 nodes are named /same/mono_depth'),
    ]
    assert all('namespace' in f.remedy for f in found if 'are named' in f.what)
    for node in (*twins, *others):
        node.destroy_node()
    assert observer.wait(lambda: '/same/mono_depth' not in observer.nodes(), 20.0)


def test_the_graph_settles_before_anything_is_examined(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def nodes() -> list[str]:
        if len(seen) < 7:
            seen.append(f'/node_{len(seen)}')
        return list(seen)

    monkeypatch.setattr(observer, 'nodes', nodes)
    observer.settle(0.3, 20.0)
    assert len(seen) == 7


def test_a_graph_that_never_settles_is_examined_all_the_same(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = itertools.count()
    monkeypatch.setattr(observer, 'nodes', lambda: [str(next(count))])
    began_s = time.monotonic()
    observer.settle(5.0, 0.3)
    assert time.monotonic() - began_s < 5.0


@pytest.mark.parametrize(('encoder', 'is_advised'), [('tiny', False), ('vits', True)])
def test_a_smaller_network_is_advised_only_where_there_is_one(
    observer: Observer, encoder: str, is_advised: bool
) -> None:
    node = RunningNode('/mono_depth')
    own = diagnostics.status('mono_depth', DiagnosticStatus.OK, 'ok', {'encoder': encoder})
    node.take(DiagnosticArray(status=[own]))
    found = check_depth('/depth', observer.listen(Image, '/depth'), node, 3.0)
    assert found.verdict is FAULT
    assert found.remedy.startswith('The node says: ok. ')
    assert ('try encoder: tiny' in found.remedy) is is_advised


@pytest.mark.skipif(not os.path.exists('/proc/net/udp'), reason='needs /proc')
def test_programs_of_this_machine_are_found_in_their_domain(graph: Graph) -> None:
    found = check_discovery([], {'ROS_DOMAIN_ID': '102'})
    own = os.environ['ROS_DOMAIN_ID']
    assert domains_named(found.remedy) >= {own}


def domains_named(remedy: str) -> set[str]:
    return set(remedy.partition('uses ROS_DOMAIN_ID ')[2].rstrip('.').split(', '))


def transforms(*pairs: tuple[str, str]) -> Any:
    return SimpleNamespace(
        transforms=[
            SimpleNamespace(child_frame_id=child, header=SimpleNamespace(frame_id=parent))
            for parent, child in pairs
        ]
    )


def tree(*pairs: tuple[str, str]) -> dict[str, str]:
    parents: dict[str, str] = {}
    add_transforms(parents, transforms(*pairs))
    return parents


@pytest.mark.parametrize(
    ('made', 'fixed_frame', 'verdict', 'what'),
    [
        (tree(('base', 'eye')), '', GOOD, 'eye -> base'),
        (tree(('odom', 'base'), ('base', 'eye')), 'odom', GOOD, 'eye -> base -> odom'),
        (tree(('odom', 'base'), ('base', 'eye'), ('odom', 'map')), 'map', GOOD, 'eye -> base'),
        (tree(('/base', '/eye')), 'base', GOOD, 'eye -> base'),
        (tree(), '', WARNING, "TF does not know 'eye'"),
        (tree(('odom', 'base')), '', WARNING, "TF does not know 'eye'"),
        (tree(('odom', 'base')), 'odom', FAULT, "no way from 'eye' to 'odom'; TF does not know"),
        (tree(('base', 'eye')), 'odom', FAULT, "TF does not know 'odom'"),
        (tree(('base', 'eye'), ('map', 'odom')), 'odom', FAULT, "no way from 'eye' to 'odom'"),
        (tree(('a', 'eye'), ('eye', 'a')), 'odom', FAULT, "TF does not know 'odom'"),
    ],
)
def test_the_frame_of_the_images_must_be_connected(
    made: dict[str, str], fixed_frame: str, verdict: Verdict, what: str
) -> None:
    found = check_transforms(made, 'eye', fixed_frame)
    assert found.verdict is verdict
    assert found.what.startswith(what) or what in found.what
    if verdict in (WARNING, FAULT):
        assert 'publish_tf' in found.remedy
        assert '--child-frame-id eye' in found.remedy


@pytest.mark.usefixtures('no_tf2_msgs')
def test_without_tf2_msgs_tf_is_not_checked(graph: Graph, observer: Observer) -> None:
    with filming(graph, observer, '/tfless'):
        found = only(examined(observer, image='/tfless/image_raw'), 'TF')
    assert found.verdict is Verdict.UNCHECKED
    assert found.what == 'tf2_msgs is not installed here (nobody publishes TF)'
    assert f'tf2_echo base_link {FRAME_ID}' in found.remedy


@pytest.mark.skipif(not has_tf2, reason='no tf2_msgs: `make test` builds one with g++')
def test_transforms_are_heard(graph: Graph, observer: Observer) -> None:
    from geometry_msgs.msg import TransformStamped
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    stamped = TransformStamped(child_frame_id=FRAME_ID)
    stamped.header.frame_id = 'base'
    peer = graph.peer
    publisher = peer.do(lambda: peer.node.create_publisher(TFMessage, '/tf_static', latched))
    publisher.publish(TFMessage(transforms=[stamped]))
    moving = TransformStamped(child_frame_id='base')
    moving.header.frame_id = 'odom'
    odometry = {'/tf': lambda _: TFMessage(transforms=[moving])}
    with filming(graph, observer, '/placed', more=odometry):
        placed = examined(observer, image='/placed/image_raw', fixed_frame='odom')
        lost = examined(observer, image='/placed/image_raw', fixed_frame='map')
    assert (only(placed, 'TF').verdict, only(placed, 'TF').what) == (
        GOOD,
        f'{FRAME_ID} -> base -> odom',
    )
    assert only(lost, 'TF').verdict is FAULT
    graph.withdraw(publisher)


def test_a_message_without_depth_on_the_depth_topic_is_named(observer: Observer) -> None:
    heard = observer.listen(Image, '/odd_depth')
    heard.put(Image(height=1, width=2, step=6, encoding='rgb8', data=[0] * 6))
    found = check_depth('/odd_depth', heard, RunningNode('/mono_depth'), 3.0)
    assert found.verdict is FAULT
    assert "encoding 'rgb8'" in found.what
    assert found.remedy == 'Is it /mono_depth that publishes there?'


def test_the_table_and_what_to_start_with(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [
        good('graph', '3 nodes'),
        warning('frame_id', 'it is [empty]', 'Set it.'),
        fault('image', 'nobody publishes it', 'Start the driver.'),
        unchecked('TF', 'no tf2_msgs'),
    ]
    print_findings(findings, Console(width=100))
    printed = capsys.readouterr().out
    for word in ('it is [empty]', 'Start the driver.', 'not checked', 'warning', 'fault', 'ok'):
        assert word in printed
    last = printed.strip().splitlines()[-1]
    assert last == '1 fault(s), 1 warning(s). Start with image: nobody publishes it'
    assert summary(findings[:2]).startswith('0 fault(s), 1 warning(s). Start with frame_id')
    assert summary([good('a', 'b'), unchecked('c', 'd')]) == 'Nothing is wrong.'


def test_exit_status_of_the_command(
    graph: Graph,
    observer: Observer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('COLUMNS', '200')
    with filming(graph, observer, '/shell'):
        assert main(['check', '--image', 'shell/image_raw']) == 0
        assert '/shell/image_raw: 64x48 px, rgb8' in capsys.readouterr().out
    with filming(graph, observer, '/void', spoil=lambda image, info: info.k.fill(0)):
        assert main(['check', '--image', '/void/image_raw']) == 1
    assert 'uncalibrated' in capsys.readouterr().out
    for wrong in (['--timeout', '0'], ['--timeout', '61'], ['--timeout', 'x'], ['--nonsense']):
        with pytest.raises(SystemExit, match='2'):
            main(['check', *wrong])


def test_an_empty_domain_ends_soon_with_one_fault() -> None:
    with claimed_domain() as number:
        done = subprocess.run(
            [sys.executable, '-m', 'mono_depth_ros.cli.main', 'check', '--timeout', '3'],
            env={**os.environ, 'ROS_DOMAIN_ID': str(number), 'COLUMNS': '200'},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f'no other node is seen (ROS_DOMAIN_ID {number}' in done.stdout
    assert 'Traceback' not in done.stderr

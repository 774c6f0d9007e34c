"""What the node offers: quality of service, and work only for whom it has an audience."""

from pathlib import Path

import pytest
from harness import Graph, Running, image, info_for, wait_until
from rclpy.qos import DurabilityPolicy, HistoryPolicy, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mono_depth_ros.core.pipeline import Output

TOPICS = {
    '~/depth/image_rect': (Image, Output.DEPTH),
    '~/color/image_rect': (Image, Output.COLOR),
    '~/depth/colormap': (Image, Output.COLORMAP),
    '~/relative_inverse_depth': (Image, Output.RELATIVE_INVERSE_DEPTH),
    '~/points': (PointCloud2, Output.POINTS),
    '~/points_clearing': (PointCloud2, Output.POINTS_CLEARING),
    '~/points_ground': (PointCloud2, Output.POINTS_GROUND),
    '~/points_nonground': (PointCloud2, Output.POINTS_NONGROUND),
}
COMPRESSED = ('~/depth/image_rect/compressedDepth', '~/depth/colormap/compressed')


PARAMETERS = {'scale': 1.0, 'alignment.camera_height': 0.2}


def wanted(node: Running) -> Output:
    return node.node.outputs.wanted()


def test_no_inference_where_nobody_listens(node: Running) -> None:
    sent = image()
    node.send(info_for(sent), sent)
    node.until_received(1)
    node.settle()
    wait_until(lambda: node.statistics.is_idle, 'the frame seen')
    assert node.statistics.processed == 0
    assert wanted(node) == Output(0)


@pytest.mark.parametrize('name', TOPICS)
def test_each_output_is_made_only_for_its_listeners(node: Running, name: str) -> None:
    kind, output = TOPICS[name]
    processed = node.statistics.processed
    box = node.listen(name, kind)
    assert wanted(node) == output
    sent = image()
    node.send(info_for(sent), sent)
    box.of(sent)
    node.settle()
    assert node.statistics.processed == processed + 1
    assert not node.statistics.is_idle
    node.graph.unlisten(box)
    wait_until(lambda: not wanted(node), f'{name} without a reader')
    unseen = image()
    node.send(info_for(unseen), unseen)
    wait_until(lambda: node.statistics.is_idle, 'the frame seen')
    assert node.statistics.processed == processed + 1


@pytest.mark.parametrize('name', ['~/depth/camera_info', '~/color/camera_info'])
def test_camera_info_alone_is_published(node: Running, name: str) -> None:
    box = node.listen(name, CameraInfo)
    sent = image()
    node.send(info_for(sent), sent)
    assert (box.of(sent).width, box.of(sent).height) == (64, 48)
    node.graph.unlisten(box)


def test_publishers_are_reliable_and_volatile(node: Running) -> None:
    names = [*TOPICS, *COMPRESSED, '~/depth/camera_info']
    own = {p.topic_name: p.qos_profile for p in node.node.publishers}
    for name in names:
        (seen,) = node.graph.peer.node.get_publishers_info_by_topic(node.topic(name))
        assert seen.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert seen.qos_profile.durability == DurabilityPolicy.VOLATILE
        qos = own[node.topic(name)]
        assert (qos.history, qos.depth) == (HistoryPolicy.KEEP_LAST, 2)


def test_qos_overrides_hold_and_survive_a_new_configuration(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'qos.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n    qos_overrides:\n'
        '      /q/mono_depth/points:\n        publisher: {reliability: best_effort, depth: 7}\n'
        '      /q/image_raw:\n        subscription: {reliability: reliable, depth: 3}\n'
    )
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start(parameters, '--params-file', str(file), namespace='/q').until('active')

    def overridden() -> None:
        (points,) = [p for p in node.node.publishers if p.topic_name == '/q/mono_depth/points']
        (images,) = [s for s in node.node.subscriptions if s.topic_name == '/q/image_raw']
        assert points.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert points.qos_profile.depth == 7
        assert images.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        assert images.qos_profile.depth == 3
        depth = node.topic('~/depth/image_rect')
        (other,) = [p for p in node.node.publishers if p.topic_name == depth]
        assert other.qos_profile.reliability == ReliabilityPolicy.RELIABLE

    overridden()
    for step in ('deactivate', 'cleanup', 'configure', 'activate'):
        assert node.change(step)
    overridden()
    node.close()


@pytest.mark.parametrize(
    ('namespace', 'topic', 'entity', 'policy', 'step'),
    [
        ('/a', '/mono_depth/points', 'publisher', 'reliability: fast', 'configure'),
        ('/b', '/mono_depth/points', 'publisher', 'depth: -1', 'configure'),
        ('/c', '/image_raw', 'subscription', 'history: all', 'activate'),
        ('/d', '/camera_info', 'subscription', 'depth: many', 'activate'),
        ('/e', '/disparity', 'subscription', 'reliability: fast', 'activate'),
    ],
)
def test_bad_qos_override_is_one_clear_error_and_leaves_nothing_open(
    graph: Graph,
    weights: Path,
    tmp_path: Path,
    namespace: str,
    topic: str,
    entity: str,
    policy: str,
    step: str,
) -> None:
    file = tmp_path / 'qos.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n    qos_overrides:\n'
        f'      {namespace}{topic}:\n        {entity}: {{{policy}}}\n'
    )
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'autostart': False,
    }
    parameters['alignment.source'] = 'disparity'
    node = graph.start(parameters, '--params-file', str(file), namespace=namespace)

    def entities() -> list[str]:
        return [e.topic_name for e in (*node.node.publishers, *node.node.subscriptions)]

    if step == 'activate':
        assert node.change('configure')
    before, state = entities(), node.state
    assert not node.change(step)
    line = node.logged(f'cannot {step}: qos_overrides of ')
    assert 'Traceback' not in line.msg
    assert entities() == before
    assert node.state == state
    node.close()


def test_bad_qos_override_of_a_new_source_leaves_the_old_ones(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    file = tmp_path / 'qos.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n    qos_overrides:\n'
        '      /f/disparity:\n        subscription: {reliability: fast}\n'
    )
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start(parameters, '--params-file', str(file), namespace='/f').until('active')
    depths = node.listen('~/depth/image_rect', Image)
    assert 'qos_overrides of disparity' in node.set(alignment__source='disparity')
    assert node.get('alignment.source') == 'none'
    sent = image()
    node.send(info_for(sent), sent)
    depths.of(sent)
    assert node.set(alignment__source='depth') == ''
    assert node.set(alignment__source='none') == ''
    node.close()

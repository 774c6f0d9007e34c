"""States and transitions, as a lifecycle manager sees them."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Running, image, info_for, picture, wait_until
from rclpy.logging import LoggingSeverity
from sensor_msgs.msg import CameraInfo, Image

from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result

MANUAL = {'encoder': 'tiny', 'variant': 'relative', 'scale': 1.0, 'autostart': False}


def depth_of(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, '<f4').reshape(msg.height, msg.width)


def topics(node: Running) -> list[str]:
    """Return the image and cloud topics that the node offers or reads, as the graph shows them."""
    peer = node.graph.peer.node
    name, namespace = 'mono_depth', node.namespace
    found = [
        *peer.get_publisher_names_and_types_by_node(name, namespace),
        *peer.get_subscriber_names_and_types_by_node(name, namespace),
    ]
    return sorted(topic for topic, kinds in found if kinds[0].startswith('sensor_msgs/'))


def test_autostart_ends_active(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'autostart': True})
    node.until('active')
    assert len(node.lines('loading encoder tiny')) == 1
    node.close()


def test_without_autostart_a_manager_decides(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    assert node.state == 'unconfigured'
    assert topics(node) == []
    assert node.node.shared.network is None
    assert node.change('configure')
    assert node.state == 'inactive'
    wait_until(lambda: len(topics(node)) == 13, 'outputs on the graph')
    assert node.change('activate')
    assert node.state == 'active'
    wait_until(lambda: f'{node.namespace}/image_raw' in topics(node), 'inputs on the graph')
    node.close()


def test_transition_that_the_state_lacks_is_refused(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    assert not node.change('activate')
    assert not node.change('cleanup')
    assert node.change('configure')
    assert not node.change('configure')
    assert node.state == 'inactive'
    node.close()


def test_a_manager_that_comes_after_autostart_is_told_what_to_set(
    graph: Graph, weights: Path
) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'autostart': True}).until('active')
    assert not node.change('configure')
    line = node.logged('refused: the node is active')
    assert 'set autostart: false' in line.msg
    assert node.state == 'active'
    node.close()


def test_manager_that_is_faster_than_autostart_loads_once(graph: Graph, weights: Path) -> None:
    parameters = {**MANUAL, 'checkpoint': str(weights), 'autostart': True}
    # The worker is kept from loading until the manager's request waits for it, too.
    node = graph.start(parameters, hold=True)
    with node.held():
        answer = node.ask('configure')
        wait_until(lambda: node.node.worker.waiting_calls >= 2, 'both requests')
    assert answer().success
    node.logged('no autostart')
    assert node.state == 'inactive'
    assert len(node.lines('loading encoder tiny')) == 1
    node.close()


def test_missing_weights_fail_at_once_and_name_the_command(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_CACHE', str(tmp_path))
    node = graph.start({'encoder': 'vits', 'variant': 'metric_outdoor', 'autostart': False})
    began = time.monotonic()
    assert not node.change('configure')
    assert time.monotonic() - began < 2.0
    line = node.logged('cannot configure')
    assert line.level == LoggingSeverity.ERROR
    assert '`mono_depth weights get vits metric_outdoor`' in line.msg
    assert 'set encoder to tiny' in line.msg
    assert node.state == 'unconfigured'
    node.close()


def test_weights_without_license_are_refused(graph: Graph) -> None:
    node = graph.start({'encoder': 'vitb', 'variant': 'relative', 'autostart': False})
    assert not node.change('configure')
    assert 'accept_noncommercial' in node.logged('CC-BY-NC-4.0').msg
    assert node.state == 'unconfigured'
    node.close()


def test_corrupt_checkpoint_leaves_the_node_ready_for_a_good_one(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / 'mine.safetensors'
    path.write_bytes(weights.read_bytes()[:100_000])
    node = graph.start({**MANUAL, 'checkpoint': str(path), 'autostart': True})
    reports = node.listen('/diagnostics', DiagnosticArray)
    line = node.logged('cannot load the network')
    assert f'{path} is damaged or no checkpoint' in line.msg
    assert 'Traceback' not in line.msg
    assert node.state == 'unconfigured'

    def told(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        return status.level == DiagnosticStatus.ERROR and str(path) in status.message

    reports.wait(told)
    assert not node.change('configure')
    assert len(node.lines('cannot')) == 2
    shutil.copy(weights, path)
    assert node.change('configure')
    assert node.change('activate')
    depths = node.listen('~/depth/image_rect', Image)
    sent = image()
    node.send(sent)
    assert np.isfinite(depth_of(depths.of(sent))).any()
    reports.wait(lambda msg: msg.status[0].message == 'ok')
    node.close()


def test_checkpoint_of_another_network_is_named(graph: Graph, weights: Path) -> None:
    node = graph.start(
        {'encoder': 'vits', 'variant': 'relative', 'checkpoint': str(weights), 'autostart': False}
    )
    assert not node.change('configure')
    assert 'encoder tiny' in node.logged('cannot configure').msg
    node.close()


def test_missing_checkpoint_is_named_at_once(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'none.safetensors'
    node = graph.start({**MANUAL, 'checkpoint': str(path)})
    assert not node.change('configure')
    assert f'{path} does not exist' in node.logged('cannot configure').msg
    node.close()


def test_deactivated_node_is_silent_and_can_go_on(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'autostart': True}).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    infos = node.listen('~/depth/camera_info', CameraInfo)
    first, unseen, last = image(), image(), image()
    node.send(info_for(first), first)
    depths.of(first)
    camera = node.publisher('image_raw', Image)
    assert node.change('deactivate')
    wait_until(lambda: camera.get_subscription_count() == 0, 'nobody reads the image')
    camera.publish(unseen)
    assert node.change('activate')
    wait_until(camera.get_subscription_count, 'somebody reads the image')
    node.send(info_for(last), last)
    depths.of(last)
    infos.of(last)
    assert not depths.has(unseen)
    assert node.statistics.processed == 2
    node.close()


def test_frame_in_work_is_through_before_deactivation_ends(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'autostart': True}).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    sent, waiting = image(), image()
    node.send(sent)
    depths.of(sent)
    with node.held():
        node.send(waiting)
        node.until_received(2)
        answer = node.ask('deactivate')
        wait_until(lambda: node.node.worker.waiting_calls >= 1, 'the transition waits')
    assert answer().success
    node.settle()
    assert node.statistics.processed == 1
    assert not depths.has(waiting)
    node.close()


def test_transitions_amid_a_stream_of_frames(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'input_size': 28})
    camera = graph.peer.do(
        lambda: graph.peer.node.create_publisher(Image, node.topic('image_raw'), 5)
    )
    stream = graph.peer.do(
        lambda: graph.peer.node.create_timer(0.005, lambda: camera.publish(image()))
    )
    depths = graph.listen(node.topic('~/depth/image_rect'), Image)
    for _ in range(4):
        assert node.change('configure')
        for _ in range(2):
            seen = len(depths.all())
            assert node.change('activate')
            depths.wait(lambda _, seen=seen: len(depths.all()) > seen + 2)
            assert node.change('deactivate')
        assert node.statistics.refused == 0
        assert node.change('cleanup')
    graph.peer.do(lambda: graph.peer.node.destroy_timer(stream))
    graph.withdraw(camera)
    assert [line for line in node.lines('') if line.level > LoggingSeverity.INFO] == []
    node.close()


def test_cleanup_frees_network_and_topics_and_configure_works_again(
    graph: Graph, weights: Path, step: Callable[..., Result]
) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    for _ in range(2):
        assert node.change('configure')
        assert node.node.shared.network.device == torch.device('cpu')
        assert node.change('activate')
        depths = node.listen('~/depth/image_rect', Image)
        sent = image(picture(seed=7))
        node.send(sent)
        expected = step(picture(seed=7), scale=1.0).depth
        np.testing.assert_allclose(depth_of(depths.of(sent)), expected, rtol=1e-5)
        node.graph.unlisten(depths)
        assert node.change('deactivate')
        assert node.change('cleanup')
        assert node.state == 'unconfigured'
        assert node.node.shared.network is None
        assert node.node.shared.network is None
        wait_until(lambda: topics(node) == [], 'no topics')
    node.close()


def test_twenty_rounds_leave_nothing_behind(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'input_size': 28})

    def entities() -> Counter[str]:
        own = node.node
        kinds = (own.publishers, own.subscriptions, own.services, own.timers, own.guards)
        return Counter(type(entity).__name__ for kind in kinds for entity in kind)

    before = entities()
    for _ in range(20):
        for transition in ('configure', 'activate', 'deactivate', 'cleanup'):
            assert node.change(transition)
        assert entities() == before
    assert node.node._managed_entities == set()
    node.close()


@pytest.mark.parametrize('state', ['unconfigured', 'inactive', 'active'])
def test_shutdown_from_every_state(graph: Graph, weights: Path, state: str) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    for transition in {'inactive': ['configure'], 'active': ['configure', 'activate']}.get(
        state, []
    ):
        assert node.change(transition)
    assert node.state == state
    assert node.change('shutdown')
    assert node.state == 'finalized'
    assert node.node.shared.network is None
    wait_until(lambda: topics(node) == [], 'no topics')
    node.close()


def test_what_needs_a_reload_changes_only_while_not_active(
    graph: Graph, weights: Path, other_weights: Path
) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    assert node.set(input_size=56) == ''
    assert node.change('configure')
    assert node.change('activate')
    reason = node.set(checkpoint=str(other_weights), max_depth=70.0)
    assert reason.startswith('checkpoint can change only while the node is not active')
    assert f'ros2 lifecycle set {node.namespace}/mono_depth deactivate' in reason
    assert node.get('checkpoint') == str(weights)
    assert node.get('max_depth') == 80.0
    assert node.set(checkpoint=str(weights), max_depth=70.0) == ''

    rgb = picture(seed=8)
    depths = node.listen('~/depth/image_rect', Image)

    def published_and_computed(path: Path, input_size: int) -> tuple[np.ndarray, np.ndarray]:
        sent = image(rgb)
        node.send(sent)
        settings = EstimatorSettings(
            'tiny', 'relative', checkpoint=str(path), input_size=input_size
        )
        pipeline = Pipeline(load_estimator(settings), PipelineSettings(scale=1.0, max_depth=70.0))
        expected = pipeline.step(rgb, None, Output.DEPTH).depth
        assert expected is not None
        return depth_of(depths.of(sent)), expected

    first, expected = published_and_computed(weights, 56)
    np.testing.assert_allclose(first, expected, rtol=1e-5)
    assert node.change('deactivate')
    assert node.set(checkpoint=str(other_weights), input_size=70) == ''
    assert node.change('activate')
    second, expected = published_and_computed(other_weights, 70)
    np.testing.assert_allclose(second, expected, rtol=1e-5)
    assert not np.allclose(first, second, rtol=1e-3, equal_nan=True)
    node.close()


def test_reload_that_fails_leaves_the_node_inactive_and_usable(
    graph: Graph, weights: Path, tmp_path: Path
) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights)})
    assert node.change('configure')
    assert node.set(checkpoint=str(tmp_path / 'gone.safetensors')) == ''
    assert not node.change('activate')
    assert 'gone.safetensors does not exist' in node.logged('cannot activate').msg
    assert node.state == 'inactive'
    assert node.set(checkpoint=str(weights)) == ''
    assert node.change('activate')
    assert node.state == 'active'
    node.close()


def test_device_that_is_missing_is_an_error(graph: Graph, weights: Path) -> None:
    node = graph.start({**MANUAL, 'checkpoint': str(weights), 'device': 'cuda:77'})
    assert not node.change('configure')
    assert "device is 'cuda:77'" in node.logged('cannot configure').msg
    assert node.state == 'unconfigured'
    node.close()

"""The last guard: whatever a callback raises, the node goes on and says so."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import FRAME_ID, Graph, Running, header, image, info_for
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, Imu
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.ros.simulated_camera import SimulatedStereoCamera

BEFORE_TIME = Time(sec=-1)


class UnforeseenError(Exception):
    """What no code of the package raises."""


def explode(*_: Any) -> Any:
    raise UnforeseenError('of a test')


async def explode_later(*_: Any) -> Any:
    raise UnforeseenError('of a test')


class Registered:
    """A callback as an executor finds it, and how to make it raise."""

    def __init__(self, name: str, callback: Callable[..., Any], arguments: list[Any]) -> None:
        self.name, self._callback, self._arguments = name, callback, arguments

    def explode(self) -> Any:
        """Have it raise, and return what the executor gets all the same."""
        variables = inspect.getclosurevars(self._callback).nonlocals
        assert 'callback' in variables, f'{self.name} is not guarded'
        names = self._callback.__code__.co_freevars
        cell = self._callback.__closure__[names.index('callback')]
        guarded = cell.cell_contents
        is_later = inspect.iscoroutinefunction(guarded)
        cell.cell_contents = explode_later if is_later else explode
        try:
            answer = self._callback(*self._arguments)
            return asyncio.run(answer) if is_later else answer
        finally:
            cell.cell_contents = guarded


def registered(node: Node) -> Iterator[Registered]:
    """Yield everything that an executor can call for a node."""
    for subscription in node.subscriptions:
        yield Registered(subscription.topic_name, subscription.callback, [None])
    for timer in node.timers:
        yield Registered('timer', timer.callback, [])
    for service in node.services:
        response = service.srv_type.Response()
        yield Registered(service.srv_name, service.callback, [None, response])
    for waitable in node.waitables:
        yield Registered(repr(waitable), waitable.execute, [None])
    for guard in node.guards:
        yield Registered('guard condition', guard.callback, [])
    for client in node.clients:
        pytest.fail(f'{client.srv_name}: who guards what waits for its answer?')
    for when in ('pre', 'on', 'post'):
        for callback in getattr(node, f'_{when}_set_parameters_callbacks'):
            yield Registered(f'{when} set parameters', callback, [[]])


@pytest.fixture(params=['disparity', 'ground'])
def node(graph: Graph, weights: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'use_sim_time': True,
        'alignment.source': request.param,
        'alignment.camera_height': 0.5,
        'alignment.camera_pitch_from': 'imu',
    }
    running = graph.start(parameters).until('active')
    yield running
    running.close()


def test_every_callback_of_the_node_may_raise(node: Running) -> None:
    found = list(registered(node.node))
    names = [callback.name for callback in found]
    measured = 'disparity' if node.node.shared.streams else 'imu'
    for name in ('image_raw', 'camera_info', measured):
        assert node.topic(name) in names
    assert {'/clock', 'timer', 'on set parameters', '~/snapshot'} <= set(names)
    for service in ('change_state', 'set_parameters_atomically'):
        assert any(name.endswith(f'/{service}') for name in names)
    for callback in found:
        answer = node.spun.do(callback.explode)
        if callback.name == 'on set parameters':
            assert answer.successful is False
            assert 'UnforeseenError' in answer.reason
        assert 'UnforeseenError' in node.node.failure
        node.node._failure = ''
    assert node.state == 'active'


def test_every_callback_of_the_simulated_camera_may_raise(graph: Graph) -> None:
    camera = SimulatedStereoCamera(context=graph.context, namespace='/guarded_camera')
    for callback in registered(camera):
        callback.explode()
    assert 'UnforeseenError' in camera.failure
    camera.destroy_node()


def test_what_raised_is_told_and_refused_and_the_next_call_works(
    graph: Graph, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start(parameters).until('active')
    reports = node.listen('/diagnostics', DiagnosticArray)
    depths = node.listen('~/depth/image_rect', Image)
    with monkeypatch.context() as patch:
        patch.setattr(node.node, '_apply', explode)
        patch.setattr(node.node.worker, 'call', explode)
        assert 'UnforeseenError' in node.set(max_depth=40.0)
        reset = graph.call(Trigger, node.topic('~/reset_alignment'), Trigger.Request())
        saved = node.snapshot()
        patch.setattr(node.node.worker, 'submit', explode)
        node.send(image())
        node.until_received(1)
    for answer in (reset, saved):
        assert answer.success is False
        assert 'UnforeseenError' in answer.message
    assert node.get('max_depth') == 80.0

    def is_told(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        return status.level == DiagnosticStatus.ERROR and 'UnforeseenError' in status.message

    assert node.namespace[1:] in reports.wait(is_told).status[0].name
    line = node.logged('_on_image failed; the node goes on')
    assert 'Traceback' in line.msg
    assert 'UnforeseenError' in line.msg
    good = image()
    node.send(good)
    assert np.isfinite(np.frombuffer(depths.of(good).data, '<f4')).any()
    assert node.set(max_depth=40.0) == ''
    node.close()


def test_the_log_is_not_flooded(graph: Graph, weights: Path) -> None:
    node = graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    ).until('active')
    for error in (UnforeseenError(1), UnforeseenError(2), UnforeseenError(3)):
        node.node.survive('some callback', error)
    assert len(node.lines('some callback failed')) == 1
    node.close()


def test_stamps_before_time_began_end_nothing(node: Running) -> None:
    """The class Time of rclpy refuses them, so that each of its callers would raise."""
    node.listen('~/depth/image_rect', Image)
    clock = node.graph.advertise('/clock', Clock)
    clock.publish(Clock(clock=BEFORE_TIME))
    node.logged('clock_callback failed')
    early = image(head=header(BEFORE_TIME))
    node.send(info_for(early), early)
    node.until_seen(early)
    assert node.statistics.last_failure.startswith('the stamp of the image is -1.0')
    if node.node.shared.streams:
        kind, name = DisparityImage, 'disparity'
    else:
        kind, name = Imu, 'imu'
    publisher = node.publisher(name, kind)
    publisher.publish(kind(header=header(BEFORE_TIME, FRAME_ID)))
    good = image()
    node.send(info_for(good), good)
    node.until_seen(good)
    assert node.statistics.last_failure == ''
    assert node.lines('_on_imu failed') == node.lines('_on_measurement failed') == []
    node.graph.withdraw(clock)

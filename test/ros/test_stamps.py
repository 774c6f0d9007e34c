"""Stamps that stand still, go astray or do not match, in the running node with a disparity."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from frames import FRAME_ID, camera, image, info_for, picture
from harness import Graph, Mailbox, Running, wait_until
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.ros.messages import depth_to_image

HEIGHT, WIDTH = 120, 160
SECOND = 10**9
HOUR = 3600 * SECOND
SCALE, SHIFT = 0.4, 0.1

Step = Callable[..., Result]


def scene(seed: int) -> np.ndarray:
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rgb = picture(HEIGHT, WIDTH, seed=seed) // 4
    rgb[HEIGHT // 2 :] += np.uint8(90)
    rgb[v > HEIGHT - u // 2] = (200, 60, 30)
    return rgb


def header(stamp_ns: int) -> Header:
    return Header(stamp=Time(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND), frame_id=FRAME_ID)


def plane(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, np.float32).reshape(msg.height, msg.width)


class Robot:
    """A node that is aligned by registered depth, and its camera."""

    def __init__(self, graph: Graph, weights: Path, step: Step) -> None:
        parameters = {
            'encoder': 'tiny',
            'variant': 'relative',
            'checkpoint': str(weights),
            'alignment.source': 'depth',
            'alignment.refit_period': 0.0,
            'alignment.smoothing': 0.0,
        }
        self.node: Running = graph.start(parameters).until('active')
        self.depths: Mailbox = self.node.listen('~/depth/image_rect', Image)
        self.fits: Mailbox = self.node.listen('~/alignment', DiagnosticArray)
        self.reports: Mailbox = self.node.listen('/diagnostics', DiagnosticArray)
        relative = step(scene(0)).relative_inverse_depth
        self.truth = (1 / (SCALE * relative + SHIFT)).astype(np.float32)

    def show(self, stamp_ns: int, seed: int = 0) -> np.ndarray:
        """Send an image and return its depth."""
        known = len(self.depths.all())
        msg = image(scene(seed), header(stamp_ns))
        self.node.send(info_for(msg, camera(HEIGHT, WIDTH)), msg)
        wait_until(lambda: len(self.depths.all()) > known, 'depth')
        self.node.settle()
        return plane(self.depths.all()[-1])

    def measure(self, stamp_ns: int) -> None:
        """Send what a sensor measures of the scene of seed 0."""
        msg = depth_to_image(self.truth, header(stamp_ns))
        self.node.publisher('registered_depth', Image).publish(msg)
        wait_until(lambda: self.node.node.shared.has_measurement, 'the measurement there')

    def align(self, stamp_ns: int) -> None:
        self.show(stamp_ns)
        self.measure(stamp_ns)
        self.show(stamp_ns + SECOND // 30)

    def is_right(self, depth: np.ndarray) -> bool:
        known = np.isfinite(depth)
        return bool(known.any() and np.median(np.abs(depth / self.truth - 1)[known]) < 0.03)

    def message(self, level: bytes, text: str) -> str:
        def told(msg: DiagnosticArray) -> bool:
            return msg.status[0].level == level and text in msg.status[0].message

        return str(self.reports.wait(told).status[0].message)

    def values(self) -> dict[str, str]:
        known = len(self.reports.all())
        wait_until(lambda: len(self.reports.all()) > known, 'a report')
        return {pair.key: pair.value for pair in self.reports.all()[-1].status[0].values}


@pytest.fixture
def robot(graph: Graph, weights: Path, step: Step) -> Iterator[Robot]:
    robot = Robot(graph, weights, step)
    yield robot
    robot.node.close()


@pytest.mark.parametrize('stamp_ns', [0, 1_700_000_000 * SECOND + 5])
def test_images_of_one_stamp_get_no_alignment_of_another(robot: Robot, stamp_ns: int) -> None:
    robot.show(stamp_ns)
    robot.measure(stamp_ns)
    assert np.isnan(robot.show(stamp_ns, seed=1)).all(), 'another scene'
    assert np.isnan(robot.show(stamp_ns, seed=2)).all()
    text = f'several images have the stamp {stamp_ns / 1e9:.9f} s'
    assert 'have the camera driver stamp every image' in robot.message(
        DiagnosticStatus.ERROR, text
    )
    robot.align(stamp_ns + 5 * SECOND)
    assert robot.is_right(robot.show(stamp_ns + 6 * SECOND))


def test_a_stray_stamp_costs_its_own_image_only(robot: Robot) -> None:
    robot.align(100 * SECOND)
    for k, stray in enumerate((HOUR, -SECOND // 200, -50 * SECOND, 0)):
        moment = 100 * SECOND + (k + 2) * SECOND // 10
        depth = robot.show(moment + stray, seed=0)
        assert robot.is_right(depth) == (abs(stray) < SECOND), stray
        assert robot.is_right(robot.show(moment + SECOND // 30)), stray
    assert robot.values()['time jumps'] == '0'


def test_a_jump_back_is_logged_counted_and_forgets(robot: Robot) -> None:
    robot.align(500 * SECOND)
    assert robot.is_right(robot.show(501 * SECOND))
    robot.show(20 * SECOND)
    assert np.isnan(robot.show(20 * SECOND + SECOND // 30)).all()
    robot.node.logged('time jumped back from 501.000000000 s to 20.033333333 s')
    assert robot.values()['time jumps'] == '1'
    robot.align(21 * SECOND)
    assert robot.is_right(robot.show(22 * SECOND))


@pytest.mark.parametrize('apart_ns', [-9_000_000, 237, -237, 19_000_000])
def test_a_measurement_is_fitted_to_the_nearest_image(robot: Robot, apart_ns: int) -> None:
    robot.show(50 * SECOND, seed=1)
    robot.show(51 * SECOND)
    robot.measure(51 * SECOND + apart_ns)
    robot.show(52 * SECOND)
    assert robot.is_right(robot.show(52 * SECOND + 1))


def test_an_exact_stamp_is_preferred(robot: Robot) -> None:
    robot.show(60 * SECOND)
    robot.show(60 * SECOND + 5_000_000, seed=1)
    robot.measure(60 * SECOND)
    robot.show(61 * SECOND)
    assert robot.is_right(robot.show(61 * SECOND + 1))


def test_a_measurement_without_an_image_names_the_nearest(robot: Robot) -> None:
    robot.show(70 * SECOND)
    robot.measure(70 * SECOND + 25_000_001)
    robot.show(71 * SECOND, seed=1)
    status = robot.fits.wait(lambda msg: msg.status[0].level != DiagnosticStatus.OK).status[0]
    assert '70.025000001 s' in status.message
    assert 'the nearest has 70.000000000 s, -0.025000001 s away' in status.message
    assert 'alignment.stamp_tolerance, 0.02 s' in status.message


def test_a_measurement_may_come_before_its_image(robot: Robot) -> None:
    robot.show(80 * SECOND, seed=1)
    robot.measure(80 * SECOND + 33_000_000)
    robot.show(80 * SECOND + 10_000_000, seed=2)
    assert robot.node.node.shared.has_measurement, 'its image may still come'
    robot.show(80 * SECOND + 33_000_000)
    assert robot.is_right(robot.show(80 * SECOND + 66_000_000))


def test_every_image_is_counted_once(robot: Robot) -> None:
    assert robot.node.set(max_rate=5.0) == ''
    for k in range(12):
        msg = image(scene(0), header(90 * SECOND + k * SECOND // 10))
        if k == 7:
            msg.step = 3
        robot.node.send(msg)
        robot.node.until_received(k + 1)
    robot.node.settle()
    wait_until(lambda: robot.node.statistics.in_work == 0, 'all images through')
    values = {key: int(value) for key, value in robot.values().items() if value.isdigit()}
    ends = ('processed', 'idle', 'dropped', 'failed', 'skipped by max_rate', 'in work')
    assert values['images received'] == 12 == sum(values[f'frames {end}'] for end in ends)
    assert values['frames skipped by max_rate'] == 6


def test_a_stamp_before_time_zero_is_refused_and_nothing_published(robot: Robot) -> None:
    msg = image(scene(0), Header(stamp=Time(sec=-1), frame_id=FRAME_ID))
    robot.node.send(msg)
    robot.node.until_seen(msg)
    assert robot.depths.all() == []
    assert 'the stamp of the image is -1.000000000 s' in robot.node.statistics.last_failure
    robot.align(10 * SECOND)
    assert robot.is_right(robot.show(11 * SECOND))


def test_no_clock_is_no_latency(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start({**parameters, 'use_sim_time': True}).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    reports = node.listen('/diagnostics', DiagnosticArray)
    msg = image(head=header(1_700_000_000 * SECOND))
    node.send(info_for(msg), msg)
    depths.of(msg)

    def told(report: DiagnosticArray) -> bool:
        return 'nothing comes on /clock' in report.status[0].message

    status = reports.wait(told).status[0]
    assert status.level == DiagnosticStatus.WARN
    assert 'latency p50 [ms]' not in {pair.key for pair in status.values}
    node.close()


def test_depth_known_nowhere_is_an_error_with_its_cause_and_no_cloud(
    graph: Graph, weights: Path
) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 250.0,
    }
    node = graph.start(parameters).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    clouds = node.listen('~/points', PointCloud2)
    reports = node.listen('/diagnostics', DiagnosticArray)
    for _ in range(3):
        msg = image()
        node.send(info_for(msg), msg)
        assert np.isnan(plane(depths.of(msg))).all()

    def told(report: DiagnosticArray) -> bool:
        return report.status[0].level == DiagnosticStatus.ERROR

    status = reports.wait(told).status[0]
    assert 'no pixel is known: the computed depth lies at' in status.message
    assert 'nearer than min_depth 0.1 m; check scale' in status.message
    values = {pair.key: pair.value for pair in status.values}
    assert values['known pixels [%]'] == '0.0'
    assert clouds.all() == []
    assert node.set(scale=1.0) == ''
    msg = image()
    node.send(info_for(msg), msg)
    assert clouds.of(msg).width > 0
    node.close()


def test_a_snapshot_is_a_listener(graph: Graph, weights: Path, step: Step, tmp_path: Path) -> None:
    """Nobody else listens; the fit that it needs is made for it."""
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'depth',
        'snapshot_folder': str(tmp_path),
    }
    node = graph.start(parameters).until('active')
    truth = 1 / (SCALE * step(scene(0)).relative_inverse_depth + SHIFT)
    measured = node.publisher('registered_depth', Image)
    answer = node.ask_snapshot()
    for k in range(100):
        msg = image(scene(0), header(30 * SECOND + k * SECOND // 10))
        node.send(info_for(msg, camera(HEIGHT, WIDTH)), msg)
        measured.publish(depth_to_image(truth.astype(np.float32), msg.header))
        node.until_received(k + 1)
        if list(tmp_path.iterdir()):
            break
    assert answer().success
    (saved,) = tmp_path.glob('*_depth.npy')
    assert np.nanmedian(np.abs(np.load(saved) / truth - 1)) < 0.03
    node.close()


def test_a_snapshot_that_cannot_be_says_why_in_time(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'depth',
    }
    node = graph.start(parameters).until('active')
    answer = node.ask_snapshot()
    assert 'no frame has come' in answer(timeout_s=10.0).message
    msg = image()
    node.send(CameraInfo(header=msg.header, width=64, height=48), msg)
    node.until_seen(msg)
    refused = node.snapshot()
    assert not refused.success
    assert 'no measurement of source depth was used' in refused.message
    node.close()

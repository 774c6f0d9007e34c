"""What the node tells about itself, and how often."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Mailbox, Running, header, image, info_for, seconds
from sensor_msgs.msg import CameraInfo, Image

from mono_depth_ros.core.files.camera_info import CheckedCameraInfo
from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.time_jumps import Stamp
from mono_depth_ros.ros.diagnostics import diagnose
from mono_depth_ros.ros.shared_state import SharedState
from mono_depth_ros.ros.statistics import Statistics

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def judged(
    statistics: Statistics, state: str = '', trouble: str = '', fresh: bool = True
) -> object:
    return diagnose(statistics, state, trouble, fresh)


def test_health_by_what_happened_last() -> None:
    statistics = Statistics()
    assert judged(statistics) == (OK, 'ok')
    statistics.fail('step is 3')
    assert judged(statistics) == (ERROR, 'frame lost: step is 3')
    statistics.succeed(0.1, 0.1, Result(None, FrameScale(None), 'set scale', 0.0))
    assert judged(statistics) == (ERROR, 'depth is not known: set scale')
    statistics.rest()
    assert judged(statistics) == (OK, 'idle: nobody listens to any output')
    statistics.succeed(0.1, 0.1, Result(None, FrameScale(None), '', 0.5))
    assert judged(statistics) == (OK, 'ok')
    for _ in range(3):
        statistics.take_stamp(5_000_000_001, Stamp.REPEATED)
    level, message = judged(statistics)
    assert level == WARN
    assert message.startswith(
        'stamps do not advance: 3 images in a row have the stamp 5.000000001'
    )
    statistics.take_stamp(6_000_000_000, Stamp.ADVANCED)
    assert judged(statistics, fresh=False) == (WARN, 'no image arrives')
    assert judged(statistics, state='not active') == (WARN, 'not active')
    assert judged(statistics, state='not active', trouble='no file') == (ERROR, 'no file')


PARAMETERS = {'scale': 1.0}


def test_one_report_per_second(node: Running, reports: Mailbox) -> None:
    reports.wait(lambda _: len(reports.all()) >= 3)
    first, _, third = (seconds(msg) for msg in reports.all()[:3])
    assert third - first == pytest.approx(2.0, abs=0.6)
    status = reports.all()[0].status[0]
    assert status.name == f'{node.namespace[1:]}/mono_depth'
    assert (status.level, status.message) == (WARN, 'no image arrives')


def test_report_of_frames_at_work(node: Running, reports: Mailbox) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    sent = image(head=header(node.node.get_clock().now().to_msg()))
    node.send(info_for(sent), sent)
    depths.of(sent)
    node.settle()
    status = reports.wait(lambda msg: msg.status[0].level == OK).status[0]
    values = {pair.key: pair.value for pair in status.values}
    assert status.message == 'ok'
    assert values['encoder'] == 'tiny'
    assert values['device'] == 'cpu'
    counts = ('images received', 'frames processed', 'frames failed', 'frames dropped')
    assert [values[name] for name in counts] == ['1', '1', '0', '0']
    assert float(values['latency p95 [ms]']) > float(values['step p95 [ms]'])
    assert float(values['step p50 [ms]']) > float(values['inference p50 [ms]']) > 0
    assert values['precision'] == 'float32'
    assert 100 < float(values['memory [MB]']) < 20_000
    assert 'GPU memory [MB]' not in values
    assert values['image topic'] == node.topic('image_raw')
    assert values['camera_info topic'] == node.topic('camera_info')
    assert values['depth topic'] == node.topic('~/depth/image_rect')


def test_a_camera_slower_than_the_reports_is_no_silent_one(
    node: Running, reports: Mailbox
) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    sent = image()
    node.send(info_for(sent), sent)
    depths.of(sent)
    known = len(reports.all())
    reports.wait(lambda _: len(reports.all()) >= known + 5)
    messages = [msg.status[0].message for msg in reports.all()[known:]]
    assert messages[:2] == ['ok', 'ok']
    assert messages[4] == 'no image arrives'


def test_rates_are_those_of_the_stream(node: Running, reports: Mailbox) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    known = len(reports.all())
    for _ in range(12):
        sent = image()
        node.send(info_for(sent), sent)
        depths.of(sent)
    node.settle()

    def counted(msg: DiagnosticArray) -> bool:
        values = {pair.key: pair.value for pair in msg.status[0].values}
        rates = [float(values[f'{name} [Hz]']) for name in ('images in', 'frames out')]
        return all(1.5 < rate < 15 for rate in rates)

    reports.wait(lambda msg: msg in reports.all()[known:] and counted(msg))


def part(msg: DiagnosticArray, name: str) -> DiagnosticStatus | None:
    """Return the line of a report about one thing."""
    return next((s for s in msg.status if s.name.endswith(f'/mono_depth: {name}')), None)


@pytest.mark.parametrize(
    ('spoil', 'level', 'words'),
    [
        (lambda info: None, OK, 'ok'),
        (lambda info: info.k.fill(0), ERROR, 'uncalibrated: K[0] is 0; calibrate the camera'),
        (lambda info: setattr(info, 'width', 40), ERROR, '40x48 px and the image has 64x48 px'),
        (lambda info: setattr(info, 'd', [0.1] * 5), WARN, 'if it is raw, set rectify to true'),
        (lambda info: setattr(info.header, 'frame_id', 'odd'), WARN, "is in frame 'odd'"),
        (lambda info: setattr(info.header.stamp, 'sec', 1), WARN, 'no camera_info has the stamp'),
    ],
)
def test_camera_info_is_looked_at(
    node: Running,
    reports: Mailbox,
    spoil: Callable[[CameraInfo], None],
    level: bytes,
    words: str,
) -> None:
    sent = image()
    info = info_for(sent)
    info.header = copy.deepcopy(sent.header)
    spoil(info)
    node.send(info, sent)

    def told(msg: DiagnosticArray) -> bool:
        status = part(msg, 'camera_info')
        return status is not None and status.level == level and words in status.message

    reports.wait(told)


def test_reports_come_though_the_clock_stands_still(graph: Graph) -> None:
    node = graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'autostart': False, 'use_sim_time': True}
    )
    reports = graph.listen('/diagnostics', DiagnosticArray)

    def mine(msg: DiagnosticArray) -> bool:
        return bool(msg.status[0].name == f'{node.namespace[1:]}/mono_depth')

    status = reports.wait(mine).status[0]
    assert (status.level, status.message) == (WARN, 'not active')
    node.close()


def test_a_missing_camera_info_is_a_fault_unless_fov_deg_stands_in(
    graph: Graph, weights: Path
) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start(parameters).until('active')
    reports = node.listen('/diagnostics', DiagnosticArray)
    node.send(image())
    topic = node.topic('camera_info')

    def told(level: bytes, words: str) -> Callable[[DiagnosticArray], bool]:
        def matches(msg: DiagnosticArray) -> bool:
            status = part(msg, 'camera_info')
            return status is not None and (status.level, words in status.message) == (level, True)

        return matches

    reports.wait(told(ERROR, f'no camera_info arrives on {topic}; start the camera driver'))
    assert node.set(fov_deg=60.0) == ''
    reports.wait(told(OK, 'none'))
    node.close()


def test_an_alignment_without_measurements_is_an_error(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'disparity',
    }
    node = graph.start(parameters).until('active')
    reports = node.listen('/diagnostics', DiagnosticArray)
    node.listen('~/depth/image_rect', Image)
    sent = image()
    node.send(info_for(sent), sent)

    def told(msg: DiagnosticArray) -> bool:
        status = part(msg, 'alignment')
        return status is not None and status.level == ERROR

    report = reports.wait(told)
    said = part(report, 'alignment').message
    assert 'no measurement of source disparity was used yet; nothing has come on ' in said
    values = {pair.key: pair.value for pair in report.status[0].values}
    assert values['measurement topic'] == node.topic('disparity')
    assert values['measurements in [Hz]'] == '0.0'
    node.close()


def test_an_alignment_that_nobody_needs_is_not_judged(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'disparity',
    }
    node = graph.start(parameters).until('active')
    reports = node.listen('/diagnostics', DiagnosticArray)
    sent = image()
    node.send(info_for(sent), sent)
    node.until_seen(sent)
    report = reports.wait(lambda msg: part(msg, 'camera_info') is not None)
    report = reports.wait(lambda msg: msg.header.stamp.sec > report.header.stamp.sec)
    assert part(report, 'alignment') is None
    node.listen('~/alignment', DiagnosticArray)
    reports.wait(lambda msg: part(msg, 'alignment') is not None)
    node.close()


def test_the_alignment_is_reported_while_the_next_frame_is_in_work() -> None:
    shared = SharedState()
    shared.scale = reported = object()  # type: ignore[assignment]
    shared.record(None, CheckedCameraInfo(None))
    assert shared.scale is reported

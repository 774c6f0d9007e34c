"""What the node tells about itself, and how often."""

from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Mailbox, Running, image, info_for, seconds
from sensor_msgs.msg import Image

from mono_depth_ros.ros.diagnostics import diagnose
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
    statistics.succeed(0.1, 0.1, 0.1, 'set scale')
    assert judged(statistics) == (ERROR, 'depth is not known: set scale')
    statistics.idle()
    assert judged(statistics) == (OK, 'idle: nobody listens to any output')
    statistics.succeed(0.1, 0.1, 0.1, '')
    assert judged(statistics) == (OK, 'ok')
    assert judged(statistics, fresh=False) == (WARN, 'no image arrives')
    assert judged(statistics, state='not active') == (WARN, 'not active')
    assert judged(statistics, state='not active', trouble='no file') == (ERROR, 'no file')


@pytest.fixture(scope='module')
def node(graph: Graph, weights: Path) -> Running:
    parameters = {'encoder': 'tiny', 'checkpoint': str(weights), 'scale': 1.0}
    return graph.start(parameters).until('active')


@pytest.fixture(scope='module')
def reports(node: Running) -> Mailbox:
    return node.listen('/diagnostics', DiagnosticArray)


def test_one_report_per_second(node: Running, reports: Mailbox) -> None:
    reports.wait(lambda _: len(reports.all()) >= 3)
    first, _, third = (seconds(msg) for msg in reports.all()[:3])
    assert third - first == pytest.approx(2.0, abs=0.6)
    (status,) = reports.all()[0].status
    assert status.name == f'{node.namespace[1:]}/mono_depth'
    assert (status.level, status.message) == (WARN, 'no image arrives')


def test_report_of_frames_at_work(node: Running, reports: Mailbox) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    sent = image()
    node.send(info_for(sent), sent)
    depths.of(sent)
    node.settle()
    (status,) = reports.wait(lambda msg: msg.status[0].level == OK).status
    values = {pair.key: pair.value for pair in status.values}
    assert status.message == 'ok'
    assert values['encoder'] == 'tiny'
    assert values['device'] == 'cpu'
    counts = ('images received', 'frames processed', 'frames failed', 'frames dropped')
    assert [values[name] for name in counts] == ['1', '1', '0', '0']
    assert float(values['step p50 [ms]']) > 0
    assert float(values['latency p95 [ms]']) > float(values['step p95 [ms]'])


def test_reports_come_though_the_clock_stands_still(graph: Graph) -> None:
    node = graph.start({'encoder': 'tiny', 'autostart': False, 'use_sim_time': True})
    reports = graph.listen('/diagnostics', DiagnosticArray)

    def mine(msg: DiagnosticArray) -> bool:
        return bool(msg.status[0].name == f'{node.namespace[1:]}/mono_depth')

    (status,) = reports.wait(mine).status
    assert (status.level, status.message) == (WARN, 'not active')
    node.close()

"""`mono_depth check` compares the clouds that arrive with the frames that the node reports."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from harness import Graph, header
from sensor_msgs.msg import PointCloud2

from mono_depth_ros.cli.check.clouds import check_clouds
from mono_depth_ros.cli.check.findings import Verdict
from mono_depth_ros.cli.check.running_node import RunningNode
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.ros.messages import cloud_to_message

REPORT_EVERY = 10


@contextmanager
def publishing(graph: Graph, name: str, every: int) -> Iterator[None]:
    """Publish one of so many clouds, and reports of all, under the name of a node."""
    clouds = graph.advertise(f'/{name}/points', PointCloud2)
    reports = graph.advertise('/diagnostics', DiagnosticArray)
    message = cloud_to_message(np.ones((10, 3), np.float32), header(), is_dense=True)
    ended = threading.Event()

    def run() -> None:
        for count in itertools.count(1):
            if ended.wait(0.02):
                return
            if count % every == 0:
                clouds.publish(message)
            if count % REPORT_EVERY == 0:
                values = [KeyValue(key='frames processed', value=str(count))]
                reports.publish(
                    DiagnosticArray(status=[DiagnosticStatus(name=name, values=values)])
                )

    thread = threading.Thread(target=run)
    thread.start()
    yield
    ended.set()
    thread.join()
    for publisher in (clouds, reports):
        graph.withdraw(publisher)


@pytest.mark.parametrize(
    ('every', 'verdict', 'said'),
    [(1, Verdict.GOOD, ' Hz, 0.0 MB each'), (4, Verdict.FAULT, 'clouds came')],
)
def test_clouds_that_get_lost_are_counted(
    graph: Graph, observer: Observer, every: int, verdict: Verdict, said: str
) -> None:
    name = f'eye{every}/mono_depth'
    node = RunningNode(f'/{name}')
    observer.subscribe(DiagnosticArray, '/diagnostics', node.take)
    heard = observer.listen(PointCloud2, f'/{name}/points')
    assert heard.newest is None
    with publishing(graph, name, every):
        assert observer.wait(node.has_reported, 10.0)
        (found,) = check_clouds(observer, node, 5.0)
    assert found.verdict is verdict, found
    assert said in found.what
    assert ('fastdds_large.xml' in found.remedy) == (verdict is Verdict.FAULT)


def test_a_topic_of_another_name_is_not_judged(observer: Observer) -> None:
    assert check_clouds(observer, RunningNode('/nobody/mono_depth'), 0.2) == []

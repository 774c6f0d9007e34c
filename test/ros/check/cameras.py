"""Cameras that do one thing wrong, and what `mono_depth check` finds of them."""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from harness import FRAME_ID, Graph, image, info_for
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from mono_depth_ros.cli.check.examination import Patience, Request, examine
from mono_depth_ros.cli.check.findings import Finding, Verdict
from mono_depth_ros.cli.observer import Observer

PATIENCE = Patience(discovery_s=7.0, settling_s=0.2, answer_s=3.0, stream_s=2.0, depth_s=20.0)
BRIEF = replace(PATIENCE, discovery_s=1.0, answer_s=1.0)
"""Where what is waited for never comes; what there is has been seen before."""
SEEN_S = 20.0
PERIOD_S = 0.1

Pair = tuple[Image, CameraInfo]


def pair(graph: Graph, frame_id: str = FRAME_ID) -> Pair:
    """Return an image taken now and its camera_info."""
    stamp = graph.peer.node.get_clock().now().to_msg()
    picture = image(head=Header(stamp=stamp, frame_id=frame_id))
    info = info_for(picture)
    info.header = copy.deepcopy(picture.header)
    return picture, info


class Camera:
    """Publishes from a thread of its own until it is closed.

    Args:
        graph: Whose peer publishes.
        namespace: Of its topics.
        spoil: Changes an image and its camera_info before they are published.
        topics: Message types of what it publishes, by name: of `image_raw` and `camera_info` any.
        qos: Of its publishers.
        more: Makes further messages of an image, by the name of their topic.

    Attributes:
        topics: Full names.
    """

    def __init__(
        self,
        graph: Graph,
        namespace: str,
        spoil: Callable[[Image, CameraInfo], Any] = lambda image, info: None,
        topics: tuple[str, ...] = ('camera_info', 'image_raw'),
        qos: QoSProfile | None = None,
        more: dict[str, Callable[[Image], Any]] | None = None,
    ) -> None:
        self._graph = graph
        self._spoil = spoil
        self._more = more or {}
        self._qos = qos or QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
        kinds = {'image_raw': Image, 'camera_info': CameraInfo}
        kinds = {name: kinds[name] for name in topics}
        kinds |= {name: type(make(pair(graph)[0])) for name, make in self._more.items()}
        self._publishers = {
            name: self._advertised(kind, name if name[0] == '/' else f'{namespace}/{name}')
            for name, kind in kinds.items()
        }
        self._ended = threading.Event()
        self.topics = [publisher.topic_name for publisher in self._publishers.values()]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop publishing."""
        self._ended.set()
        self._thread.join(10.0)
        for publisher in self._publishers.values():
            self._graph.withdraw(publisher)

    def _advertised(self, kind: type, topic: str) -> Publisher:
        node = self._graph.peer.node
        return self._graph.peer.do(lambda: node.create_publisher(kind, topic, self._qos))

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_S):
            picture, info = pair(self._graph)
            made = {'image_raw': picture, 'camera_info': info}
            made |= {name: make(picture) for name, make in self._more.items()}
            self._spoil(picture, info)
            for name, publisher in self._publishers.items():
                publisher.publish(made[name])


@contextmanager
def filming(graph: Graph, observer: Observer, namespace: str, **options: Any) -> Iterator[None]:
    """Have a camera publish that an observer has seen."""
    camera = Camera(graph, namespace, **options)
    try:
        assert observer.wait(lambda: all(map(observer.publishers, camera.topics)), SEEN_S)
        yield
    finally:
        camera.close()


def examined(observer: Observer, patience: Patience = PATIENCE, **asked: str) -> list[Finding]:
    """Return what `mono_depth check` finds."""
    return examine(observer, Request(**asked), patience)


def only(findings: list[Finding], subject: str) -> Finding:
    """Return the one finding on a subject."""
    found = [finding for finding in findings if finding.subject == subject]
    assert len(found) == 1, f'{subject}: {found} of {findings}'
    return found[0]


def faults(findings: list[Finding]) -> list[str]:
    """Return the subjects with a fault."""
    return [finding.subject for finding in findings if finding.verdict is Verdict.FAULT]

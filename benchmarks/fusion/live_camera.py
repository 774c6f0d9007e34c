"""A camera and a sensor in front of the running node, and what the node makes of them."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from mono_depth_ros.ros.messages import camera_to_info, nanoseconds, rgb_to_image
from mono_depth_ros.simulation.rig import StereoFrame

from ..alignment.live import RIG
from .live_sensors import SENSORS, LiveSensor

RATE_HZ = 5
LATE_S = 0.01
ANSWER_S = 30.0
_PATIENCE_S = 0.05
_COUNTS = ('frames processed', 'frames fused')


class Errors(NamedTuple):
    """AbsRel of depth at all pixels, at those not given and given, and the share that is known."""

    everywhere: float
    not_given: float
    given: float
    known: float


@dataclass(eq=False)
class Turn:
    """What the node made of the images of one turn, or of several with the same settings.

    Attributes:
        sent: Number of images.
        latencies_s: From publishing an image to its depth at a subscriber.
        depths: View of each depth, and the depth (H, W) [m].
        processed: Frames, by the node's diagnostics.
        fused: Those with a measurement of their own in their depth.
        cpu_s: Processor time of the node [s].
    """

    sent: int = 0
    latencies_s: list[float] = field(default_factory=list)
    depths: list[tuple[int, np.ndarray]] = field(default_factory=list)
    processed: int = 0
    fused: int = 0
    cpu_s: float = 0.0

    def errors(self, frames: list[StereoFrame], given: list[np.ndarray]) -> dict[int, Errors]:
        """Return the errors of each view that was answered."""
        found: dict[int, list[Errors]] = {}
        for view, depth in self.depths:
            truth = frames[view].depth.numpy()
            found.setdefault(view, []).append(_errors(depth, truth, given[view]))
        return {view: Errors(*np.nanmean(errors, axis=0)) for view, errors in found.items()}


class LiveCamera:
    """Sends views and their measurements, and keeps what comes back.

    Args:
        node: Whose publishers and subscriptions it uses.
        frames: The views.

    Attributes:
        turn: What is recorded; may be replaced.
        number: Of the next view; they go there and back.
        sensor: What measures the views, None for nothing.
    """

    def __init__(self, node: Node, frames: list[StereoFrame]) -> None:
        self.turn = Turn()
        self.number = 0
        self.sensor: LiveSensor | None = None
        self._node = node
        self._frames = frames
        self._sent: dict[int, tuple[Turn, int, float]] = {}
        self._counts: dict[str, int] = {}
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._image = node.create_publisher(Image, 'image_raw', 2)
        self._info = node.create_publisher(CameraInfo, 'camera_info', 2)
        self._measured = {
            sensor.topic: node.create_publisher(sensor.message, sensor.topic, 2)
            for sensor in SENSORS
        }
        qos = QoSProfile(depth=10)
        node.create_subscription(Image, '/mono_depth/depth/image_rect', self._on_depth, qos)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos)
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._at(time.monotonic(), lambda: self._shoot(time.monotonic()))

    def run(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Send and listen until `done`; return whether it was within the time."""
        deadline = time.monotonic() + timeout_s
        while not done():
            now = time.monotonic()
            if now > deadline:
                return False
            while self._events and self._events[0][0] <= now:
                heapq.heappop(self._events)[2]()
            wait_s = self._events[0][0] - time.monotonic()
            self._executor.spin_once(timeout_sec=min(max(wait_s, 0.0), _PATIENCE_S))
        return True

    def next_counts(self) -> tuple[int, int]:
        """Wait for the next diagnostics; return the frames processed and fused so far."""
        self._counts = {}
        if not self.run(lambda: bool(self._counts), ANSWER_S):
            raise TimeoutError(f'no diagnostics came within {ANSWER_S} s')
        processed, fused = (self._counts[name] for name in _COUNTS)
        return processed, fused

    def _at(self, moment_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment_s, next(self._numbers), act))

    def _shoot(self, due_s: float) -> None:
        """Send a view, then its measurement, and the next view at its time."""
        last = len(self._frames) - 1
        view = last - abs(last - self.number % (2 * last))
        self.number += 1
        stamp = self._node.get_clock().now()
        header = Header(stamp=stamp.to_msg(), frame_id='camera')
        self._sent[stamp.nanoseconds] = self.turn, view, time.monotonic()
        self.turn.sent += 1
        self._info.publish(camera_to_info(RIG.camera, header))
        self._image.publish(rgb_to_image(self._frames[view].left.numpy(), header))
        if self.sensor is not None:
            publisher, message = self._measured[self.sensor.topic], self.sensor.at(view, header)
            self._at(time.monotonic() + LATE_S, lambda: publisher.publish(message))
        # A camera that is late does not catch up with a burst.
        due_s = max(due_s + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
        self._at(due_s, lambda: self._shoot(due_s))

    def _on_depth(self, message: Image) -> None:
        sent = self._sent.pop(nanoseconds(message.header.stamp), None)
        if sent is None:
            return
        turn, view, sent_s = sent
        turn.latencies_s.append(time.monotonic() - sent_s)
        depth = np.frombuffer(message.data, np.float32).reshape(message.height, message.width)
        turn.depths.append((view, depth))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if all(name in values for name in _COUNTS):
                self._counts = {name: int(values[name]) for name in _COUNTS}


def _errors(depth: np.ndarray, truth: np.ndarray, given: np.ndarray) -> Errors:
    known = np.isfinite(depth) & np.isfinite(truth)
    error = np.where(known, np.abs(depth - truth) / truth, np.nan)
    parts = (error[flags] for flags in (known, known & ~given, known & given))
    return Errors(*(float(p.mean()) if p.size else np.nan for p in parts), float(known.mean()))

"""A camera at 15 Hz and a matcher that is late, in front of the running node."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from rcl_interfaces.msg import Log
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale.stereo_matching import (
    MatchingSettings,
    match_disparity,
)
from mono_depth_ros.ros.messages import camera_to_info, nanoseconds, rgb_to_image
from mono_depth_ros.ros.simulated_camera import disparity_message
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

RATE_HZ = 15
EVERY = 5
"""Frames for one that is matched."""
LATE_S = 0.3
VIEWS = 150
SEED = 1
RIG = StereoRig(PinholeCamera.from_fov(320, 240, 75.0), 0.1)
MATCHING = MatchingSettings()
_PATIENCE_S = 0.05
_WARN = 30
"""Log.WARN, which is a byte in some distributions and a number in others."""


@dataclass(eq=False)
class Answer:
    """What became of an image that was sent.

    Attributes:
        stamp: Of the image [ns].
        sent_s: When.
        view: Which it shows.
        latency_s: Until its depth was here, None as long as it is not.
        abs_rel: Mean relative error of its depth, NaN if it is not known.
    """

    stamp: int
    sent_s: float
    view: int
    latency_s: float | None = None
    abs_rel: float = float('nan')

    @property
    def is_metric(self) -> bool:
        """Whether depth came, and is known."""
        return self.latency_s is not None and np.isfinite(self.abs_rel)


@dataclass(eq=False)
class Record:
    """All that was sent and came back.

    Attributes:
        answers: To images, in the order they were sent.
        disparities: Stamp [ns] and time of sending [s] of each.
        warnings: Time [s] and text of what the node warned of.
    """

    answers: list[Answer] = field(default_factory=list)
    disparities: list[tuple[int, float]] = field(default_factory=list)
    warnings: list[tuple[float, str]] = field(default_factory=list)


def render() -> list[StereoFrame]:
    """Return the views of a drive at the camera's rate."""
    drive = Drive(SEED)
    return [RIG.capture(drive.scene, drive.pose_at(k / RATE_HZ), seed=k) for k in range(VIEWS)]


class LiveRig:
    """Sends views there and back, and records what the node answers.

    Args:
        node: Whose publishers and subscriptions it uses.
        frames: The views.

    Attributes:
        is_plugged: Whether disparities are sent.
        record: What has happened so far; may be replaced.
    """

    def __init__(self, node: Node, frames: list[StereoFrame]) -> None:
        self.is_plugged = False
        self.record = Record()
        self._node = node
        self._frames = frames
        self._disparities = {
            k: disparity_message(
                match_disparity(frame.left, frame.right, MATCHING), RIG, MATCHING, Header()
            )
            for k, frame in enumerate(frames)
            if k % EVERY == 0
        }
        self._sent: dict[int, Answer] = {}
        self._count = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._image = node.create_publisher(Image, 'image_raw', 2)
        self._info = node.create_publisher(CameraInfo, 'camera_info', 2)
        self._disparity = node.create_publisher(DisparityImage, 'disparity', 2)
        qos = QoSProfile(depth=10)
        node.create_subscription(Image, '/mono_depth/depth/image_rect', self._on_depth, qos)
        node.create_subscription(Log, '/rosout', self._on_log, QoSProfile(depth=100))
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._at(time.monotonic(), lambda: self._shoot(0, time.monotonic()))

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

    def run_for(self, duration_s: float) -> None:
        """Send and listen for a while."""
        self.run(lambda: False, duration_s)

    def _at(self, moment_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment_s, next(self._count), act))

    def _shoot(self, number: int, due_s: float) -> None:
        """Send a frame, have its disparity sent later, and the next frame at its time."""
        last = VIEWS - 1
        view = last - abs(last - number % (2 * last))
        stamp = self._node.get_clock().now()
        header = Header(stamp=stamp.to_msg(), frame_id='camera')
        answer = Answer(stamp.nanoseconds, time.monotonic(), view)
        self._sent[answer.stamp] = answer
        self.record.answers.append(answer)
        self._info.publish(camera_to_info(RIG.camera, header))
        self._image.publish(rgb_to_image(self._frames[view].left.numpy(), header))
        if view in self._disparities and self.is_plugged:
            self._at(answer.sent_s + LATE_S, lambda: self._send_disparity(view, header))
        # A camera that is late does not catch up with a burst.
        due_s = max(due_s + 1 / RATE_HZ, time.monotonic() - 1 / RATE_HZ)
        self._at(due_s, lambda: self._shoot(number + 1, due_s))

    def _send_disparity(self, view: int, header: Header) -> None:
        if not self.is_plugged:
            return
        message = self._disparities[view]
        message.header = message.image.header = header
        self._disparity.publish(message)
        self.record.disparities.append((nanoseconds(header.stamp), time.monotonic()))

    def _on_depth(self, message: Image) -> None:
        answer = self._sent.pop(nanoseconds(message.header.stamp), None)
        if answer is None:
            return
        answer.latency_s = time.monotonic() - answer.sent_s
        depth = np.frombuffer(message.data, np.float32).reshape(message.height, message.width)
        truth = self._frames[answer.view].depth.numpy()
        error = np.abs(depth - truth) / truth
        if np.isfinite(error).any():
            answer.abs_rel = float(np.nanmean(error))

    def _on_log(self, line: Log) -> None:
        if line.level >= _WARN and line.name == 'mono_depth':
            self.record.warnings.append((time.monotonic(), line.msg))

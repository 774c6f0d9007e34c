"""What gives the images of a bag their scale: a topic that measures the same view."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..core.camera.calibration import CameraCalibration
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import AlignmentError, CalibrationError
from ..core.scale.depth_measurement import DepthMeasurement, measure_disparity
from ..core.scale.depth_source import depth_message_measurement
from ..core.scale.disparity_source import disparity_message_measurement
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from .bags import Bag
from .frames import Frame, limited
from .recorded import Recorded, rgb_of
from .registration import require_registered

Observe = Callable[[Any, Frame, PinholeCamera | None], DepthMeasurement]
"""What a message says about a frame and its camera."""


def topic_observer(bag: Bag, images: str, topic: str, matching: MatchingSettings) -> Observe:
    """Return how the messages of a topic are read: disparity, depth, or right images.

    Args:
        bag: Where both topics are.
        images: The topic that is measured.
        topic: The topic that measures.
        matching: How right images are matched.

    Raises:
        RecordingError: There is no such topic.
        CalibrationError: Depth is not registered, or a pair not calibrated, or not rectified.
    """
    holds = bag.topics[topic].holds if topic in bag.topics else ''
    if holds == 'disparity':
        return lambda message, _, camera: disparity_message_measurement(message, camera)
    if holds == 'depth':
        require_registered(bag, topic)
        return lambda message, _, camera: depth_message_measurement(message, camera)
    right = bag.calibration(bag.picture_topic(topic))
    return _matcher(topic, bag.calibration(images), right, matching)


@dataclass(frozen=True)
class MeasuredTopic:
    """A topic beside the images; see `Measuring`.

    Attributes:
        images: The topic that is measured.
        topic: The topic that measures.
        matching: How right images are matched.
    """

    images: str
    topic: str
    matching: MatchingSettings
    _opened: dict[Path, tuple['_Follower', Observe]] = field(default_factory=dict)

    def begin(self, path: Path) -> None:
        """Look at both topics of a bag.

        Raises:
            MonoDepthError: One is missing, or they are not of the same view.
        """
        bag = Bag(path)
        images = bag.picture_topic(self.images)
        observe = topic_observer(bag, images, self.topic, self.matching)
        self._opened[path] = _Follower(bag, self.topic), observe

    def observe(self, path: Path, frame: Frame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what the message of the stamp of a frame says.

        Raises:
            AlignmentError: There is none.
        """
        follower, observe = self._opened[path]
        return observe(follower.at(frame.stamp_ns), frame, camera)


class _Follower:
    """Messages of one topic, found by stamps that grow."""

    def __init__(self, bag: Bag, topic: str) -> None:
        self._topic = topic
        self._messages: Iterator[Recorded] = bag.messages(topic)
        self._next = next(self._messages, None)

    def at(self, stamp_ns: int) -> Any:
        """Return the message of exactly this stamp [ns]."""
        while self._next is not None and self._next.stamp_ns() < stamp_ns:
            self._next = next(self._messages, None)
        if self._next is None or self._next.stamp_ns() != stamp_ns:
            raise AlignmentError(f'{self._topic} has nothing at {stamp_ns / 1e9:.6f} s')
        return self._next.message()


def _matcher(
    topic: str,
    left: CameraCalibration | None,
    right: CameraCalibration | None,
    matching: MatchingSettings,
) -> Observe:
    """Return what matches a left image with a message of the right one.

    Raises:
        CalibrationError: The pair is not calibrated, not rectified, or has no baseline.
    """
    if left is None or right is None:
        raise CalibrationError(f'images to be matched with {topic} and it need a camera_info each')
    if not (left.is_rectified and right.is_rectified):
        raise CalibrationError(
            f'{topic} or the images to be matched with it are not rectified: D, R or K and P of '
            'their camera_info say so; rectify them first (image_proc)'
        )
    (f, _, cx_right, tx), *_ = right.P
    baseline_m = -tx / f
    if not baseline_m > 0:
        raise CalibrationError(
            f'camera_info of {topic} has P[3] = {tx}; that of a right camera is -f * baseline < 0'
        )
    doffs_px = cx_right - left.P[0][2]

    def observe(message: Any, frame: Frame, _: PinholeCamera | None) -> DepthMeasurement:
        right = torch.tensor(limited(rgb_of(message), max(frame.rgb.shape[:2])))
        disparity = match_disparity(torch.tensor(frame.rgb), right, matching)
        size = frame.reduction
        return measure_disparity(disparity, size * f, baseline_m, doffs_px=size * doffs_px)

    return observe

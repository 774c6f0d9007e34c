"""One camera of a bag: its images with their calibrations, and what measures the same view."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..core.camera.calibration import CameraCalibration
from ..core.camera.decoding import DecodingSettings
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import AlignmentError, CalibrationError
from ..core.files.camera_info import calibration_from_info
from ..core.files.color_messages import ColorDecoder
from ..core.scale.depth_measurement import (
    DepthMeasurement,
    measure_depth,
    measure_disparity,
    require_same_view,
)
from ..core.scale.disparity_source import disparity_message_measurement
from ..core.scale.image_texture import without_guesses
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from .bags import Bag, Recorded, depth_of
from .images import ImageFrame, Kind, LazyFrame, ReadingSettings, limited

Observe = Callable[[Any, ImageFrame, PinholeCamera | None], DepthMeasurement]
"""Makes a measurement of a message, the frame of its stamp and the frame's camera."""


class BagCamera:
    """The images of one topic of a bag; see `ImageSource`.

    A topic '' is found. `passing` is called with every message, in order, before an image among
    them is yielded.

    Raises:
        RecordingError: It is no bag, or the topic is missing or not clear.
    """

    def __init__(self, path: Path, stem: str, reading: ReadingSettings, topic: str = '') -> None:
        self.path = path
        self.stem = stem
        self.kind: Kind = 'bag'
        self.bag = Bag(path)
        self.topic = self.bag.find_topic('picture', topic)
        self.count: int | None = self.bag.topics[self.topic].count
        self.is_rectified = _is_called_rectified(self.topic)
        self.passing: Callable[[Recorded], None] | None = None
        self.reading = reading
        self._decoder = ColorDecoder(reading)
        self._info_topic = self.bag.info_topic(self.topic)
        # An image may come before the first camera_info does.
        self._calibration, self._refused = self.bag.calibration(self.topic), ''

    def items(self) -> Iterator[LazyFrame]:
        """Yield the images, named by their stamps, and pass all messages on meanwhile."""
        wanted = [self.topic, *filter(None, [self._info_topic])]
        for recorded in self.bag.messages(*([] if self.passing else wanted)):
            if self.passing is not None:
                self.passing(recorded)
            if recorded.topic == self._info_topic:
                self._take_info(recorded.message())
            elif recorded.topic == self.topic:
                stamp = recorded.stamp_ns or recorded.logged_ns
                name = f'{self.stem}/{stamp // 1_000_000_000}_{stamp % 1_000_000_000:09d}'
                load = partial(self._load, recorded, self._calibration, self._refused)
                yield LazyFrame(name, load, self.path, recorded.stamp_ns)

    def _take_info(self, info: Any) -> None:
        try:
            self._calibration, self._refused = calibration_from_info(info), ''
        except CalibrationError as error:
            self._calibration = None
            self._refused = f'camera_info on {self._info_topic} is not used: {error}'

    def _load(
        self, recorded: Recorded, calibration: CameraCalibration | None, refused: str
    ) -> ImageFrame:
        message = recorded.message()
        full = self._decoder.rgb(message)
        rgb = limited(full, self.reading.max_side)
        return ImageFrame(
            rgb,
            recorded.stamp_ns,
            calibration,
            message.header.frame_id,
            recorded.logged_ns,
            rgb.shape[1] / full.shape[1],
            refused,
        )


def _is_called_rectified(topic: str) -> bool:
    return re.search('[/_]rect', topic) is not None


@dataclass(frozen=True)
class MeasuredTopic:
    """A topic that measures the topic `images`, which '' finds; see `Measuring`.

    Right images are matched by `matching`.
    """

    images: str
    topic: str
    matching: MatchingSettings
    reading: ReadingSettings
    _opened: dict[Path, tuple['_Follower', Observe]] = field(default_factory=dict)

    def begin(self, path: Path) -> None:
        """Look at both topics of a bag: are they there, and of the same view?"""
        bag = Bag(path)
        images = bag.find_topic('picture', self.images)
        observe = topic_observer(bag, images, self.topic, self.matching, self.reading)
        self._opened[path] = _Follower(bag, self.topic), observe

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what the message of the stamp of a frame says."""
        follower, observe = self._opened[path]
        return observe(follower.at(frame.stamp_ns), frame, camera)

    def doubts(self) -> str:
        """Name nothing; see `Measuring`."""
        return ''


class _Follower:
    """Messages of one topic, found by stamps that grow."""

    def __init__(self, bag: Bag, topic: str) -> None:
        self._topic = topic
        self._messages = bag.messages(topic)
        self._next = next(self._messages, None)

    def at(self, stamp_ns: int) -> Any:
        """Return the message of exactly this stamp [ns]."""
        while self._next is not None and self._next.stamp_ns < stamp_ns:
            self._next = next(self._messages, None)
        if self._next is None or self._next.stamp_ns != stamp_ns:
            raise AlignmentError(f'{self._topic} has nothing at {stamp_ns / 1e9:.6f} s')
        return self._next.message()


def topic_observer(
    bag: Bag, images: str, topic: str, matching: MatchingSettings, reading: DecodingSettings
) -> Observe:
    """Return what makes measurements of a topic's messages: disparity, depth, or right images.

    Raises:
        RecordingError: There is no such topic.
        CalibrationError: Depth is not registered, or a pair not calibrated, or not rectified.
    """
    holds = bag.topics[topic].holds if topic in bag.topics else ''
    if holds == 'disparity':
        return _observe_disparity
    if holds == 'depth':
        require_registered(bag, topic)
        return _observe_depth
    right = bag.calibration(bag.find_topic('picture', topic))
    left = bag.calibration(images)
    if left is None or right is None:
        raise CalibrationError(f'images to be matched with {topic} and it need a camera_info each')
    for name, calibration in ((images, left), (topic, right)):
        # image_proc publishes image_rect beside the camera_info of the raw image.
        if not (calibration.is_rectified or _is_called_rectified(name)):
            raise CalibrationError(
                f'{name} is not rectified: D, R or K and P of its camera_info say so',
                'rectify both first (image_proc); topics called rect... are taken as rectified',
            )
    return _matcher(topic, left, right, matching, ColorDecoder(reading))


def _observe_depth(
    message: Any, _: ImageFrame | None, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a depth message says, raw or compressed."""
    depth = depth_of(message)
    if camera is not None:
        height, width = depth.shape
        require_same_view(width, height, 0.0, camera, 'registered depth')
    return measure_depth(torch.from_numpy(depth))


def require_registered(bag: Bag, depth_topic: str) -> None:
    """Refuse depth of another field of view than a picture's, where both are calibrated."""
    depth = bag.calibration(depth_topic)
    for topic in bag.topics.values() if depth is not None else ():
        picture = bag.calibration(topic.name) if topic.holds == 'picture' else None
        if depth is None or picture is None:
            continue
        seen = depth.rectified_camera()
        view = picture.rectified_camera()
        try:
            require_same_view(seen.width, seen.height, seen.fx, view, depth_topic)
        except CalibrationError as error:
            remedy = (
                f'register the depth to {topic.name} first, as depth_image_proc::register does'
            )
            raise CalibrationError(str(error), remedy) from error


def _observe_disparity(
    message: Any, frame: ImageFrame, camera: PinholeCamera | None
) -> DepthMeasurement:
    measurement = disparity_message_measurement(message, camera)
    return without_guesses(measurement, torch.tensor(frame.rgb))


def _matcher(
    topic: str,
    left: CameraCalibration,
    right: CameraCalibration,
    matching: MatchingSettings,
    decoder: ColorDecoder,
) -> Observe:
    """Return what matches a left image with a message of the right one."""
    (f, _, cx_right, tx), *_ = right.P
    baseline_m = -tx / f
    if not baseline_m > 0:
        raise CalibrationError(
            f'camera_info of {topic} has P[3] = {tx}; that of a right camera is -f * baseline < 0'
        )
    doffs_px = cx_right - left.P[0][2]

    def observe(message: Any, frame: ImageFrame, _: PinholeCamera | None) -> DepthMeasurement:
        right = torch.tensor(limited(decoder.rgb(message), max(frame.rgb.shape[:2])))
        disparity = match_disparity(torch.tensor(frame.rgb), right, matching)
        size = frame.reduction
        return measure_disparity(disparity, size * f, baseline_m, doffs_px=size * doffs_px)

    return observe

"""One camera of a bag: its images with their calibrations."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError
from ..core.files.camera_info import calibration_from_info
from ..core.files.color_messages import ColorDecoder
from ..core.scale.depth_measurement import require_same_view
from .bags import Bag, Recorded
from .images import ImageFrame, Kind, LazyFrame, ReadingSettings, limited


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
        self.is_rectified = is_called_rectified(self.topic)
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


def is_called_rectified(topic: str) -> bool:
    """Say whether a topic is named like those of rectified images."""
    return re.search('[/_]rect', topic) is not None


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

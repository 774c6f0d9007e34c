"""The images of a bag, each with its calibration."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError
from ..core.files.calibration_messages import calibration_from_info
from .bags import Bag
from .frames import Frame, Item, Kind, limited
from .recorded import Recorded, rgb_of, stamp_ns


class BagSource:
    """One camera of a bag; see `Source`.

    Args:
        path: The bag.
        stem: What its outputs are called.
        max_side: Larger images are reduced to this [px].
        topic: Of the images; '' finds it.

    Attributes:
        kind: What it is.
        fps: Images per second.
        topic: Of the images.
        passing: Called with every message, in order, before an image among them is yielded.

    Raises:
        RecordingError: It is no bag, or the topic is missing or not clear.
    """

    def __init__(self, path: Path, stem: str, max_side: int, topic: str = '') -> None:
        self.path = path
        self.stem = stem
        self.kind: Kind = 'bag'
        self.bag = Bag(path)
        self.topic = self.bag.picture_topic(topic)
        self.count = self.bag.topics[self.topic].count
        with self.bag.reader() as reader:
            seconds = reader.duration / 1e9
        self.fps = (self.count - 1) / seconds if self.count > 1 and seconds > 0 else 1.0
        self.passing: Callable[[Recorded], None] | None = None
        self._max_side = max_side
        self._info_topic = self.bag.info_topic(self.topic)
        # An image may come before the first camera_info does.
        self._calibration = self.bag.calibration(self.topic)

    @property
    def is_rectified(self) -> bool:
        """Whether the topic's name says so."""
        return re.search('[/_]rect', self.topic) is not None

    def items(self) -> Iterator[Item]:
        """Yield the images, named by their stamps, and pass all messages on meanwhile.

        Raises:
            RecordingError: The bag is damaged from here on.
        """
        wanted = [self.topic, *filter(None, [self._info_topic])]
        for recorded in self.bag.messages(*([] if self.passing else wanted)):
            if self.passing is not None:
                self.passing(recorded)
            if recorded.topic == self._info_topic:
                self._take_calibration(recorded)
            elif recorded.topic == self.topic:
                yield self._item(recorded)

    def _take_calibration(self, recorded: Recorded) -> None:
        try:
            self._calibration = calibration_from_info(recorded.message())
        except CalibrationError:
            self._calibration = None

    def _item(self, recorded: Recorded) -> Item:
        calibration = self._calibration
        stamp = recorded.stamp_ns() or recorded.logged_ns
        name = f'{self.stem}/{stamp // 1_000_000_000}_{stamp % 1_000_000_000:09d}'
        load = partial(self._frame, recorded, calibration)
        return Item(name, load, self.path, recorded.stamp_ns())

    def _frame(self, recorded: Recorded, calibration: CameraCalibration | None) -> Frame:
        message = recorded.message()
        full = rgb_of(message)
        rgb = limited(full, self._max_side)
        return Frame(
            rgb,
            stamp_ns(message),
            calibration,
            message.header.frame_id,
            recorded.logged_ns,
            rgb.shape[1] / full.shape[1],
        )

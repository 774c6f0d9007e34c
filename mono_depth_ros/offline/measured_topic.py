"""A topic of a bag that measures the view of its images, message by message."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import RecordingError
from ..core.scale.depth_measurement import DepthMeasurement
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.sensor_reading import SensorReading
from ..core.scale.stereo_matching import MatchingSettings
from .bags import Bag, Content, Recorded
from .images import ImageFrame, ReadingSettings
from .measuring import Measuring, required_camera
from .sensor_places import SensorPlaces
from .topic_observer import Observe, topic_observer

_PROJECTED = ('points', 'scan', 'range')
_JUMP_NS = 1_000_000_000
"""Messages that were only recorded out of order are less than that apart."""


@dataclass
class _OpenedTopic:
    """What is read of a bag, and what became of it.

    Attributes:
        messages: Of the topic that measures.
        images: Of the topic that is measured.
        observe: Makes measurements of messages.
        holds: What the messages hold.
        places: Where the sensor stood.
        missing: Why the latest image was not measured, '' if it was.
    """

    messages: '_NearestMessages'
    images: '_NearestMessages'
    observe: Observe
    holds: Content
    places: SensorPlaces
    missing: str = ''


@dataclass(frozen=True)
class MeasuredTopic(Measuring):
    """A topic that measures the topic `images`; see `Measuring`.

    '' finds `images`, and the topic that holds what the source is. A message belongs to the image
    nearest in time, within `alignment.stamp_tolerance`. Right images are matched by `matching`;
    sensors are placed by `alignment.sensor_pose`, or else by the transforms in the bag.

    Attributes:
        images: Topic that is measured.
        topic: Topic that measures.
        matching: Of right images.
        reading: Of right images.
        alignment: See above.
        source: One of those in `alignment`, '' for the only one.
    """

    images: str
    topic: str
    matching: MatchingSettings
    reading: ReadingSettings
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    source: str = ''
    _opened: dict[Path, _OpenedTopic] = field(default_factory=dict)

    @property
    def is_projected(self) -> bool:
        """Whether points are projected into the image; see `Measuring`."""
        return any(opened.holds in _PROJECTED for opened in self._opened.values())

    def begin(self, path: Path) -> None:
        """Look at both topics of a bag: are they there, and of the same view?"""
        bag = Bag(path)
        images = bag.find_topic('picture', self.images)
        source = self.source or self.alignment.source
        topic = self.topic or bag.find_topic(cast(Content, source))
        places = SensorPlaces(bag, source, self.alignment)
        observe = topic_observer(bag, images, topic, self.matching, self.reading, places.reading)
        self._opened.clear()
        self._opened[path] = _OpenedTopic(
            _NearestMessages(bag, topic),
            _NearestMessages(bag, images),
            observe,
            bag.topics[topic].holds,
            places,
        )

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement | SensorReading | None:
        """Return what the message that belongs to a frame says, None if none does."""
        opened = self._opened[path]
        found = self._found(opened, frame.stamp_ns)
        if found is None:
            return None
        message = found.message()
        return opened.observe(message, frame, required_camera(path, camera))

    def doubts(self) -> str:
        """Say why the latest image was not measured; see `Measuring`."""
        return ' '.join(opened.missing for opened in self._opened.values())

    def note(self) -> str:
        """Say what is wrong with stamps and frames; see `Measuring`."""
        for opened in self._opened.values():
            if opened.places.doubt:
                return opened.places.doubt
            if astray := opened.messages.astray:
                return f'{opened.messages.topic}: messages whose stamps are out of line: {astray}'
        return ''

    def _found(self, opened: _OpenedTopic, stamp_ns: int) -> Recorded | None:
        topic, tolerance_s = opened.messages.topic, self.alignment.stamp_tolerance
        found = opened.messages.nearest(stamp_ns)
        opened.missing = f'{topic} has nothing at {stamp_ns / 1e9:.6f} s'
        if found is None:
            return None
        apart_ns = abs(found.stamp_ns - stamp_ns)
        if apart_ns > tolerance_s * 1e9:
            opened.missing += (
                f': the nearest is {apart_ns / 1e9:.3f} s away, and alignment.stamp_tolerance is '
                f'{tolerance_s:g} s'
            )
            return None
        image = opened.images.nearest(found.stamp_ns) if apart_ns else None
        if image is not None and abs(image.stamp_ns - found.stamp_ns) < apart_ns:
            opened.missing += f': the nearest belongs to the image at {image.stamp_ns / 1e9:.6f} s'
            return None
        opened.missing = ''
        return found


class _NearestMessages:
    """Messages of one topic of a bag, found by stamps that grow, or jump back as theirs do.

    Attributes:
        topic: Its name.
        astray: Messages that are not used, since their stamps are not in line with others.
    """

    def __init__(self, bag: Bag, topic: str) -> None:
        self.topic = topic
        self.astray = 0
        self._messages = self._in_line(bag.messages(topic))
        self._before: Recorded | None = None
        self._behind = next(self._messages, None)

    def nearest(self, stamp_ns: int) -> Recorded | None:
        """Return the message whose stamp [ns] is nearest, None if there is none."""
        if self._before is not None and stamp_ns < self._before.stamp_ns - _JUMP_NS:
            while self._is_forward:
                self._advance()
            self._before = None
        while self._is_forward and self._behind is not None and self._behind.stamp_ns < stamp_ns:
            self._advance()
        near = [message for message in (self._before, self._behind) if message is not None]
        return min(near, key=lambda message: abs(message.stamp_ns - stamp_ns), default=None)

    @property
    def _is_forward(self) -> bool:
        """Whether there is a next message, and it is not from before a jump of time."""
        if self._before is None or self._behind is None:
            return self._behind is not None
        return self._before.stamp_ns <= self._behind.stamp_ns

    def _advance(self) -> None:
        self._before, self._behind = self._behind, next(self._messages, None)

    def _in_line(self, messages: Iterator[Recorded]) -> Iterator[Recorded]:
        """Yield messages but those whose stamp neither neighbor agrees with: it is damaged.

        Where the bag breaks off, its images say so.
        """
        before_ns, held = 0, None
        with suppress(RecordingError):
            for message in messages:
                if held is not None:
                    is_gap = before_ns <= message.stamp_ns
                    if is_gap and not before_ns <= held.stamp_ns <= message.stamp_ns:
                        self.astray += 1
                    else:
                        before_ns = held.stamp_ns
                        yield held
                held = message
        if held is not None:
            yield held

"""Bags of ROS 2 read without ROS: their messages, topics and calibrations."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError, RecordingError
from ..core.files.camera_info import calibration_from_info
from ..core.files.depth_messages import DEPTH_ENCODINGS, compressed_to_depth, image_to_depth
from ..core.files.encodings import ENCODINGS
from ..core.files.planar_encodings import PLANAR
from ..core.parsing import parsing
from .bag_reader import BagReader, open_bag

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
DISPARITY_IMAGE = 'stereo_msgs/msg/DisparityImage'
POINT_CLOUD = 'sensor_msgs/msg/PointCloud2'
LASER_SCAN = 'sensor_msgs/msg/LaserScan'
RANGE = 'sensor_msgs/msg/Range'

Content = Literal['picture', 'depth', 'disparity', 'points', 'scan', 'range', 'camera_info', '']
_DESCRIBED = {
    'picture': 'topic of color or gray images',
    'depth': 'topic of depth images',
    'disparity': 'topic of disparity images',
    'points': 'topic of clouds of points',
    'scan': 'topic of laser scans',
    'range': 'topic of ranges',
}
_HELD: dict[str, Content] = {
    CAMERA_INFO: 'camera_info',
    DISPARITY_IMAGE: 'disparity',
    POINT_CLOUD: 'points',
    LASER_SCAN: 'scan',
    RANGE: 'range',
}
_STAMP_AT = 4
_ZSTD = b'\x28\xb5\x2f\xfd'


@dataclass(frozen=True, eq=False)
class Recorded:
    """A message of a bag (CDR), with the time of its recording [ns]."""

    topic: str
    logged_ns: int
    raw: bytes
    msgtype: str

    @property
    def stamp_ns(self) -> int:
        """Stamp [ns] of a type that begins with a header, 0 where it is too short."""
        if len(self.raw) < _STAMP_AT + 8:
            return 0
        # CDR: the second byte tells the byte order.
        order = '<' if self.raw[1] & 1 else '>'
        seconds, nanoseconds = struct.unpack_from(f'{order}iI', self.raw, _STAMP_AT)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)

    def message(self) -> Any:
        """Return its fields, by the names that they have in ROS.

        Raises:
            RecordingError: It is damaged.
        """
        name = f'a message of {self.topic} ({len(self.raw)} bytes)'
        if self.raw.startswith(_ZSTD):
            raise RecordingError(
                f'{name} is compressed by itself, which only metadata.yaml says',
                'name the folder of the bag; if metadata.yaml is lost, `ros2 bag reindex` it',
            )
        with parsing(name, self.msgtype, RecordingError):
            return typestore().deserialize_cdr(self.raw, self.msgtype)


@dataclass(frozen=True)
class Topic:
    """A topic of a bag; `holds` is what its first message holds."""

    name: str
    msgtype: str
    count: int
    holds: Content


class Bag:
    """A bag of ROS 2: MCAP or sqlite3, a folder with metadata.yaml or one file of it.

    `topics` tells what it holds, by name; `connections` the same as rosbags describes it.

    Raises:
        RecordingError: It cannot be read as a bag of ROS 2.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_bag(path) as (reader, _):
            self.connections = sorted(reader.connections, key=lambda c: c.topic)
            self.topics = {
                c.topic: Topic(c.topic, c.msgtype, c.msgcount, _content(reader, c))
                for c in self.connections
            }

    def find_topic(self, holds: Content, wanted: str = '') -> str:
        """Return the topic that holds something, raw rather than its compressed twin.

        Raises:
            RecordingError: `wanted` is no such topic; or it is '', and there are several or none.
        """
        what = _DESCRIBED[holds]
        found = [topic for topic in self.topics.values() if topic.holds == holds]
        names = [topic.name for topic in found]
        if wanted in names:
            return wanted
        if wanted:
            raise RecordingError(
                f'{self.path}: {wanted!r} is no {what}; {_listed(found) or "there is none"}'
            )
        distinct = [t for t in found if _base(t.name) == t.name or _base(t.name) not in names]
        if len(distinct) == 1:
            return distinct[0].name
        reason = f'has no {what}: {_listed(self.topics.values()) or "it is empty"}'
        if distinct:
            several = what.replace('topic', 'topics', 1)
            reason = f'has several {several}, choose one of: {_listed(distinct)}'
        raise RecordingError(f'{self.path} {reason}')

    def info_topic(self, image_topic: str) -> str | None:
        """Return the camera_info beside a topic of images, None if there is none."""
        beside = f'{_base(image_topic).rpartition("/")[0]}/camera_info'
        topic = self.topics.get(beside)
        return beside if topic and topic.msgtype == CAMERA_INFO and topic.count else None

    def calibration(self, image_topic: str) -> CameraCalibration | None:
        """Return the first usable calibration beside a topic of images, None if there is none."""
        info_topic = self.info_topic(image_topic)
        if info_topic is None:
            return None
        with open_bag(self.path) as (reader, _):
            for recorded in _recorded(reader, (info_topic,)):
                with suppress(CalibrationError):
                    return calibration_from_info(recorded.message())
        return None

    def messages(self, *topics: str) -> Iterator[Recorded]:
        """Yield the messages of some topics, or without any of all, in the order of their times.

        Raises:
            RecordingError: The bag is damaged or incomplete; what there is has been yielded.
        """
        with open_bag(self.path) as (reader, lost):
            yield from _recorded(reader, topics)
        if lost:
            raise RecordingError(lost)


@cache
def typestore() -> Typestore:
    """Return the message types of ROS 2; those that we read are alike in all distributions."""
    return get_typestore(Stores.ROS2_JAZZY)


def depth_of(message: Any) -> npt.NDArray[np.float32]:
    """Return depth (H, W) float32 [m], NaN unknown, of an Image or CompressedImage."""
    read = image_to_depth if hasattr(message, 'encoding') else compressed_to_depth
    return read(message)


def _recorded(reader: BagReader, topics: Sequence[str]) -> Iterator[Recorded]:
    """Yield the messages of some topics, or without any of all."""
    chosen = [c for c in reader.connections if not topics or c.topic in topics]
    for connection, logged_ns, raw in reader.messages(chosen) if chosen else ():
        yield Recorded(connection.topic, logged_ns, bytes(raw), connection.msgtype)


def _content(reader: BagReader, connection: Connection) -> Content:
    """Return what the messages of a connection hold, by the first of them."""
    if connection.msgtype in _HELD:
        return _HELD[connection.msgtype]
    if connection.msgtype not in (IMAGE, COMPRESSED_IMAGE) or not connection.msgcount:
        return ''
    first = next(iter(reader.messages([connection])), None)
    if first is None:
        return ''
    message = Recorded(connection.topic, first[1], bytes(first[2]), connection.msgtype).message()
    if not hasattr(message, 'encoding'):
        return 'depth' if 'compresseddepth' in message.format.lower() else 'picture'
    # mono16 is a picture here: depth cameras that publish depth so are from before REP-118.
    if message.encoding in ENCODINGS or message.encoding in PLANAR:
        return 'picture'
    return 'depth' if message.encoding in DEPTH_ENCODINGS else ''


def _base(topic: str) -> str:
    """Return a topic's name without the transport that image_transport adds."""
    return topic.removesuffix('/compressed').removesuffix('/compressedDepth')


def _listed(topics: Iterable[Topic]) -> str:
    return ', '.join(f'{topic.name} ({topic.msgtype}, {topic.count})' for topic in topics)

"""A recorded camera: which topics of a bag are its image, calibration and depth."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rclpy.serialization import deserialize_message
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ...core.errors import MonoDepthError
from ...core.files.encodings import ENCODINGS as PICTURES
from ...ros.image_messages import compressed_to_rgb, image_to_rgb, nanoseconds
from .stream import Stream

_SAME_MOMENT_NS = 20_000_000
_NOT_THE_CAMERA = ('right', 'depth', 'infra')
_KINDS: dict[str, type] = {
    'sensor_msgs/msg/Image': Image,
    'sensor_msgs/msg/CompressedImage': CompressedImage,
    'sensor_msgs/msg/CameraInfo': CameraInfo,
}


@dataclass(frozen=True)
class Bag:
    """The recording of one camera.

    Attributes:
        path: A rosbag2 folder, or one of its files.
        image: The camera.
        depth: What measured its depth, None if nothing did.
    """

    path: Path
    image: Stream
    depth: Stream | None

    @classmethod
    def open(cls, path: Path) -> 'Bag':
        """Find the color camera, the left one of two, and the depth beside it.

        Raises:
            MonoDepthError: It is no rosbag2, or holds no picture that we read.
        """
        with _reader(path) as reader:
            streams = list(_streams(reader))
        pictures = [stream for stream in streams if _is_picture(stream)]
        if not pictures:
            topics = ', '.join(stream.topic for stream in streams) or 'no images at all'
            raise MonoDepthError(f'{path} holds no topic of color or gray images: {topics}')
        image = min(pictures, key=_distance_from_camera)
        depths = [stream for stream in streams if stream.is_depth and stream.info is not None]
        same_frame = [depth for depth in depths if depth.frame_id == image.frame_id]
        return cls(path, image, next(iter(same_frame or depths), None))

    @property
    def topic(self) -> str:
        """The name of the image topic."""
        return self.image.topic

    @property
    def frame_id(self) -> str:
        """Frame of the images."""
        return self.image.frame_id

    @property
    def count(self) -> int:
        """Number of images."""
        return self.image.count

    @property
    def info(self) -> CameraInfo | None:
        """The camera's calibration, None if none was recorded."""
        return self.image.info

    @property
    def is_compressed(self) -> bool:
        """Whether images are CompressedImage messages."""
        return self.image.is_compressed

    def size(self) -> tuple[int, int]:
        """Return height and width of the first image [px]."""
        first = self.image.first
        rgb = compressed_to_rgb(first) if self.is_compressed else image_to_rgb(first)
        return rgb.shape[0], rgb.shape[1]

    def images(self, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield the first images, as serialized messages, with their stamps [ns]."""
        kind = type(self.image.first)
        with _reader(self.path) as reader:
            for raw in islice(_messages(reader, self.image.topic), most):
                yield raw, nanoseconds(deserialize_message(raw, kind).header.stamp)

    def depths(self, stamps: Iterable[int]) -> dict[int, Image]:
        """Return the depth image nearest to each stamp [ns], where one is within 20 ms."""
        missing = sorted(stamps)
        if self.depth is None or not missing:
            return {}
        found: dict[int, tuple[int, Image]] = {}
        with _reader(self.path) as reader:
            for raw in _messages(reader, self.depth.topic):
                message = deserialize_message(raw, Image)
                moment = nanoseconds(message.header.stamp)
                for stamp in missing:
                    distance = abs(moment - stamp)
                    nearest = found[stamp][0] if stamp in found else _SAME_MOMENT_NS + 1
                    if distance < nearest:
                        found[stamp] = distance, message
                if moment > missing[-1] + _SAME_MOMENT_NS:
                    break
        return {stamp: message for stamp, (_, message) in found.items()}


@contextmanager
def _reader(path: Path) -> Iterator[Reader]:
    try:
        with Reader(path) as reader:
            yield reader
    except Exception as error:  # a damaged file shows itself as any of them
        raise MonoDepthError(f'{path} cannot be read as a rosbag2: {error}') from error


def _connections(reader: Reader, topic: str) -> list[Connection]:
    return [connection for connection in reader.connections if connection.topic == topic]


def _messages(reader: Reader, topic: str) -> Iterator[bytes]:
    for _, _, raw in reader.messages(connections=_connections(reader, topic)):
        yield raw


def _streams(reader: Reader) -> Iterator[Stream]:
    """Yield every topic of images that has a message."""
    for connection in reader.connections:
        if connection.msgtype in _KINDS and connection.msgtype != 'sensor_msgs/msg/CameraInfo':
            first = _first(reader, connection.topic)
            if first is not None:
                beside = connection.topic.removesuffix('/compressed').rpartition('/')[0]
                info = _first(reader, f'{beside}/camera_info')
                yield Stream(connection.topic, connection.msgcount, first, info)


def _first(reader: Reader, topic: str) -> Any:
    """Return the first message of a topic, None if there is none."""
    connections = _connections(reader, topic)
    if not connections:
        return None
    raw = next(_messages(reader, topic), None)
    kind = _KINDS.get(connections[0].msgtype)
    return None if raw is None or kind is None else deserialize_message(raw, kind)


def _is_picture(stream: Stream) -> bool:
    if stream.is_compressed:
        return 'compresseddepth' not in stream.first.format.lower()
    return stream.first.encoding in PICTURES


def _distance_from_camera(stream: Stream) -> tuple[bool, bool, bool]:
    """Order streams: not another eye, with a calibration, in color."""
    name = stream.topic.lower()
    is_gray = not stream.is_compressed and stream.first.encoding.startswith(('mono', '8UC1'))
    return any(word in name for word in _NOT_THE_CAMERA), stream.info is None, is_gray

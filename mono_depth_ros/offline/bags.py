"""Bags of ROS 2 read without ROS: which topics are pictures, calibration or depth, and what in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rosbags.rosbag2 import Reader

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError, RecordingError
from ..core.files.calibration_messages import calibration_from_info
from .bag_files import is_bag as is_bag
from .recorded import Depth, Recorded, depth_of, stamp_ns
from .topics import CAMERA_INFO, Topic, base, described


class Bag:
    """A bag of ROS 2: MCAP or sqlite3, a folder with metadata.yaml or one file of it.

    Attributes:
        path: Where it lies.
        topics: What it holds, by name.
    """

    def __init__(self, path: Path) -> None:
        """Look through the topics.

        Raises:
            RecordingError: It cannot be read as a bag of ROS 2.
        """
        _require_bag(path)
        self.path = path
        with self.reader() as reader:
            self.topics = {
                connection.topic: described(reader, connection)
                for connection in sorted(reader.connections, key=lambda c: c.topic)
            }

    def picture_topic(self, wanted: str = '') -> str:
        """Return the topic of color or gray images, raw rather than its compressed twin.

        Raises:
            RecordingError: `wanted` is no such topic; or it is '', and there are several or none.
        """
        return self._chosen('picture', wanted, 'topic of color or gray images')

    def depth_topic(self, wanted: str = '') -> str:
        """Return the topic of depth images (32FC1, 16UC1 or compressedDepth).

        Raises:
            RecordingError: `wanted` is no such topic; or it is '', and there are several or none.
        """
        return self._chosen('depth', wanted, 'topic of depth images')

    def disparity_topic(self, wanted: str = '') -> str:
        """Return the topic of stereo_msgs/DisparityImage.

        Raises:
            RecordingError: `wanted` is no such topic; or it is '', and there are several or none.
        """
        return self._chosen('disparity', wanted, 'topic of disparity images')

    def info_topic(self, image_topic: str) -> str | None:
        """Return the camera_info beside a topic of images, None if there is none."""
        beside = f'{base(image_topic).rpartition("/")[0]}/camera_info'
        topic = self.topics.get(beside)
        return beside if topic and topic.msgtype == CAMERA_INFO and topic.count else None

    def calibration(self, image_topic: str) -> CameraCalibration | None:
        """Return the first usable calibration beside a topic of images, None if there is none."""
        info_topic = self.info_topic(image_topic)
        if info_topic is None:
            return None
        for recorded in self.messages(info_topic):
            try:
                return calibration_from_info(recorded.message())
            except CalibrationError:
                continue
        return None

    def messages(self, *topics: str) -> Iterator[Recorded]:
        """Yield the messages of some topics, or without any of all, in the order of their times.

        Raises:
            RecordingError: The bag is damaged; what came before that has been yielded.
        """
        with self.reader() as reader:
            chosen = [c for c in reader.connections if not topics or c.topic in topics]
            if not chosen:
                return
            for connection, logged_ns, raw in reader.messages(chosen):
                yield Recorded(connection.topic, logged_ns, bytes(raw), connection.msgtype)

    def depths(self, topic: str) -> Iterator[tuple[int, Depth]]:
        """Yield stamp [ns] and depth (H, W) float32 [m], NaN unknown, of a topic of depth images.

        Raises:
            RecordingError: The bag is damaged.
            ImageError: A depth image is.
        """
        for recorded in self.messages(topic):
            message = recorded.message()
            yield stamp_ns(message), depth_of(message)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the bag; whatever goes wrong meanwhile inside rosbags is a `RecordingError`."""
        with _as_recording_errors(self.path), Reader(self.path) as reader:
            yield reader

    def _chosen(self, holds: str, wanted: str, what: str) -> str:
        found = [topic for topic in self.topics.values() if topic.holds == holds]
        if wanted:
            if wanted not in [topic.name for topic in found]:
                raise RecordingError(
                    f'{self.path}: {wanted!r} is no {what}; {_listed(found) or "there is none"}'
                )
            return wanted
        names = [topic.name for topic in found]
        distinct = [t for t in found if base(t.name) == t.name or base(t.name) not in names]
        if len(distinct) != 1:
            held = _listed(list(self.topics.values())) or 'it is empty'
            several = f'has several {what.replace("topic", "topics", 1)}, choose one of:'
            reason = f'{several} {_listed(distinct)}' if distinct else f'has no {what}: {held}'
            raise RecordingError(f'{self.path} {reason}')
        return distinct[0].name


def _require_bag(path: Path) -> None:
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if path.suffix == '.bag':
        raise RecordingError(
            f'{path} is a bag of ROS 1; make one of ROS 2 of it: '
            f'rosbags-convert --src {path} --dst {path.stem}'
        )
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        raise RecordingError(
            f'{path} has no metadata.yaml: recording did not end properly, or it is no bag; '
            f'`ros2 bag reindex {path}` writes one, or name the file inside'
        )


@contextmanager
def _as_recording_errors(path: Path) -> Iterator[None]:
    # GeneratorExit and the errors of whoever uses the reader pass: they are none of rosbags'.
    try:
        yield
    except Exception as error:
        if type(error).__module__.startswith('mono_depth_ros'):
            raise
        raise RecordingError(f'{path} is damaged or no bag of ROS 2: {error}') from error


def _listed(topics: Sequence[Topic]) -> str:
    return ', '.join(f'{topic.name} ({topic.msgtype}, {topic.count})' for topic in topics)

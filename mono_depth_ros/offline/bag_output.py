"""The new bag: every message of the old one, and beside each image what came of it."""

import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from ..core.errors import RecordingError
from ..core.pipeline import Output, Result
from .bag_messages import (
    CAMERA_INFO,
    CLOUD,
    IMAGE,
    camera_info_message,
    cloud_message,
    header,
    image_message,
)
from .bags import Bag
from .formats import made
from .frames import Frame, Item
from .recorded import Recorded, typestore

_FRAME_ID = 'camera_optical_frame'
_NO_HASH = 'RIHS01_' + 64 * '0'

_DEPTH, _INFO, _POINTS = 'depth/image_rect', 'depth/camera_info', 'points'
_RELATIVE, _COLORMAP = 'relative_inverse_depth', 'depth/colormap'
_TYPES = {
    _DEPTH: IMAGE,
    _INFO: CAMERA_INFO,
    _POINTS: CLOUD,
    _RELATIVE: IMAGE,
    _COLORMAP: IMAGE,
}


class BagOutput:
    """A bag in the making, under a hidden name until it is complete; see `Product`.

    What was stopped is closed properly, and `resume` takes from it instead of computing again.

    Args:
        path: Of the new bag, a folder.
        bag: The old one.
        is_metric: Whether depth is known; else relative inverse depth and its colors go in.
        copies: Whether the old messages go in too.
        resume: Whether to go on where an earlier run was stopped.

    Raises:
        RecordingError: The folder holds something else than a bag.
    """

    def __init__(
        self, path: Path, bag: Bag, *, is_metric: bool, copies: bool, resume: bool
    ) -> None:
        self.outputs = (
            Output.DEPTH | Output.POINTS
            if is_metric
            else Output.RELATIVE_INVERSE_DEPTH | Output.COLORMAP
        )
        self._path = path
        self._bag = bag
        self._copies = copies
        # A level of their own, since the file in a bag is called like its folder.
        self._partial = path.with_name(f'.{path.name}.part') / path.name
        self._earlier_path = path.with_name(f'.{path.name}.earlier') / path.name
        self._node = _free_name(bag)
        self._is_done = resume and path.exists()
        if path.exists() and not (path / 'metadata.yaml').is_file():
            raise RecordingError(f'{path} is there already and is no bag; name another -o')
        self._earlier = _Earlier(self._earlier_path, self._node)
        if not self._is_done:
            self._earlier = self._what_is_left(resume)
            self._open()

    def has(self, item: Item) -> bool:
        """Take what an earlier run made of an image; say whether it made anything."""
        if self._is_done:
            return True
        found = self._earlier.take(item.stamp_ns)
        for recorded in found:
            self._write(recorded.topic, recorded.msgtype, recorded.logged_ns, recorded.raw)
        return bool(found)

    def copy(self, recorded: Recorded) -> None:
        """Take over a message of the old bag."""
        if self._copies and not self._is_done:
            connection = self._copied[recorded.topic, recorded.msgtype]
            self._writer.write(connection, recorded.logged_ns, recorded.raw)

    def add(self, item: Item, frame: Frame, result: Result) -> None:
        """Write what came of an image, with its stamp, at the time at which it was recorded."""
        head = header(frame.stamp_ns, frame.frame_id or _FRAME_ID)
        for name, raw in _messages(result, head):
            self._write(f'/{self._node}/{name}', _TYPES[name], frame.logged_ns, raw)

    def close(self, complete: bool) -> None:
        """Give the bag its name, or keep what there is for `resume`."""
        if self._is_done:
            return
        if not complete:
            for recorded in self._earlier.rest():
                self._write(recorded.topic, recorded.msgtype, recorded.logged_ns, recorded.raw)
        self._earlier.close()
        self._writer.close()
        if complete:
            shutil.rmtree(self._path, ignore_errors=True)
            self._partial.rename(self._path)
            self._partial.parent.rmdir()
        shutil.rmtree(self._earlier_path.parent, ignore_errors=True)

    def _what_is_left(self, resume: bool) -> '_Earlier':
        """Return what an earlier run left, if it may be used and was closed properly."""
        if resume and (self._partial / 'metadata.yaml').is_file():
            shutil.rmtree(self._earlier_path.parent, ignore_errors=True)
            self._partial.parent.rename(self._earlier_path.parent)
        shutil.rmtree(self._partial.parent, ignore_errors=True)
        if not resume:
            shutil.rmtree(self._earlier_path.parent, ignore_errors=True)
        return _Earlier(self._earlier_path, self._node)

    def _open(self) -> None:
        is_mcap = any(file.suffix == '.mcap' for file in (self._bag.path, *_files(self._bag.path)))
        storage = StoragePlugin.MCAP if is_mcap else StoragePlugin.SQLITE3
        # From version 9 on Humble cannot read the QoS of topics.
        self._writer = Writer(self._partial, version=8, storage_plugin=storage)
        if is_mcap:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()
        self._copied: dict[tuple[str, str], Connection] = {}
        self._added: dict[str, Connection] = {}
        if self._copies:
            with self._bag.reader() as reader:
                for connection in reader.connections:
                    key = connection.topic, connection.msgtype
                    if key not in self._copied:
                        self._copied[key] = _copied(self._writer, connection)

    def _write(self, topic: str, msgtype: str, logged_ns: int, raw: bytes) -> None:
        if topic not in self._added:
            self._added[topic] = self._writer.add_connection(topic, msgtype, typestore=typestore())
        self._writer.write(self._added[topic], logged_ns, raw)


class _Earlier:
    """What an earlier run made, image by image in the order of the old bag."""

    def __init__(self, path: Path, node: str) -> None:
        self._groups: Iterator[tuple[int, list[Recorded]]] = iter(())
        self._messages: Iterator[Recorded] = iter(())
        if (path / 'metadata.yaml').is_file():
            bag = Bag(path)
            ours = [topic for topic in bag.topics if topic.startswith(f'/{node}/')]
            if ours:
                self._messages = bag.messages(*ours)
                grouped = groupby(self._messages, Recorded.stamp_ns)
                self._groups = ((stamp, list(group)) for stamp, group in grouped)
        self._next = next(self._groups, None)

    def take(self, stamp_ns: int) -> list[Recorded]:
        """Return the messages of an image, none if it is not the next one."""
        if self._next is None or self._next[0] != stamp_ns:
            return []
        taken, self._next = self._next[1], next(self._groups, None)
        return taken

    def rest(self) -> Iterator[Recorded]:
        """Yield all that has not been taken."""
        while self._next is not None:
            yield from self._next[1]
            self._next = next(self._groups, None)

    def close(self) -> None:
        """Close the bag."""
        close = getattr(self._messages, 'close', None)
        if close is not None:
            close()


def _messages(result: Result, head: object) -> Iterator[tuple[str, bytes]]:
    if result.reason_unknown:
        yield _RELATIVE, image_message(made(result.relative_inverse_depth), '32FC1', head)
        yield _COLORMAP, image_message(made(result.colormap), 'bgr8', head)
        return
    yield _DEPTH, image_message(made(result.depth), '32FC1', head)
    if result.camera is not None:
        yield _INFO, camera_info_message(result.camera, head)
    if result.points is not None:
        yield _POINTS, cloud_message(result.points, head)


def _copied(writer: Writer, connection: Connection) -> Connection:
    """Announce a topic of the old bag as it was announced there."""
    known = connection.msgtype in typestore().fielddefs
    definition, digest = connection.msgdef.data, connection.digest
    if known and not (definition and digest):
        definition, _ = typestore().generate_msgdef(connection.msgtype, ros_version=2)
        digest = typestore().hash_rihs01(connection.msgtype)
    assert isinstance(connection.ext, ConnectionExtRosbag2)
    return writer.add_connection(
        connection.topic,
        connection.msgtype,
        msgdef=definition,
        rihs01=digest or _NO_HASH,
        serialization_format=connection.ext.serialization_format,
        offered_qos_profiles=connection.ext.offered_qos_profiles,
    )


def _free_name(bag: Bag) -> str:
    """Return a node name under which the bag has no topic yet."""
    name, number = 'mono_depth', 1
    while any(topic.startswith(f'/{name}/') for topic in bag.topics):
        number += 1
        name = f'mono_depth_{number}'
    return name


def _files(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() else []

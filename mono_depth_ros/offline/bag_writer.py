"""The new bag: every message of the old one, and beside each image what came of it."""

import shutil
from collections.abc import Generator, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as StorageWriter
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import RecordingError
from ..core.files.file_writers import writing
from ..core.files.message_writers import camera_info_fields, cloud_fields, image_fields
from ..core.parsing import parsing
from ..core.pipeline import Output, Result
from ..core.yaml_loading import plain_yaml
from .bags import CAMERA_INFO, IMAGE, Bag, Recorded, typestore
from .depth_video import OURS
from .images import ImageFrame, LazyFrame
from .writers import required

_CLOUD = 'sensor_msgs/msg/PointCloud2'
_FRAME_ID = 'camera_optical_frame'
_WRITTEN_BY = 'written_by'
_NO_HASH = 'RIHS01_' + 64 * '0'


class BagWriter:
    """A bag in the making, under a hidden name until it is complete; see `Writer`.

    What was stopped is closed properly, and `resume` takes from it instead of computing again.
    The messages of the old bag go in too with `copies`, depth if it `is_metric`, else relative
    inverse depth and its colors.

    Raises:
        RecordingError: There is something there already, and it is not ours.
    """

    def __init__(
        self, path: Path, bag: Bag, *, is_metric: bool, copies: bool, resume: bool
    ) -> None:
        self.outputs = Output.RELATIVE_INVERSE_DEPTH | Output.COLORMAP
        if is_metric:
            self.outputs = Output.DEPTH | Output.POINTS
        self._path = path
        self._bag = bag
        self._copies = copies
        # A level of their own, since the file in a bag is called like its folder.
        self._partial = path.with_name(f'.{path.name}.part') / path.name
        self._earlier_path = path.with_name(f'.{path.name}.earlier') / path.name
        self._node = _free_name(bag)
        self._is_done = resume and path.exists()
        if path.exists() and not _is_ours(path):
            raise RecordingError(
                f'{path} is there already and was not written by `mono_depth estimate`',
                'move it away, or name another -o',
            )
        if not self._is_done:
            self._earlier = self._earlier_results(resume)
            self._next = next(self._earlier, [])
            self._open()

    def has(self, item: LazyFrame) -> bool:
        """Take what an earlier run made of an image; say whether it made anything."""
        if self._is_done:
            return True
        if not self._next or self._next[0].stamp_ns != item.stamp_ns:
            return False
        self._keep_next()
        return True

    def copy(self, recorded: Recorded) -> None:
        """Take over a message of the old bag."""
        if self._copies and not self._is_done:
            connection = self._copied[recorded.topic, recorded.msgtype]
            with writing(self._path):
                self._storage.write(connection, recorded.logged_ns, recorded.raw)

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Write what came of an image, with its stamp, at the time of its recording."""
        head = header(frame.stamp_ns, frame.frame_id or _FRAME_ID)
        for name, msgtype, raw in _messages(result, head):
            self._write(f'/{self._node}/{name}', msgtype, frame.logged_ns, raw)

    def close(self, complete: bool) -> None:
        """Give the bag its name, or keep what there is for `resume`."""
        if self._is_done:
            return
        while self._next and not complete:
            self._keep_next()
        self._earlier.close()
        with writing(self._path):
            self._storage.close()
            if complete:
                shutil.rmtree(self._path, ignore_errors=True)
                self._partial.rename(self._path)
                self._partial.parent.rmdir()
        shutil.rmtree(self._earlier_path.parent, ignore_errors=True)

    def _earlier_results(self, resume: bool) -> Generator[list[Recorded], None, None]:
        """Return what an earlier run left, if it may be used and was closed properly."""
        if resume and (self._partial / 'metadata.yaml').is_file():
            shutil.rmtree(self._earlier_path.parent, ignore_errors=True)
            self._partial.parent.rename(self._earlier_path.parent)
        shutil.rmtree(self._partial.parent, ignore_errors=True)
        if not resume:
            shutil.rmtree(self._earlier_path.parent, ignore_errors=True)
        return _results(self._earlier_path, self._node)

    def _open(self) -> None:
        path = self._bag.path
        files = path.iterdir() if path.is_dir() else ()
        is_mcap = any(file.suffix == '.mcap' for file in (path, *files))
        storage = StoragePlugin.MCAP if is_mcap else StoragePlugin.SQLITE3
        # From version 9 on Humble cannot read the QoS of topics.
        self._storage = StorageWriter(self._partial, version=8, storage_plugin=storage)
        if is_mcap:
            self._storage.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._storage.open()
        self._storage.set_custom_data(_WRITTEN_BY, OURS)
        self._copied: dict[tuple[str, str], Connection] = {}
        self._added: dict[str, Connection] = {}
        for connection in self._bag.connections if self._copies else ():
            key = connection.topic, connection.msgtype
            if key not in self._copied:
                self._copied[key] = _copied(self._storage, connection)

    def _keep_next(self) -> None:
        """Take over what an earlier run made of the next image."""
        for recorded in self._next:
            self._write(recorded.topic, recorded.msgtype, recorded.logged_ns, recorded.raw)
        self._next = next(self._earlier, [])

    def _write(self, topic: str, msgtype: str, logged_ns: int, raw: bytes) -> None:
        if topic not in self._added:
            self._added[topic] = self._storage.add_connection(
                topic, msgtype, typestore=typestore()
            )
        with writing(self._path):
            self._storage.write(self._added[topic], logged_ns, raw)


def _results(path: Path, node: str) -> Generator[list[Recorded], None, None]:
    """Yield what a node made, image by image in the order of the old bag, if there is a bag."""
    if (path / 'metadata.yaml').is_file():
        bag = Bag(path)
        ours = [topic for topic in bag.topics if topic.startswith(f'/{node}/')]
        messages = bag.messages(*ours) if ours else ()
        for _, group in groupby(messages, attrgetter('stamp_ns')):
            yield list(group)


def header(stamp_ns: int, frame_id: str) -> Any:
    """Return a std_msgs/Header."""
    types = typestore().types
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    stamp = types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
    return types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def image_message(pixels: npt.NDArray[Any], encoding: str, head: Any) -> bytes:
    """Return (H, W[, C]) as a sensor_msgs/Image (CDR)."""
    return _serialized(IMAGE, head, image_fields(pixels, encoding))


def camera_info_message(camera: PinholeCamera, head: Any) -> bytes:
    """Return the sensor_msgs/CameraInfo of a rectified image (CDR)."""
    roi = typestore().types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, do_rectify=False)
    return _serialized(CAMERA_INFO, head, {**camera_info_fields(camera), 'roi': roi})


def cloud_message(points: npt.NDArray[np.float32], head: Any) -> bytes:
    """Return points (N, 3 or 4) or (H, W, 3 or 4), see `pack_cloud`, as a PointCloud2 (CDR)."""
    fields = cloud_fields(points, is_dense=points.ndim == 2)
    point_field = typestore().types['sensor_msgs/msg/PointField']
    fields['fields'] = [point_field(**values) for values in fields['fields']]
    return _serialized(_CLOUD, head, fields)


def _serialized(msgtype: str, head: Any, fields: dict[str, Any]) -> bytes:
    message = typestore().types[msgtype](header=head, **fields)
    return bytes(typestore().serialize_cdr(message, msgtype))


def _messages(result: Result, head: Any) -> Iterator[tuple[str, str, bytes]]:
    """Yield topic below the node's name, type and CDR of each message."""
    if result.reason_unknown:
        relative = required(result.relative_inverse_depth)
        yield 'relative_inverse_depth', IMAGE, image_message(relative, '32FC1', head)
        yield 'depth/colormap', IMAGE, image_message(required(result.colormap), 'bgr8', head)
        return
    yield 'depth/image_rect', IMAGE, image_message(required(result.depth), '32FC1', head)
    if result.camera is not None:
        yield 'depth/camera_info', CAMERA_INFO, camera_info_message(result.camera, head)
    if result.points is not None:
        yield 'points', _CLOUD, cloud_message(result.points, head)


def _copied(storage: StorageWriter, connection: Connection) -> Connection:
    """Announce a topic of the old bag as it was announced there."""
    known = connection.msgtype in typestore().fielddefs
    definition, digest = connection.msgdef.data, connection.digest
    if known and not (definition and digest):
        definition, _ = typestore().generate_msgdef(connection.msgtype, ros_version=2)
        digest = typestore().hash_rihs01(connection.msgtype)
    assert isinstance(connection.ext, ConnectionExtRosbag2)
    return storage.add_connection(
        connection.topic,
        connection.msgtype,
        msgdef=definition,
        rihs01=digest or _NO_HASH,
        serialization_format=connection.ext.serialization_format,
        offered_qos_profiles=connection.ext.offered_qos_profiles,
    )


def _is_ours(path: Path) -> bool:
    try:
        with parsing(path, 'bag', RecordingError):
            text = (path / 'metadata.yaml').read_text(encoding='utf-8')
            written_by = plain_yaml(text)['rosbag2_bagfile_information']['custom_data']
            return bool(written_by[_WRITTEN_BY] == OURS)
    except RecordingError:
        return False


def _free_name(bag: Bag) -> str:
    """Return a node name under which the bag has no topic yet."""
    name, number = 'mono_depth', 1
    while any(topic.startswith(f'/{name}/') for topic in bag.topics):
        number += 1
        name = f'mono_depth_{number}'
    return name

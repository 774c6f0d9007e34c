"""Bags opened for reading, those that a power cut left behind as well."""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from ..core.errors import RecordingError
from ..core.parsing import parsing, read_bytes
from ..core.yaml_loading import plain_yaml
from .cut_mcap import CutMcap, is_cut_off

_MAX_METADATA_BYTES = 20_000_000
_STORAGES = ('mcap', 'sqlite3')
_JOURNALS = ('-journal', '-wal')


class BagReader(Protocol):
    """What rosbags reads, or we do."""

    @property
    def connections(self) -> Sequence[Connection]:
        """Topics with their types and numbers of messages."""

    def messages(
        self, connections: Sequence[Connection]
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield connection, time of recording [ns] and CDR of the messages of some topics."""


@contextmanager
def open_bag(path: Path) -> Iterator[tuple[BagReader, str]]:
    """Open a bag of ROS 2, and say what of it is lost, '' if nothing is.

    Raises:
        RecordingError: It cannot be read as such, with what can be done about it.
    """
    with parsing(path, 'bag of ROS 2', RecordingError, _remedy(path)):
        _require_bag(path)
        if path.suffix == '.mcap' and is_cut_off(path):
            mcap = CutMcap(path)
            if not mcap.connections:
                raise RecordingError(f'{path} breaks off before its first message')
            lost = f'{path} breaks off {mcap.lasts_s:.1f} s after its first message'
            mend = f'recording did not end properly; `mcap recover {path} -o whole.mcap` mends it'
            yield mcap, f'{lost}: {mend}'
        elif _journals(path):
            lost = f'{path} was recorded until the power was cut; what was not stored yet is lost'
            with TemporaryDirectory() as folder, Reader(_recovered(path, Path(folder))) as reader:
                yield reader, lost
        else:
            with Reader(path) as reader:
                yield reader, ''


def _remedy(path: Path) -> str:
    if path.is_dir():
        return f'`ros2 bag reindex {path}` writes metadata.yaml again'
    if path.suffix == '.mcap':
        return f'`mcap recover {path} -o whole.mcap` saves what is intact'
    return ''


def _require_bag(path: Path) -> None:
    if not path.exists():
        raise RecordingError(f'{path} does not exist')
    if path.suffix == '.bag':
        raise RecordingError(
            f'{path} is a bag of ROS 1; make one of ROS 2 of it: '
            f'rosbags-convert --src {path} --dst {path.stem}'
        )
    if path.suffix == '.zstd':
        raise RecordingError(
            f'{path} is compressed as a whole',
            f'name its folder, whose metadata.yaml says so, or unpack it: unzstd {path}',
        )
    if path.is_dir():
        if not (path / 'metadata.yaml').is_file():
            raise RecordingError(
                f'{path} has no metadata.yaml: recording did not end properly, or it is no bag; '
                f'`ros2 bag reindex {path}` writes one, or name the file inside'
            )
        _require_parts(path)


def _require_parts(path: Path) -> None:
    """Refuse a folder whose metadata.yaml names no storage, or files that are not there."""
    text = read_bytes(path / 'metadata.yaml', _MAX_METADATA_BYTES, RecordingError)
    about = plain_yaml(text.decode('utf-8'))['rosbag2_bagfile_information']
    storage = about['storage_identifier']
    if storage not in _STORAGES:
        raise RecordingError(
            f'{path}: its metadata.yaml names the storage {storage!r}, none of '
            f'{", ".join(_STORAGES)}',
            f'`ros2 bag reindex {path}` writes it again',
        )
    names = [Path(name).name for name in about['relative_file_paths']]
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise RecordingError(
            f'{path} lacks {len(missing)} of its {len(names)} parts: {", ".join(missing)}',
            f'put them there, or read on without them: `ros2 bag reindex {path}`',
        )


def _journals(path: Path) -> list[Path]:
    """Return the journals that sqlite3 left beside the files of a bag."""
    files = sorted(path.glob('*.db3')) if path.is_dir() else [path]
    beside = [file.with_name(file.name + end) for file in files for end in _JOURNALS]
    return [file for file in beside if file.is_file() and file.stat().st_size]


def _recovered(path: Path, folder: Path) -> Path:
    """Return a copy of a bag in a folder, made consistent by its journals."""
    copy = folder / path.name
    if path.is_dir():
        shutil.copytree(path, copy)
    else:
        for file in (path, *_journals(path)):
            shutil.copy(file, folder)
    for file in sorted(copy.glob('*.db3')) if copy.is_dir() else [copy]:
        with closing(sqlite3.connect(file)) as database:
            database.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchall()
            database.execute('SELECT count(*) FROM sqlite_master').fetchall()
    return copy

"""Bags that a power cut, a copy or a lost file left behind."""

import shutil
import sqlite3
from pathlib import Path

import pytest
import zstandard
from damage import damaged, outcome
from recordings import camera_bag, color, image, info, stamp
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode

from mono_depth_ros.core.errors import MonoDepthError, RecordingError
from mono_depth_ros.offline.bags import Bag, Recorded, typestore

IMAGES = '/cam/image_raw'


def read(path: Path) -> tuple[list[Recorded], str]:
    """Return the images of a bag, and what is said about the rest."""
    found: list[Recorded] = []
    try:
        found.extend(Bag(path).messages(IMAGES))
    except RecordingError as error:
        return found, str(error)
    return found, ''


def cut_mcap(folder: Path, share: float, frames: int = 40) -> Path:
    (whole,) = camera_bag(folder / 'ride', frames).glob('*.mcap')
    path = folder / 'cut.mcap'
    content = whole.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


@pytest.mark.parametrize('missing_bytes', [1, 8, 300])
def test_mcap_without_its_end_gives_everything(tmp_path: Path, missing_bytes: int) -> None:
    (whole,) = camera_bag(tmp_path / 'ride', 5).glob('*.mcap')
    path = tmp_path / 'cut.mcap'
    path.write_bytes(whole.read_bytes()[:-missing_bytes])
    bag = Bag(path)
    assert bag.topics[IMAGES].count == 5
    assert bag.find_topic('picture') == IMAGES
    assert bag.calibration(IMAGES) is not None
    found, said = read(path)
    assert [recorded.stamp_ns for recorded in found] == [stamp(i) for i in range(5)]
    assert 'cut.mcap breaks off 0.4 s after its first message' in said
    assert '`mcap recover' in said


def test_mcap_cut_amid_its_messages_gives_what_there_is(tmp_path: Path) -> None:
    """Written in small chunks, as recorders do that lose little."""
    path = tmp_path / 'ride'
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(
            IMAGES, image(0, color(0), 'rgb8')[0], typestore=typestore()
        )
        for i in range(300):
            _, time, raw = image(i, color(i), 'rgb8')
            writer.write(connection, time, raw)
    (whole,) = path.glob('*.mcap')
    content = whole.read_bytes()
    cut = tmp_path / 'cut.mcap'
    cut.write_bytes(content[: int(0.7 * len(content))])
    found, said = read(cut)
    assert 0 < len(found) < 300
    assert [recorded.stamp_ns for recorded in found] == [stamp(i) for i in range(len(found))]
    assert 'breaks off' in said


def test_mcap_cut_in_its_head_says_so(tmp_path: Path) -> None:
    path = cut_mcap(tmp_path, 0.0001)
    found, said = read(path)
    assert found == []
    assert str(path) in said


def hot_sqlite3(folder: Path, mode: str) -> Path:
    """Return a bag whose recorder died amid a transaction, its journal beside it."""
    (whole,) = camera_bag(folder / 'ride', 4, StoragePlugin.SQLITE3).glob('*.db3')
    path = folder / 'hot' / 'ride.db3'
    path.parent.mkdir()
    with sqlite3.connect(whole) as database:
        database.execute(f'PRAGMA journal_mode={mode}')
        database.execute('PRAGMA cache_spill=1')
        database.execute('PRAGMA cache_size=1')
        # The last image is gone in what was not committed, and so is much else.
        database.execute('DELETE FROM messages WHERE id > 2')
        database.execute('CREATE TABLE padding AS SELECT * FROM messages')
        for file in folder.glob('ride/*.db3*'):
            shutil.copy(file, path.parent / file.name.replace(whole.name, path.name))
        database.rollback()
    return path


@pytest.mark.parametrize('mode', ['delete', 'persist'])
def test_sqlite3_with_a_hot_journal(tmp_path: Path, mode: str) -> None:
    path = hot_sqlite3(tmp_path, mode)
    assert path.with_name('ride.db3-journal').stat().st_size
    before = path.read_bytes()
    found, said = read(path)
    assert [recorded.stamp_ns for recorded in found] == [stamp(i) for i in range(4)]
    assert 'until the power was cut; what was not stored yet is lost' in said
    assert path.read_bytes() == before


def test_sqlite3_with_a_write_ahead_log(tmp_path: Path) -> None:
    (whole,) = camera_bag(tmp_path / 'ride', 4, StoragePlugin.SQLITE3).glob('*.db3')
    path = tmp_path / 'ride.db3'
    database = sqlite3.connect(whole)
    database.execute('PRAGMA journal_mode=wal')
    database.execute('UPDATE messages SET timestamp = timestamp + 1 WHERE id > 2')
    database.commit()
    for file in (tmp_path / 'ride').glob('*.db3*'):
        shutil.copy(file, path.parent / file.name.replace(whole.name, path.name))
    database.close()
    assert path.with_name('ride.db3-wal').stat().st_size
    found, said = read(path)
    assert [recorded.logged_ns - recorded.stamp_ns for recorded in found] == [0, 1, 1, 1]
    assert 'until the power was cut' in said


def rewritten(path: Path, old: str, new: str) -> Path:
    metadata = path / 'metadata.yaml'
    text = metadata.read_text()
    assert old in text
    metadata.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize('name', ["''", 'rosbag_v2', 'null'])
def test_metadata_that_names_no_storage(tmp_path: Path, name: str) -> None:
    path = rewritten(
        camera_bag(tmp_path / 'ride'), 'storage_identifier: mcap', f'storage_identifier: {name}'
    )
    with pytest.raises(RecordingError, match=r'names the storage .*`ros2 bag reindex .* again'):
        Bag(path)


def test_a_missing_part(tmp_path: Path) -> None:
    path = camera_bag(tmp_path / 'ride')
    rewritten(path, '- ride.mcap', '- ride.mcap\n  - ride_1.mcap')
    with pytest.raises(RecordingError, match=r'lacks 1 of its 2 parts: ride_1\.mcap; put them'):
        Bag(path)


@pytest.mark.parametrize(
    'text', ['', 'rosbag2_bagfile_information: [', 'a: &a [*a]', '{' * 3000, 'x: 2001-99-99', '\0']
)
def test_metadata_that_is_damaged(tmp_path: Path, text: str) -> None:
    path = camera_bag(tmp_path / 'ride')
    (path / 'metadata.yaml').write_text(text)
    with pytest.raises(RecordingError, match='ride'):
        Bag(path)


def test_messages_compressed_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / 'ride'
    writer = Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        for topic, (kind, time, raw) in (
            ('/cam/camera_info', info(0)),
            (IMAGES, image(0, color(0), 'rgb8')),
        ):
            connection = writer.add_connection(topic, kind, typestore=typestore())
            writer.write(connection, time, raw)
    assert len(read(path)[0]) == 1
    (file,) = path.glob('*.db3')
    with pytest.raises(RecordingError, match=r'compressed by itself, which only metadata\.yaml'):
        Bag(file)


def test_a_file_compressed_as_a_whole(tmp_path: Path) -> None:
    (whole,) = camera_bag(tmp_path / 'ride').glob('*.mcap')
    path = tmp_path / 'ride.mcap.zstd'
    path.write_bytes(zstandard.compress(whole.read_bytes()))
    with pytest.raises(
        RecordingError, match=r'compressed as a whole; .* unzstd .*ride\.mcap\.zstd'
    ):
        Bag(path)


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_whatever_byte_is_damaged(tmp_path: Path, storage: StoragePlugin) -> None:
    folder = camera_bag(tmp_path / 'ride', 2, storage)
    (path,) = (file for file in folder.iterdir() if file.suffix in ('.mcap', '.db3'))
    for content in damaged(path.read_bytes(), places=40):
        path.write_bytes(content)
        found = outcome(lambda: [outcome(m.message) for m in Bag(path).messages(IMAGES)])
        if isinstance(found, MonoDepthError):
            assert path.name in str(found) or IMAGES in str(found)

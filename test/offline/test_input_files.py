"""What names on a command line stand for, and what outputs are called."""

from pathlib import Path

import pytest
from recordings import camera_bag

from mono_depth_ros.core.errors import MonoDepthError, RecordingError
from mono_depth_ros.offline.images import ReadingSettings
from mono_depth_ros.offline.input_files import find_inputs

READING = ReadingSettings()


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def found(tmp_path: Path, *names: str) -> list[tuple[str, str]]:
    inputs = find_inputs([str(tmp_path / name) for name in names], tmp_path / 'out')
    return [(str(entry.path.relative_to(tmp_path)), entry.stem) for entry in inputs]


def test_a_folder_stands_for_what_lies_directly_in_it(tmp_path: Path) -> None:
    touch(tmp_path, 'in/b.JPG', 'in/a.png', 'in/clip.mp4', 'in/notes.txt', 'in/deep/c.png')
    camera_bag(tmp_path / 'in' / 'ride')
    names = ['a.png', 'b.JPG', 'clip.mp4', 'ride']
    assert [path for path, _ in found(tmp_path, 'in')] == [f'in/{name}' for name in names]


def test_patterns_and_files(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png', 'in/b.png', 'in/deep/c.png', 'in/[x].png')
    assert found(tmp_path, 'in/**/*.png') == [
        ('in/[x].png', '[x]'),
        ('in/a.png', 'a'),
        ('in/b.png', 'b'),
        ('in/deep/c.png', 'c'),
    ]
    assert found(tmp_path, 'in/[x].png') == [('in/[x].png', '[x]')]
    assert found(tmp_path, 'in/b.png', 'in/?.png') == [('in/b.png', 'b'), ('in/a.png', 'a')]
    assert found(tmp_path, 'in/missing.png') == [('in/missing.png', 'missing')]


def test_outputs_are_no_inputs(tmp_path: Path) -> None:
    touch(tmp_path, 'a.png', 'out/a_colormap.png')
    assert found(tmp_path, '**/*.png') == [('a.png', 'a')]


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png', 'in/a.jpg', 'in/b.png', 'one/x.png', 'two/x.png')
    assert [stem for _, stem in found(tmp_path, 'in', 'one', 'two')] == [
        'a_jpg',
        'a_png',
        'b',
        'one_x_png',
        'two_x_png',
    ]


def test_names_that_differ_by_a_point_alone_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.b/x.png', 'in/a_b/x.png')
    stems = [stem for _, stem in found(tmp_path, 'in/a.b', 'in/a_b')]
    assert len(set(stems)) == 2
    assert all(stem.endswith(f'in_a_b_x_png_{i}') for i, stem in enumerate(stems))


def test_nothing_is_said(tmp_path: Path) -> None:
    touch(tmp_path, 'in/notes.txt')
    with pytest.raises(MonoDepthError, match='in holds no picture, video or bag'):
        found(tmp_path, 'in')
    with pytest.raises(MonoDepthError, match='matches nothing'):
        found(tmp_path, '*.png')
    (missing,) = find_inputs([str(tmp_path / 'x.png')], tmp_path / 'out')
    with pytest.raises(RecordingError, match=r'x\.png does not exist'):
        missing.open(READING)


def test_each_kind_is_opened_as_what_it_is(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png')
    camera_bag(tmp_path / 'in' / 'ride')
    sources = [
        entry.open(READING) for entry in find_inputs([str(tmp_path / 'in')], tmp_path / 'o')
    ]
    assert [(source.kind, source.count, source.stem) for source in sources] == [
        ('picture', 1, 'a'),
        ('bag', 3, 'ride'),
    ]

"""What names on a command line stand for, and what outputs are called."""

from functools import partial
from pathlib import Path

import pytest
from recordings import camera_bag

from mono_depth_ros.core.errors import ImageError, RecordingError
from mono_depth_ros.offline.images import ReadingSettings, load_picture
from mono_depth_ros.offline.input_files import FoundInputs, find_inputs
from mono_depth_ros.offline.writers import is_result

READING = ReadingSettings()


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def found(tmp_path: Path, *names: str) -> list[tuple[str, str]]:
    inputs = look(tmp_path, *names).files
    return [(str(entry.path.relative_to(tmp_path)), entry.stem) for entry in inputs]


def look(tmp_path: Path, *names: str) -> FoundInputs:
    is_ours = partial(is_result, folder=tmp_path / 'out')
    return find_inputs([str(tmp_path / name) for name in names], is_ours)


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


def test_results_found_in_the_output_folder_are_no_inputs(tmp_path: Path) -> None:
    touch(tmp_path, 'a.png', 'out/a_colormap.png', 'out/clip_depth.mp4', 'out/mine.png')
    assert found(tmp_path, '**/*.png') == [('a.png', 'a'), ('out/mine.png', 'mine')]
    inputs = look(tmp_path, 'out')
    assert [entry.stem for entry in inputs.files] == ['mine']
    assert inputs.notes == [
        f'left out: 2 results of an earlier run, such as {tmp_path}/out/a_colormap.png'
    ]


def test_what_is_named_is_an_input_wherever_it_lies(tmp_path: Path) -> None:
    named = ['out/photo.jpg', 'out/a_colormap.png', 'out/deep/b_depth.png', 'out/clip_depth.mp4']
    touch(tmp_path, *named)
    assert [path for path, _ in found(tmp_path, *named)] == named


def test_a_name_that_stands_for_nothing_costs_itself(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png', 'notes/b.txt')
    (tmp_path / 'empty').mkdir()
    inputs = look(tmp_path, 'empty', '*.webp', 'in', 'notes')
    assert [entry.stem for entry in inputs.files] == ['a']
    assert [reason.removeprefix(f'{tmp_path}/') for _, reason in inputs.failures] == [
        'empty holds no picture, video or bag',
        '*.webp matches nothing',
        'notes holds no picture, video or bag',
    ]
    assert inputs.notes == ['left out: 1 files that are no pictures, videos or bags (.txt)']


def test_pictures_that_cannot_be_read_are_inputs_that_say_so(tmp_path: Path) -> None:
    names = ['a.NEF', 'b.jfif', 'c.HEIC', 'd.psd', 'e.svg', 'f.jxl', 'g.3gp', 'h.mcap.zstd']
    touch(tmp_path, *(f'in/{name}' for name in names), 'in/notes.txt', 'in/.hidden.jpg')
    assert [path for path, _ in found(tmp_path, 'in')] == [f'in/{name}' for name in names]
    for name, reason in (('a.NEF', 'a raw photograph'), ('f.jxl', 'JPEG XL'), ('d.psd', 'export')):
        with pytest.raises(ImageError, match=f'in/{name} is .*{reason}'):
            load_picture(tmp_path / 'in' / name, READING)


def test_links_that_lead_round_in_circles(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png')
    (tmp_path / 'in/b.png').symlink_to('c.png')
    (tmp_path / 'in/c.png').symlink_to('b.png')
    (tmp_path / 'in/round').symlink_to('.')
    (tmp_path / 'in/again').symlink_to('..')
    assert [stem for _, stem in found(tmp_path, 'in')] == ['a', 'b', 'c']
    assert [stem for _, stem in found(tmp_path, 'in/b.png', 'in/a.png')] == ['b', 'a']
    assert [stem for _, stem in found(tmp_path, 'in/**/*.png')] == ['a', 'b', 'c']
    with pytest.raises(ImageError, match=r'b\.png cannot be read: Too many levels of symbolic'):
        load_picture(tmp_path / 'in/b.png', READING)


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


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    (missing,) = look(tmp_path, 'x.png').files
    with pytest.raises(RecordingError, match=r'x\.png does not exist'):
        missing.open(READING)


def test_each_kind_is_opened_as_what_it_is(tmp_path: Path) -> None:
    touch(tmp_path, 'in/a.png')
    camera_bag(tmp_path / 'in' / 'ride')
    sources = [entry.open(READING) for entry in find_inputs([str(tmp_path / 'in')]).files]
    assert [(source.kind, source.count, source.stem) for source in sources] == [
        ('picture', 1, 'a'),
        ('bag', 3, 'ride'),
    ]

"""Which files are maps, what they are called, and what time they bear."""

from functools import partial
from pathlib import Path, PurePath

import numpy as np
import pytest

from mono_depth_ros.cli.evaluate.depth_maps import (
    LAYOUTS,
    find_layout,
    folder_maps,
    layout_maps,
    map_name,
)
from mono_depth_ros.core.errors import EvaluationError, ImageError
from mono_depth_ros.core.files.depth_files import read_map
from mono_depth_ros.core.files.file_writers import write_depth_png


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == '.npy':
            np.save(path, np.ones((2, 3), np.float32))
        elif path.suffix == '.png':
            write_depth_png(path, np.ones((2, 3), np.float32))
        else:
            path.write_text('')


def names(folder: Path) -> list[str]:
    return [frame.name for frame in folder_maps(folder, read_map)]


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('depth_1.png', '1'),
        ('color_1_depth.npy', '1'),
        ('00007.png', '7'),
        ('seq/depth/frame_007.png', 'seq/7'),
        ('depth/0000.npy', '0'),
        ('room-left_depth.npy', 'room'),
        ('1305031102.160407.png', '1305031102.160407'),
        ('drive/1600000000_000000000_depth.npy', 'drive/1600000000_000000000'),
        ('depth.png', ''),
    ],
)
def test_name_is_what_tells_frames_apart(path: str, name: str) -> None:
    assert map_name(PurePath(path)) == name


def test_pictures_and_other_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 'a.npy', 'b.png', 'b_colormap.png', 'a_panel.png', '.hidden.npy', 'c.txt')
    assert names(tmp_path) == ['a', 'b']


def test_where_names_say_depth_others_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 'color_1.png', 'depth_1.png', 'depth_2.png')
    assert names(tmp_path) == ['1', '2']
    write(tmp_path / 'next', 'rgb/0001.png', 'depth/0001.png')
    assert names(tmp_path / 'next') == ['1']


def test_floats_are_taken_before_millimeters(tmp_path: Path) -> None:
    write(tmp_path, 'a.png')
    (frame,) = folder_maps(tmp_path, partial(read_map, unit=0.5))
    assert frame.read()[0, 0] == 500
    np.save(tmp_path / 'a.npy', np.full((2, 3), 7.0))
    (frame,) = folder_maps(tmp_path, partial(read_map, unit=0.5))
    assert frame.read()[0, 0] == 7


def test_two_files_of_one_frame_are_refused(tmp_path: Path) -> None:
    write(tmp_path, '1.npy', '01.npy')
    with pytest.raises(EvaluationError, match=r"both frame '1'"):
        names(tmp_path)


def test_empty_folder(tmp_path: Path) -> None:
    write(tmp_path, 'notes.txt')
    with pytest.raises(EvaluationError, match='holds no depth map'):
        names(tmp_path)


def test_moment_is_read_from_names(tmp_path: Path) -> None:
    table = {
        '1305031102.160407.npy': 1305031102_160407000,
        '1600000000_000000123.npy': 1600000000_000000123,
        '1600000000000000123.npy': 1600000000_000000123,
        '1600000000_12.npy': None,
        '12.5.npy': None,
        'a.npy': None,
    }
    write(tmp_path, *table)
    moments = [frame.moment_ns for frame in folder_maps(tmp_path, read_map)]
    assert sorted(moments, key=str) == sorted(table.values(), key=str)


@pytest.mark.parametrize(
    ('sign', 'layout'),
    [
        ('groundtruth.txt', 'tum'),
        ('depth.txt', 'tum'),
        ('associations.txt', 'icl'),
        ('livingRoom2.gt.freiburg', 'icl'),
        ('trajectory.log', 'redwood'),
        ('anything.txt', 'files'),
    ],
)
def test_layout_is_known_by_its_files(tmp_path: Path, sign: str, layout: str) -> None:
    write(tmp_path, sign, 'depth/1.png')
    assert find_layout(tmp_path) == layout
    if sign == 'depth.txt':
        (tmp_path / sign).write_text('0 depth/1.png')
    (frame,) = layout_maps(tmp_path, layout, partial(read_map, unit=LAYOUTS[layout]))
    expected = 1000 / 5000 if layout in ('tum', 'icl') else 1
    assert frame.read()[0, 0] == pytest.approx(expected)


def test_list_of_tum_chooses_files(tmp_path: Path) -> None:
    write(tmp_path, 'depth/1305031102.10.png', 'depth/1305031102.20.png')
    listed = '# depth maps\n# timestamp filename\n\n1305031102.10 depth/1305031102.10.png\n'
    (tmp_path / 'depth.txt').write_text(listed)
    (frame,) = layout_maps(tmp_path, 'tum', partial(read_map, unit=0.0002))
    assert frame.moment_ns == 1305031102_100000000


def test_a_listed_file_that_is_missing_costs_itself(tmp_path: Path) -> None:
    write(tmp_path, 'depth/1305031102.10.png')
    lines = '1305031102.10 depth/1305031102.10.png\n1305031102.30 depth/1305031102.30.png\n'
    (tmp_path / 'depth.txt').write_text(lines)
    there, missing = layout_maps(tmp_path, 'tum', read_map)
    assert there.read().shape == (2, 3)
    with pytest.raises(ImageError, match=r'1305031102\.30\.png cannot be read: No such file'):
        missing.read()
    (tmp_path / 'depth.txt').write_text('1305031102.30\n')
    with pytest.raises(EvaluationError, match=r"the line '1305031102\.30', which names no file"):
        layout_maps(tmp_path, 'tum', read_map)

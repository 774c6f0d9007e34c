"""Depth maps of folders, data sets and bags, each with the name or time that finds its match."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

import numpy as np

from ...core.errors import EvaluationError
from ...core.files.depth_files import Map
from ...core.files.map_units import MILLIMETER
from ...core.files.point_files import POINT_FORMATS, read_points
from ...core.files.yaml_texts import MAX_TEXT_BYTES
from ...core.parsing import read_bytes
from ...offline.bags import Bag, depth_of
from ...offline.images import LazyFrame

SUFFIXES = ('.npy', '.npz', '.pfm', '.png')
"""Those of one frame that come first are taken before the others."""

_DECORATION = frozenset(
    (
        *('depth', 'color', 'colour', 'rgb', 'image', 'img', 'frame', 'left'),
        *('pred', 'prediction', 'predicted', 'gt', 'truth', 'groundtruth'),
        *('disp', 'disparity', 'relative', 'inverse', 'points', 'cloud'),
    )
)
_MEASURES = frozenset(('depth', 'disp', 'disparity'))
_PICTURES = frozenset(('color', 'colour', 'colormap', 'rgb', 'panel', 'points', 'error', 'right'))
_SECONDS = re.compile(r'(\d{9,10})(?:\.(\d{1,9})|_(\d{9}))')
_NANOSECONDS = re.compile(r'\d{18,19}')


@dataclass(frozen=True, eq=False)
class LazyMap:
    """A map of a file or message: its name, see `map_name`, and when it was taken [ns], if known.

    `read` returns (H, W) float32, NaN unknown; it raises `MonoDepthError`.
    """

    name: str
    moment_ns: int | None
    read: Callable[[], Map]


ReadMap = Callable[[Path], Map]
"""Reads the map in a file; raises `ImageError`."""

LAYOUTS = {'tum': 1 / 5000, 'icl': 1 / 5000, 'redwood': MILLIMETER, 'files': None}
"""Data set -> meters of one count in its files, None if nothing states them.

TUM RGB-D (Sturm 2012), ICL-NUIM in TUM's format (Handa 2014), Redwood (Choi 2015), any other.
Depth is in a folder `depth`, or in files whose names say so.
"""
_SIGNS = {
    'tum': ('depth.txt', 'groundtruth.txt', 'accelerometer.txt'),
    'icl': ('associations.txt', '*.gt.freiburg', 'traj*.gt.sim'),
    'redwood': ('trajectory.log',),
}
"""Files that only this data set has."""


def folder_maps(folder: Path, read: ReadMap, files: Iterable[Path] | None = None) -> list[LazyMap]:
    """Return a frame for each map in a folder and those below it.

    PNG files whose name ends in a word such as color are pictures. Where names, or the folders
    they are in, say depth or disparity, others are left out. Of one frame's files the first by
    `SUFFIXES` is taken. `files` are taken in place of all files.
    """
    found = sorted(folder.rglob('*')) if files is None else list(files)
    maps = [path for path in found if _may_be_map(path.relative_to(folder))]
    says_depth = [path for path in maps if _words(path.relative_to(folder)) & _MEASURES]
    chosen: dict[str, Path] = {}
    for path in sorted(says_depth or maps, key=lambda path: SUFFIXES.index(path.suffix.lower())):
        name = map_name(path.relative_to(folder))
        other = chosen.setdefault(name, path)
        if other.suffix == path.suffix and other != path:
            raise EvaluationError(f'{other} and {path} are both frame {name!r}; move one away')
    if not chosen:
        raise EvaluationError(f'{folder} holds no depth map ({", ".join(SUFFIXES)})')
    return [file_map(chosen[name], name, read) for name in sorted(chosen)]


def find_layout(folder: Path) -> str:
    """Return the name of the layout that a folder shows signs of, else `files`."""
    for name, signs in _SIGNS.items():
        if any(next(folder.glob(sign), None) for sign in signs):
            return name
    return 'files'


def layout_maps(folder: Path, layout: str, read: ReadMap) -> list[LazyMap]:
    """Return the maps of true depth in the folder of a sequence."""
    listed = folder / 'depth.txt'
    is_listed = layout == 'tum' and listed.is_file()
    return folder_maps(folder, read, _listed(listed) if is_listed else None)


def file_map(path: Path, name: str, read: ReadMap) -> LazyMap:
    """Return the map of one file."""
    return LazyMap(name, _moment_ns(name), partial(read, path))


def are_clouds(path: Path) -> bool:
    """Return whether a path is a cloud, or a folder that holds clouds and no depth maps."""
    if not path.is_dir():
        return path.suffix.lower() in POINT_FORMATS
    suffixes = {file.suffix.lower() for file in path.rglob('*')}
    return bool(suffixes & set(POINT_FORMATS)) and not suffixes & set(SUFFIXES)


def cloud_maps(path: Path) -> list[LazyMap]:
    """Return the clouds of a file or folder, read as points (N, 3) float32 [m]."""
    inside = (file for file in path.rglob('*') if file.suffix.lower() in POINT_FORMATS)
    files = [path] if path.is_file() else sorted(inside)
    names = [map_name(file.relative_to(path)) if path.is_dir() else file.stem for file in files]
    return [
        LazyMap(name, _moment_ns(name), lambda file=file: read_points(file).astype(np.float32))
        for name, file in zip(names, files, strict=True)
    ]


def bag_maps(bag: Bag, topic: str) -> Iterator[LazyMap]:
    """Yield the maps of a topic of depth images, in the order of their stamps where that holds."""
    for recorded in bag.messages(topic):
        message, moment = recorded.message(), recorded.stamp_ns
        yield LazyMap(_moment_name(moment), moment, partial(depth_of, message))


def image_map(item: LazyFrame, read: Callable[[], Map]) -> LazyMap:
    """Return the map of an image, found by its stamp [ns], else by the name of its file."""
    if item.stamp_ns:
        return LazyMap(_moment_name(item.stamp_ns), item.stamp_ns, read)
    return file_map(item.path, map_name(Path(item.path.name)) or item.path.stem, lambda _: read())


def map_name(path: PurePath) -> str:
    """Return what a path is called without its decoration: seq/7 for seq/depth/frame_007.png."""
    parts = [*path.parts[:-1], path.stem]
    kept = ('_'.join(word for word in _split(part) if word not in _DECORATION) for part in parts)
    return '/'.join(part.lstrip('0') or '0' if part.isdigit() else part for part in kept if part)


def _may_be_map(path: PurePath) -> bool:
    suffix = path.suffix.lower()
    hidden = any(part.startswith('.') for part in path.parts)
    picture = suffix == '.png' and _split(path.stem)[-1:] and _split(path.stem)[-1] in _PICTURES
    return suffix in SUFFIXES and not hidden and not picture


def _words(path: PurePath) -> set[str]:
    return {word for part in (*path.parts[:-1], path.stem) for word in _split(part)}


def _split(part: str) -> list[str]:
    return [word for word in re.split(r'[_-]+', part.lower()) if word]


def _moment_name(moment_ns: int) -> str:
    return f'{moment_ns // 10**9}.{moment_ns % 10**9:09}'


def _moment_ns(name: str) -> int | None:
    stem = name.rpartition('/')[2]
    if seconds := _SECONDS.fullmatch(stem):
        whole, decimals, nanoseconds = seconds.groups()
        return int(whole) * 10**9 + int(nanoseconds or decimals.ljust(9, '0'))
    return int(stem) if _NANOSECONDS.fullmatch(stem) else None


def _listed(path: Path) -> Iterator[Path]:
    """Yield the files of a list of `timestamp file` lines; # begins a comment."""
    text = read_bytes(path, 100 * MAX_TEXT_BYTES, EvaluationError).decode(errors='replace')
    for line in text.splitlines():
        words = line.partition('#')[0].split()
        if words:
            if len(words) != 2:
                raise EvaluationError(f'{path} has the line {line!r}, which names no file')
            yield path.parent / words[1]

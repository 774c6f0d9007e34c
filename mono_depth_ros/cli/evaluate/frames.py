"""Depth maps one by one, each with what tells which other one it belongs to."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from ...core.errors import EvaluationError
from ...core.files.depth_files import Map, read_map
from ...offline.bags import Bag
from ...offline.recorded import depth_of, stamp_ns

SUFFIXES = ('.npy', '.npz', '.pfm', '.png')
"""Those of one frame that come first are taken before the others."""

_DECORATION = frozenset(
    (
        *('depth', 'color', 'color', 'rgb', 'image', 'img', 'frame', 'left'),
        *('pred', 'prediction', 'predicted', 'gt', 'truth', 'groundtruth'),
        *('disp', 'disparity', 'relative', 'inverse'),
    )
)
_MEASURES = frozenset(('depth', 'disp', 'disparity'))
_PICTURES = frozenset(('color', 'color', 'colormap', 'rgb', 'panel', 'points', 'error', 'right'))
_SECONDS = re.compile(r'(\d{9,10})(?:\.(\d{1,9})|_(\d{9}))')
_NANOSECONDS = re.compile(r'\d{18,19}')


@dataclass(frozen=True, eq=False)
class Frame:
    """A map that can be read.

    Attributes:
        name: What is left of its path without words like depth, and without leading zeros.
        moment_ns: When it was taken [ns], if that is known.
        read: Returns (H, W) float32, NaN unknown; raises `MonoDepthError`.
    """

    name: str
    moment_ns: int | None
    read: Callable[[], Map]


def folder_frames(folder: Path, unit: float, files: Iterable[Path] | None = None) -> list[Frame]:
    """Return a frame for each map in a folder and those below it.

    PNG files whose name ends in a word such as color are pictures. Where names, or the folders
    they are in, say depth or disparity, others are left out. Of one frame's files the first by
    `SUFFIXES` is taken.

    Args:
        folder: Where they are.
        unit: See `read_map`.
        files: What to take instead of all files.

    Raises:
        EvaluationError: There is none, or two files are the same frame.
    """
    found = sorted(folder.rglob('*')) if files is None else list(files)
    maps = [path for path in found if _may_be_map(path.relative_to(folder))]
    says_depth = [path for path in maps if _words(path.relative_to(folder)) & _MEASURES]
    chosen: dict[str, Path] = {}
    for path in sorted(says_depth or maps, key=lambda path: SUFFIXES.index(path.suffix.lower())):
        name = frame_name(path.relative_to(folder))
        other = chosen.setdefault(name, path)
        if other.suffix == path.suffix and other != path:
            raise EvaluationError(f'{other} and {path} are both frame {name!r}; move one away')
    if not chosen:
        raise EvaluationError(f'{folder} holds no depth map ({", ".join(SUFFIXES)})')
    return [file_frame(chosen[name], name, unit) for name in sorted(chosen)]


def file_frame(path: Path, name: str, unit: float) -> Frame:
    """Return the frame of one file."""
    return Frame(name, _moment_ns(name), partial(read_map, path, unit))


def bag_frames(bag: Bag, topic: str) -> Iterator[Frame]:
    """Yield the frames of a topic of depth images, in the order of their stamps where that holds.

    Raises:
        RecordingError: The bag is damaged, or has no such topic.
    """
    for recorded in bag.messages(topic):
        message = recorded.message()
        moment = stamp_ns(message)
        name = f'{moment // 10**9}.{moment % 10**9:09}'
        yield Frame(name, moment, partial(depth_of, message))


def frame_name(path: PurePath) -> str:
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


def _moment_ns(name: str) -> int | None:
    stem = name.rpartition('/')[2]
    if seconds := _SECONDS.fullmatch(stem):
        whole, decimals, nanoseconds = seconds.groups()
        return int(whole) * 10**9 + int(nanoseconds or decimals.ljust(9, '0'))
    return int(stem) if _NANOSECONDS.fullmatch(stem) else None

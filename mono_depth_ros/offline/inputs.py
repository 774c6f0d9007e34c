"""What the names on a command line stand for: pictures, videos, bags, in folders or by pattern."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ..core.errors import MonoDepthError, RecordingError
from .bag_files import BAG_FILES, is_bag
from .frames import Source
from .pictures import PICTURE_FILES, Pictures
from .video import VIDEO_FILES, Video


@dataclass(frozen=True)
class Input:
    """One file, or the folder of a bag.

    Attributes:
        path: Where it lies.
        stem: What its outputs are called.
    """

    path: Path
    stem: str

    @property
    def is_bag(self) -> bool:
        """Whether it should be a bag."""
        return is_bag(self.path)

    @property
    def is_video(self) -> bool:
        """Whether it should be a video."""
        return self.path.suffix.lower() in VIDEO_FILES and not self.path.is_dir()

    @property
    def is_picture(self) -> bool:
        """Whether it should be a picture."""
        return not (self.is_bag or self.is_video)

    def open(self, max_side: int, topic: str = '') -> Source:
        """Return its images.

        Args:
            max_side: Larger ones are reduced to this [px].
            topic: Of a bag's images; '' finds it.

        Raises:
            MonoDepthError: It is missing, damaged, or holds no images.
        """
        if not self.path.exists():
            raise RecordingError(f'{self.path} does not exist')
        if self.is_bag:
            return _open_bag(self.path, self.stem, max_side, topic)
        if self.is_video:
            return Video.open(self.path, self.stem, max_side)
        return Pictures(((self.path, self.stem),), max_side)


def find_inputs(names: Sequence[str], left_out: Path) -> list[Input]:
    """Return what the names stand for, in a fixed order and each once.

    A folder stands for the pictures, videos and bags directly in it; a pattern for what it
    matches, with `**` for folders below.

    Args:
        names: Files, folders, patterns.
        left_out: A folder in which nothing is an input: that of the outputs.

    Raises:
        MonoDepthError: A folder or pattern stands for nothing.
    """
    paths = list(dict.fromkeys(path for name in names for path in _found(name)))
    outputs = left_out.resolve()
    kept = [path for path in paths if outputs not in path.resolve().parents]
    return [Input(path, stem) for path, stem in zip(kept, _stems(kept), strict=True)]


def open_inputs(
    inputs: Sequence[Input], max_side: int, topic: str, fail: Callable[[Path, str], None]
) -> list[Source | None]:
    """Return the sources, all pictures in one; None for each that cannot be read.

    Args:
        inputs: In a fixed order.
        max_side: Larger images are reduced to this [px].
        topic: Of a bag's images; '' finds it.
        fail: Told what cannot be read and why.
    """
    files = tuple((entry.path, entry.stem) for entry in inputs if entry.is_picture)
    sources: list[Source | None] = [Pictures(files, max_side)] if files else []
    for entry in inputs:
        if entry.is_picture:
            continue
        try:
            sources.append(entry.open(max_side, topic))
        except MonoDepthError as error:
            sources.append(None)
            fail(entry.path, str(error))
    return sources


def _found(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir() and not is_bag(path):
        known = (*PICTURE_FILES, *VIDEO_FILES, *BAG_FILES)
        found = [p for p in path.iterdir() if p.suffix.lower() in known or is_bag(p)]
        if not found:
            raise MonoDepthError(f'{path} holds no picture, video or bag')
        yield from sorted(found)
    elif path.exists() or not any(sign in name for sign in '*?['):
        yield path
    else:
        matched = sorted(Path(match) for match in glob(name, recursive=True))
        if not matched:
            raise MonoDepthError(f'{name} matches nothing')
        yield from matched


def _stems(paths: Iterable[Path]) -> list[str]:
    """Return a name for each, as short as they stay different."""
    paths = list(paths)
    forms: list[Callable[[Path], str]] = [
        lambda path: path.stem,
        lambda path: path.name.replace('.', '_'),
        lambda path: '_'.join(path.parts[-2:]).replace('.', '_'),
        lambda path: '_'.join(path.resolve().parts[1:]).replace('.', '_'),
    ]
    stems = [''] * len(paths)
    left = list(range(len(paths)))
    for form in forms:
        counts = Counter(form(path) for path in paths)
        taken = set(stems)
        for i in left:
            if counts[form(paths[i])] == 1 and form(paths[i]) not in taken:
                stems[i] = form(paths[i])
        left = [i for i in left if not stems[i]]
    return stems


def _open_bag(path: Path, stem: str, max_side: int, topic: str) -> Source:
    try:
        from .bag_source import BagSource
    except ImportError as error:
        raise RecordingError(f'to read {path}: pip install rosbags ({error})') from error
    return BagSource(path, stem, max_side, topic)

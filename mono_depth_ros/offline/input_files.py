"""What the names on a command line stand for: pictures, videos, bags, in folders or by pattern."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from glob import glob
from pathlib import Path

from ..core.errors import MonoDepthError, RecordingError
from .images import ImageSource, Kind, LazyFrame, ReadingSettings, load_picture
from .videos import VIDEO_FILES, Video

PICTURE_FILES = (
    *('.jpg', '.jpeg', '.jpe', '.png', '.bmp', '.tif', '.tiff', '.webp', '.avif'),
    *('.pbm', '.pgm', '.ppm', '.pnm', '.jp2', '.hdr', '.exr'),
)
BAG_FILES = ('.mcap', '.db3')


class Pictures:
    """Picture files, each with the name of its outputs; see `ImageSource`.

    Their path and stem are those of the first.
    """

    def __init__(self, files: Sequence[tuple[Path, str]], reading: ReadingSettings) -> None:
        self.path, self.stem = files[0]
        self.kind: Kind = 'picture'
        self.count: int | None = len(files)
        self.fps = 1.0
        self.is_rectified = False
        self._files = files
        self._reading = reading

    def items(self) -> Iterator[LazyFrame]:
        """Yield the pictures."""
        for path, stem in self._files:
            yield LazyFrame(stem, partial(load_picture, path, self._reading), path)


@dataclass(frozen=True)
class InputFile:
    """One file, or the folder of a bag, and the name of its outputs."""

    path: Path
    stem: str

    @property
    def kind(self) -> Kind:
        """Kind of the input, as its name tells."""
        if is_bag(self.path):
            return 'bag'
        is_video = self.path.suffix.lower() in VIDEO_FILES and not self.path.is_dir()
        return 'video' if is_video else 'picture'

    def open(self, reading: ReadingSettings, topic: str = '') -> ImageSource:
        """Return its images; `topic` is a bag's, '' finds it."""
        if not self.path.exists():
            raise RecordingError(f'{self.path} does not exist')
        if self.kind == 'bag':
            try:
                from .bag_camera import BagCamera
            except ModuleNotFoundError as error:
                install = f'to read {self.path}: pip install rosbags ({error})'
                raise RecordingError(install) from error
            return BagCamera(self.path, self.stem, reading, topic)
        if self.kind == 'video':
            return Video(self.path, self.stem, reading)
        return Pictures(((self.path, self.stem),), reading)


def is_bag(path: Path) -> bool:
    """Say whether a path should be a bag: a folder with metadata.yaml, or a file called so."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file()
    return path.suffix in (*BAG_FILES, '.bag')


def find_inputs(names: Sequence[str], left_out: Path | None = None) -> list[InputFile]:
    """Return what the names stand for, in a fixed order and each once.

    A folder stands for the pictures, videos and bags directly in it; a pattern for what it
    matches, with `**` for folders below. Nothing in the folder `left_out` is an input.

    Raises:
        MonoDepthError: A folder or pattern stands for nothing.
    """
    paths = list(dict.fromkeys(path for name in names for path in _found(name)))
    outputs = left_out.resolve() if left_out is not None else None
    kept = [path for path in paths if outputs not in path.resolve().parents]
    return [InputFile(path, stem) for path, stem in zip(kept, _stems(kept), strict=True)]


def open_inputs(
    inputs: Sequence[InputFile],
    reading: ReadingSettings,
    topic: str,
    fail: Callable[[str, str], None],
) -> list[ImageSource | None]:
    """Return the sources, all pictures in one; None for each that cannot be read.

    `fail` is called with the path of each of those and the reason.
    """
    files = [(entry.path, entry.stem) for entry in inputs if entry.kind == 'picture']
    sources: list[ImageSource | None] = [Pictures(files, reading)] if files else []
    for entry in (entry for entry in inputs if entry.kind != 'picture'):
        try:
            sources.append(entry.open(reading, topic))
        except MonoDepthError as error:
            sources.append(None)
            fail(str(entry.path), str(error))
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


def _stems(paths: Sequence[Path]) -> list[str]:
    """Return a name for each, as short as they stay different."""
    forms: list[Callable[[Path], str]] = [
        lambda path: path.stem,
        lambda path: path.name.replace('.', '_'),
        lambda path: '_'.join(path.parts[-2:]).replace('.', '_'),
        lambda path: '_'.join(path.resolve().parts[1:]).replace('.', '_'),
    ]
    stems: dict[int, str] = {}
    for form in forms:
        names = [form(path) for path in paths]
        counts, taken = Counter(names), set(stems.values())
        for i, name in enumerate(names):
            if counts[name] == 1 and name not in taken:
                stems.setdefault(i, name)
    return [stems.get(i, f'{forms[-1](path)}_{i}') for i, path in enumerate(paths)]

"""What the names on a command line stand for: pictures, videos, bags, in folders or by pattern."""

import mimetypes
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..core.errors import MonoDepthError, RecordingError
from ..core.parsing import parsing
from .images import CONVERTED, ImageSource, Kind, LazyFrame, ReadingSettings, load_picture
from .videos import VIDEO_FILES, Video

PICTURE_FILES = (
    *('.jpg', '.jpeg', '.jpe', '.jfif', '.jif', '.pjpeg', '.png', '.bmp', '.dib', '.tif', '.tiff'),
    *('.webp', '.avif', '.heic', '.heif', '.hif', '.jp2', '.j2k', '.hdr', '.exr'),
    *('.pbm', '.pgm', '.ppm', '.pnm', '.pfm', '.ras', '.sr'),
)
BAG_FILES = ('.mcap', '.db3', '.bag', '.mcap.zstd', '.db3.zstd')
# Without the files of the system, so that every machine finds the same.
_TYPES = mimetypes.MimeTypes()


class Pictures:
    """Picture files, each with the name of its outputs; see `ImageSource`.

    Their path and stem are those of the first.
    """

    def __init__(self, files: Sequence[tuple[Path, str]], reading: ReadingSettings) -> None:
        self.path, self.stem = files[0]
        self.kind: Kind = 'picture'
        self.count: int | None = len(files)
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
                install = f"to read {self.path}: pip install 'mono_depth_ros[bags]' ({error})"
                raise RecordingError(install) from error
            return BagCamera(self.path, self.stem, reading, topic)
        if self.kind == 'video':
            return Video(self.path, self.stem, reading)
        return Pictures(((self.path, self.stem),), reading)


def is_bag(path: Path) -> bool:
    """Say whether a path should be a bag: a folder with metadata.yaml, or a file called so."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file()
    return path.name.lower().endswith(BAG_FILES)


@dataclass
class FoundInputs:
    """What names stand for.

    Attributes:
        files: In a fixed order, each once.
        failures: Names that stand for nothing, and what cannot be looked into, with the reason.
        others: Files in folders that are no pictures, videos or bags.
        results: Files in folders, or matched, that are called like results of ours.
    """

    files: list[InputFile] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    results: list[Path] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """Sentences about what is no input."""
        said = []
        if self.others:
            kinds = sorted({path.suffix or path.name for path in self.others})
            said.append(
                f'left out: {len(self.others)} files that are no pictures, videos or bags '
                f'({", ".join(kinds)})'
            )
        if self.results:
            count = len(self.results)
            said.append(f'left out: {count} results of an earlier run, such as {self.results[0]}')
        return said


def find_inputs(
    names: Sequence[str], is_result: Callable[[Path], bool] = lambda _: False
) -> FoundInputs:
    """Return what the names stand for.

    A folder stands for the pictures, videos and bags directly in it; a pattern for what it
    matches, with `**` for folders below, links to folders not followed. What is named itself is
    always an input, and `is_result` says of the rest what is none.
    """
    found = FoundInputs()
    paths: dict[Path, None] = {}
    for name in names:
        try:
            with parsing(name, 'folder', RecordingError):
                paths.update(dict.fromkeys(_found(name, found, is_result)))
        except MonoDepthError as error:
            found.failures.append((name, str(error)))
    stems = _stems(list(paths))
    found.files = [InputFile(path, stem) for path, stem in zip(paths, stems, strict=True)]
    return found


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


def _found(name: str, found: FoundInputs, is_result: Callable[[Path], bool]) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir() and not is_bag(path):
        entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith('.'))
        inputs = [entry for entry in entries if _is_input(entry)]
        found.others += [e for e in entries if not _is_input(e) and not e.is_dir()]
    elif os.path.lexists(path) or not any(sign in name for sign in '*?['):
        yield path
        return
    else:
        inputs = sorted(_matched(path))
    kept = [entry for entry in inputs if not is_result(entry)]
    found.results += [entry for entry in inputs if is_result(entry)]
    if not inputs:
        what = 'holds no picture, video or bag' if path.is_dir() else 'matches nothing'
        raise RecordingError(f'{name} {what}')
    yield from kept


def _is_input(path: Path) -> bool:
    """Say whether a path in a folder should be a picture, a video or a bag, readable or not."""
    if is_bag(path):
        return True
    known = path.suffix.lower() in (*PICTURE_FILES, *VIDEO_FILES, *CONVERTED)
    kind = _TYPES.guess_type(path.name)[0] or ''
    return (known or kind.startswith(('image/', 'video/'))) and not path.is_dir()


def _matched(pattern: Path) -> Iterator[Path]:
    """Yield the files and bags that a pattern matches, none of them hidden."""
    # Path.glob does not follow links to folders below **, which may lead round in circles.
    for path in Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))):
        is_hidden = any(part.startswith('.') and part not in ('.', '..') for part in path.parts)
        if not is_hidden and (is_bag(path) or not path.is_dir()):
            yield path


def _stems(paths: Sequence[Path]) -> list[str]:
    """Return a name for each, as short as they stay different."""
    forms: list[Callable[[Path], str]] = [
        lambda path: path.stem,
        lambda path: path.name.replace('.', '_'),
        lambda path: '_'.join(path.parts[-2:]).replace('.', '_'),
        lambda path: '_'.join(path.absolute().parts[1:]).replace('.', '_'),
    ]
    stems: dict[int, str] = {}
    for form in forms:
        names = [form(path) for path in paths]
        counts, taken = Counter(names), set(stems.values())
        for i, name in enumerate(names):
            if counts[name] == 1 and name not in taken:
                stems.setdefault(i, name)
    return [stems.get(i, f'{forms[-1](path)}_{i}') for i, path in enumerate(paths)]

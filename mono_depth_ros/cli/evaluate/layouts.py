"""Folders of RGB-D data sets: where their true depth lies and what it counts in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import EvaluationError
from ...core.files.depth_files import MILLIMETER
from .frames import Frame, folder_frames


@dataclass(frozen=True)
class Layout:
    """The habits of a data set.

    Attributes:
        unit: Meters of one count in its PNG files.
        signs: Patterns of file names that only it has.
    """

    unit: float
    signs: tuple[str, ...] = ()


LAYOUTS = {
    'tum': Layout(1 / 5000, ('depth.txt', 'groundtruth.txt', 'accelerometer.txt')),
    'icl': Layout(1 / 5000, ('associations.txt', '*.gt.freiburg', 'traj*.gt.sim')),
    'redwood': Layout(MILLIMETER, ('trajectory.log',)),
    'files': Layout(MILLIMETER),
}
"""TUM RGB-D (Sturm 2012), ICL-NUIM in TUM's format (Handa 2014), Redwood (Choi 2015), any other.

The one whose signs are in a folder is taken, else the last. Depth is in a folder `depth`, or in
files whose names say so.
"""


def find_layout(folder: Path) -> str:
    """Return the name of the layout that a folder shows signs of."""
    return next(
        name
        for name, layout in LAYOUTS.items()
        if not layout.signs or any(next(folder.glob(sign), None) for sign in layout.signs)
    )


def layout_frames(folder: Path, layout: str, unit: float) -> list[Frame]:
    """Return the frames of true depth in a folder.

    Args:
        folder: The sequence.
        layout: Name of its layout.
        unit: Meters of one count in PNG files.

    Raises:
        EvaluationError: There is none, or a list names a file that is not there.
    """
    listed = folder / 'depth.txt'
    if layout == 'tum' and listed.is_file():
        return folder_frames(folder, unit, _listed(listed))
    return folder_frames(folder, unit)


def _listed(path: Path) -> Iterator[Path]:
    """Yield the files of a list of `timestamp file` lines; # begins a comment."""
    for line in path.read_text(errors='replace').splitlines():
        words = line.partition('#')[0].split()
        if words:
            if len(words) != 2 or not (path.parent / words[1]).is_file():
                raise EvaluationError(f'{path} has the line {line!r}, which names no file')
            yield path.parent / words[1]

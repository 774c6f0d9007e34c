"""What is written of the images of a source: files of each image, of many formats."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from ..core.errors import CalibrationError
from ..core.files.file_writers import write_depth_png, write_npy, write_picture, write_ply
from ..core.pipeline import Output, PipelineSettings, Result
from .cloud_renderer import write_preview
from .figures import draw_panel
from .images import ImageFrame, LazyFrame


class Writer(Protocol):
    """Files that come of the images of one source, and the outputs that they are made of."""

    outputs: Output

    def has(self, item: LazyFrame) -> bool:
        """Say whether nothing is left to do for an image."""

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Write what belongs to one image, complete or not at all."""

    def close(self, complete: bool) -> None:
        """End, with all images through or before that."""


@dataclass(frozen=True)
class Format:
    """One kind of file: its suffix, the outputs it is made of, and what writes it."""

    suffix: str
    outputs: Output
    write: Callable[[Path, Result, PipelineSettings], None]
    needs_meters: bool = True
    needs_camera: bool = False


class FrameFileWriter:
    """A file of one format for each image, in a folder; see `Writer`."""

    def __init__(self, folder: Path, kind: Format, settings: PipelineSettings) -> None:
        self.outputs = kind.outputs
        self._folder = folder
        self._format = kind
        self._settings = settings

    def has(self, item: LazyFrame) -> bool:
        """Say whether the file of an image is there."""
        return self._path(item).is_file()

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Write the file of an image.

        Raises:
            CalibrationError: It needs a camera, and there is none.
            OSError: It cannot be written.
        """
        if self._format.needs_camera and result.camera is None:
            raise CalibrationError('no points without a calibration: give --calibration or --fov')
        path = self._path(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._format.write(path, result, self._settings)

    def close(self, complete: bool) -> None:
        """Do nothing: each file is there already."""

    def _path(self, item: LazyFrame) -> Path:
        return self._folder / f'{item.name}{self._format.suffix}'


def required(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    """Return what a step was asked for and cannot have left out."""
    assert array is not None, 'the pipeline was asked for it'
    return array


def _write_panel(path: Path, result: Result, settings: PipelineSettings) -> None:
    meters = None if result.reason_unknown else settings.colormap
    write_picture(path, draw_panel(required(result.color), required(result.colormap), meters))


def _write_preview(path: Path, result: Result, _: PipelineSettings) -> None:
    if result.camera is not None:
        write_preview(path, required(result.points), result.camera)


FORMATS = {
    'npy': Format(
        '_depth.npy', Output.DEPTH, lambda path, result, _: write_npy(path, required(result.depth))
    ),
    'png': Format(
        '_depth.png',
        Output.DEPTH,
        lambda path, result, _: write_depth_png(path, required(result.depth)),
    ),
    'color': Format(
        '_colormap.png',
        Output.COLORMAP,
        lambda path, result, _: write_picture(path, required(result.colormap)[..., ::-1]),
        needs_meters=False,
    ),
    'panel': Format(
        '_panel.png', Output.COLOR | Output.COLORMAP, _write_panel, needs_meters=False
    ),
    'ply': Format(
        '_points.ply',
        Output.POINTS,
        lambda path, result, _: write_ply(path, required(result.points)),
        needs_camera=True,
    ),
    'preview': Format('_points.png', Output.POINTS, _write_preview, needs_camera=True),
}
"""By the names that a user gives them."""

RELATIVE_NPY = Format(
    '_relative_inverse_depth.npy',
    Output.RELATIVE_INVERSE_DEPTH,
    lambda path, result, _: write_npy(path, required(result.relative_inverse_depth)),
    needs_meters=False,
)
"""What `npy` means for a relative network that nothing gives a scale."""

"""What can be written of a single image, a record for each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError
from ..core.files.file_writers import write_depth_png, write_npy, write_picture, write_ply
from ..core.pipeline import Output, PipelineSettings, Result
from .cloud_picture import Points, write_cloud_picture
from .frames import Frame, Item
from .panel import draw_panel

_PREVIEW_POINTS = 1_000_000

Write = Callable[[Path, Result, PipelineSettings], None]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes:
        suffix: What is added to the name of the image.
        outputs: What it is made of.
        write: Writes it, complete or not at all.
        needs_meters: Whether it says nothing without a scale.
        needs_camera: Whether it needs a calibration.
    """

    suffix: str
    outputs: Output
    write: Write
    needs_meters: bool = True
    needs_camera: bool = False


class Product(Protocol):
    """Files that come of the images of one source."""

    @property
    def outputs(self) -> Output:
        """What they are made of."""

    def has(self, item: Item) -> bool:
        """Say whether nothing is left to do for an image."""

    def add(self, item: Item, frame: Frame, result: Result) -> None:
        """Write what belongs to one image, complete or not at all."""

    def close(self, complete: bool) -> None:
        """End, with all images through or before that."""


@dataclass(frozen=True)
class FrameFiles:
    """A file for each image; see `Product`.

    Attributes:
        folder: Where they go.
        format: What they are.
        settings: Of the pipeline.
    """

    folder: Path
    format: Format
    settings: PipelineSettings

    @property
    def outputs(self) -> Output:
        """What they are made of."""
        return self.format.outputs

    def has(self, item: Item) -> bool:
        """Say whether the file of an image is there."""
        return self._path(item).is_file()

    def add(self, item: Item, frame: Frame, result: Result) -> None:
        """Write the file of an image.

        Raises:
            CalibrationError: It needs a camera, and there is none.
            OSError: It cannot be written.
        """
        if self.format.needs_camera and result.camera is None:
            raise CalibrationError('no points without a calibration: give --calibration or --fov')
        path = self._path(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.format.write(path, result, self.settings)

    def close(self, complete: bool) -> None:
        """Do nothing: each file is there already."""

    def _path(self, item: Item) -> Path:
        return self.folder / f'{item.name}{self.format.suffix}'


def _write_depth(path: Path, result: Result, _: PipelineSettings) -> None:
    write_npy(path, made(result.depth))


def _write_relative(path: Path, result: Result, _: PipelineSettings) -> None:
    write_npy(path, made(result.relative_inverse_depth))


def _write_millimeters(path: Path, result: Result, _: PipelineSettings) -> None:
    write_depth_png(path, made(result.depth))


def _write_colormap(path: Path, result: Result, _: PipelineSettings) -> None:
    write_picture(path, made(result.colormap)[..., ::-1])


def _write_panel(path: Path, result: Result, settings: PipelineSettings) -> None:
    meters = None if result.reason_unknown else settings.colormap
    write_picture(path, draw_panel(made(result.color), made(result.colormap), meters))


def _write_points(path: Path, result: Result, _: PipelineSettings) -> None:
    write_ply(path, made(result.points))


def _write_preview(path: Path, result: Result, _: PipelineSettings) -> None:
    points = made(result.points)
    rows = points.reshape(-1, points.shape[-1])
    known = rows[np.isfinite(rows[:, 2])]
    if result.camera is not None and len(known):
        shown, camera = _thinned(known, result.camera)
        write_cloud_picture(path, {'': shown}, camera)


def _thinned(points: Points, camera: PinholeCamera) -> tuple[Points, PinholeCamera]:
    """Return the points of every k-th row and column, and the camera of just these."""
    k = math.ceil(math.sqrt(len(points) / _PREVIEW_POINTS))
    if k <= 1:
        return points, camera
    x, y, z = points[:, :3].T
    u = np.rint(camera.fx * x / z + camera.cx).astype(np.int64)
    v = np.rint(camera.fy * y / z + camera.cy).astype(np.int64)
    coarse = PinholeCamera(
        -(-camera.width // k),
        -(-camera.height // k),
        camera.fx / k,
        camera.fy / k,
        camera.cx / k,
        camera.cy / k,
    )
    return points[(u % k == 0) & (v % k == 0)], coarse


FORMATS = {
    'npy': Format('_depth.npy', Output.DEPTH, _write_depth),
    'png': Format('_depth.png', Output.DEPTH, _write_millimeters),
    'color': Format('_colormap.png', Output.COLORMAP, _write_colormap, needs_meters=False),
    'panel': Format(
        '_panel.png', Output.COLOR | Output.COLORMAP, _write_panel, needs_meters=False
    ),
    'ply': Format('_points.ply', Output.POINTS, _write_points, needs_camera=True),
    'preview': Format('_points.png', Output.POINTS, _write_preview, needs_camera=True),
}
"""By the names that a user gives them."""

RELATIVE_NPY = Format(
    '_relative_inverse_depth.npy',
    Output.RELATIVE_INVERSE_DEPTH,
    _write_relative,
    needs_meters=False,
)
"""What `npy` means for a relative network that nothing gives a scale."""


def made(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    """Return what a step was asked for and cannot have left out."""
    assert array is not None, 'the pipeline was asked for it'
    return array

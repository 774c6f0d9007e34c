"""What is written of the images of a source, and which files a source becomes."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from ..core.errors import CalibrationError, RecordingError, SettingsError
from ..core.files.file_writers import write_depth_png, write_npy, write_picture, write_ply, writing
from ..core.pipeline import Output, PipelineSettings, Result
from .cloud_renderer import write_preview
from .depth_video import DepthVideoWriter
from .figures import Cell, Column, depth_palette, draw_rows
from .images import ImageFrame, ImageSource, LazyFrame

GIVE_SCALE = (
    'set --scale (and --shift), --right or --disparity, or take a metric network such as '
    '--encoder vits --variant metric_indoor'
)
_NO_CAMERA = 'no points without a calibration: give --calibration or --fov'
_USUAL = {'picture': ('npy', 'color', 'ply'), 'video': ('video',), 'bag': ('bag',)}
"""What a kind of source becomes if nothing is asked for."""
_POSSIBLE = {'picture': (), 'video': ('video',), 'bag': ('video', 'bag')}


class Writer(Protocol):
    """Files that come of the images of one source."""

    outputs: Output  # that they are made of

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
    needs_meters: bool = False
    needs_camera: bool = False


class FrameFileWriter:
    """A file of one format for each image, in a folder; see `Writer`."""

    def __init__(
        self, folder: Path, kind: Format, settings: PipelineSettings, inputs: frozenset[str]
    ) -> None:
        self.outputs = kind.outputs
        self._folder = folder
        self._format = kind
        self._settings = settings
        self._inputs = inputs

    def has(self, item: LazyFrame) -> bool:
        """Say whether the file of an image is there."""
        return self._path(item).is_file()

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Write the file of an image."""
        if self._format.needs_camera and (result.camera is None or result.reason_withheld):
            raise CalibrationError(result.reason_withheld or _NO_CAMERA)
        path = self._path(item)
        _require_no_input(path, self._inputs)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._format.write(path, result, self._settings)

    def close(self, complete: bool) -> None:
        """Do nothing: each file is there already."""

    def _path(self, item: LazyFrame) -> Path:
        return self._folder / f'{item.name}{self._format.suffix}'


def _require_no_input(path: Path, inputs: frozenset[str]) -> None:
    if os.path.realpath(path) in inputs:
        raise RecordingError(f'{path} would be replaced, and is an input', 'choose another -o')


def required(array: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    """Return what a step was asked for and cannot have left out."""
    assert array is not None, 'the pipeline was asked for it'
    return array


def _of(
    name: str, write: Callable[[Path, npt.NDArray[Any]], None]
) -> Callable[[Path, Result, PipelineSettings], None]:
    """Return what writes one field of a result."""
    return lambda path, result, _: write(path, required(getattr(result, name)))


def _write_panel(path: Path, result: Result, settings: PipelineSettings) -> None:
    color = required(result.color)
    column, cell = Column('relative depth'), Cell(required(result.colormap)[..., ::-1])
    if not result.reason_unknown:
        column = Column('depth', depth_palette(settings.colormap.near, settings.colormap.far))
        cell = Cell(required(result.depth))
    draw_rows(path, '', [Column('image'), column], [[Cell(color), cell]], color.shape[1])


def _write_colors(path: Path, result: Result, _: PipelineSettings) -> None:
    write_picture(path, required(result.colormap)[..., ::-1])


def _write_preview(path: Path, result: Result, _: PipelineSettings) -> None:
    if result.camera is not None:
        write_preview(path, required(result.points), result.camera)


FORMATS = {
    'npy': Format('_depth.npy', Output.DEPTH, _of('depth', write_npy)),
    'png': Format('_depth.png', Output.DEPTH, _of('depth', write_depth_png), True),
    'uncertainty': Format(
        '_uncertainty.npy', Output.UNCERTAINTY, _of('uncertainty', write_npy), True
    ),
    'color': Format('_colormap.png', Output.COLORMAP, _write_colors),
    'panel': Format('_panel.png', Output.COLOR | Output.DEPTH | Output.COLORMAP, _write_panel),
    'ply': Format('_points.ply', Output.POINTS, _of('points', write_ply), True, True),
    'preview': Format('_points.png', Output.POINTS, _write_preview, True, True),
}
"""By the names that a user gives them."""

_RELATIVE_NPY = Format(
    '_relative_inverse_depth.npy',
    Output.RELATIVE_INVERSE_DEPTH,
    _of('relative_inverse_depth', write_npy),
)
"""What `npy` means for a relative network that nothing gives a scale."""

_RESULT_ENDS = tuple({*(kind.suffix for kind in FORMATS.values()), _RELATIVE_NPY.suffix})
_RECORDING = re.compile(r'.+_depth(_\d+_of_\d+)?(\.mp4)?')


def is_result(path: Path, folder: Path) -> bool:
    """Say whether a path in an output folder, or below it, is called like a result."""
    inside = os.path.realpath(folder) in map(str, Path(os.path.realpath(path)).parents)
    is_recording = _RECORDING.fullmatch(path.name) is not None
    return inside and (is_recording or path.name.endswith(_RESULT_ENDS))


NAMES = (*FORMATS, 'video', 'bag')
"""What can be asked for."""


@dataclass(frozen=True)
class OutputPlan:
    """What is made of all sources.

    Of `NAMES`, `wanted` replaces what is usual for each kind of source, `also` comes on top. Depth
    is known if anything gives a scale (`is_metric`); `has_camera` says that all images have a
    calibration, not just those of bags. A shard adds `part` to the names of videos and bags. No
    result replaces one of `inputs` (real paths).

    Raises:
        SettingsError: What is wanted needs a scale, or a calibration, and there is none.
    """

    folder: Path
    wanted: tuple[str, ...]
    also: tuple[str, ...]
    is_metric: bool
    has_camera: bool
    settings: PipelineSettings
    part: str = ''
    inputs: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        asked = [name for name in (*self.wanted, *self.also) if name in FORMATS]
        metric = [name for name in asked if FORMATS[name].needs_meters]
        if metric and not self.is_metric:
            raise SettingsError(
                f'{", ".join(metric)} need meters, and nothing gives a relative network its scale',
                GIVE_SCALE,
            )
        if self.part and 'video' in self.wanted:
            raise SettingsError('a video needs all frames of its source: leave --shard away')

    def writers(self, source: ImageSource, resume: bool) -> list[Writer]:
        """Return what writes the files of a source, at least one."""
        possible = (*FORMATS, *_POSSIBLE[source.kind])
        asked = [name for name in (*self.wanted, *self.also) if name in possible]
        names = asked if self.wanted else [*self._usual(source), *asked]
        if not names:
            raise SettingsError(
                f'{source.path}: of a {source.kind} no {" or ".join(self.wanted)} can be made'
            )
        bare = [name for name in asked if name in FORMATS and FORMATS[name].needs_camera]
        if bare and not self.has_camera and source.kind != 'bag':
            raise SettingsError(
                f'{source.path}: {", ".join(bare)} need a calibration: give --calibration, '
                '--focal or --fov'
            )
        return [self._writer(name, source, resume) for name in dict.fromkeys(names)]

    def _usual(self, source: ImageSource) -> list[str]:
        """Return what a source becomes without being asked, as far as that can be."""
        if self.part and source.kind == 'video':
            return ['npy', 'color']
        return [name for name in _USUAL[source.kind] if self._is_possible(name)]

    def _is_possible(self, name: str) -> bool:
        needed = FORMATS.get(name)
        return needed is None or (
            (self.is_metric or not needed.needs_meters)
            and (self.has_camera or not needed.needs_camera)
        )

    def _writer(self, name: str, source: ImageSource, resume: bool) -> Writer:
        whole = self.folder / f'{source.stem}_depth{self.part}'
        if name == 'video':
            path = whole.with_name(f'{whole.name}.mp4')
            _require_no_input(path, self.inputs)
            return DepthVideoWriter(path, resume)
        if name == 'bag':
            return self._bag(whole, source, resume)
        kind = _RELATIVE_NPY if name == 'npy' and not self.is_metric else FORMATS[name]
        return FrameFileWriter(self.folder, kind, self.settings, self.inputs)

    def _bag(self, path: Path, source: ImageSource, resume: bool) -> Writer:
        # rosbags is there if the source could be opened, and only then.
        from .bag_camera import BagCamera
        from .bag_writer import BagWriter

        _require_no_input(path, self.inputs)
        assert isinstance(source, BagCamera)
        writer = BagWriter(
            path, source.bag, is_metric=self.is_metric, copies=not self.part, resume=resume
        )
        source.passing = writer.copy
        return writer

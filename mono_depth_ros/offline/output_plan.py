"""Which files come of which source."""

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import SettingsError
from ..core.pipeline import PipelineSettings
from .images import ImageSource
from .videos import DepthVideoWriter
from .writers import FORMATS, RELATIVE_NPY, FrameFileWriter, Writer

NAMES = (*FORMATS, 'video', 'bag')
"""What can be asked for."""
_USUAL = {'picture': ('npy', 'color', 'ply'), 'video': ('video',), 'bag': ('bag',)}
"""What a kind of source becomes if nothing is asked for."""
_POSSIBLE = {'picture': (), 'video': ('video',), 'bag': ('video', 'bag')}


@dataclass(frozen=True)
class OutputPlan:
    """What is made of all sources.

    Attributes:
        folder: Where it goes.
        wanted: Of `NAMES`; empty for what is usual for each kind of source.
        also: Of `NAMES`, on top of what is usual.
        is_metric: Whether anything gives a scale; without, depth is not known.
        has_camera: Whether all images have a calibration, not just those of bags.
        settings: Of the pipeline.
        part: What is added to the names of whole videos and bags, '' unless this is a shard.

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

    def __post_init__(self) -> None:
        asked = [name for name in (*self.wanted, *self.also) if name in FORMATS]
        metric = [name for name in asked if FORMATS[name].needs_meters and name != 'npy']
        if metric and not self.is_metric:
            raise SettingsError(
                f'{", ".join(metric)} need meters, and nothing gives a relative network its '
                'scale: set --scale (and --shift), --right or --disparity, or take a metric '
                'network such as --encoder vits --variant metric_indoor'
            )
        if self.part and 'video' in self.wanted:
            raise SettingsError('a video needs all frames of its source: leave --shard away')

    def writers(self, source: ImageSource, resume: bool) -> list[Writer]:
        """Return what writes the files of a source.

        Raises:
            MonoDepthError: Nothing that is wanted can be made of it.
        """
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
        return [name for name in _USUAL[source.kind] if not self._is_missing(name)]

    def _is_missing(self, name: str) -> bool:
        """Say whether a file of an image cannot be, for want of scale or calibration."""
        if name not in FORMATS or name == 'npy':
            return False
        needed = FORMATS[name]
        no_scale = needed.needs_meters and not self.is_metric
        return no_scale or (needed.needs_camera and not self.has_camera)

    def _writer(self, name: str, source: ImageSource, resume: bool) -> Writer:
        whole = self.folder / f'{source.stem}_depth{self.part}'
        if name == 'video':
            return DepthVideoWriter(
                whole.with_name(f'{whole.name}.mp4'), source.fps, resume=resume
            )
        if name == 'bag':
            return self._bag(whole, source, resume)
        is_relative = name == 'npy' and not self.is_metric
        return FrameFileWriter(
            self.folder, RELATIVE_NPY if is_relative else FORMATS[name], self.settings
        )

    def _bag(self, path: Path, source: ImageSource, resume: bool) -> Writer:
        # rosbags is there if the source could be opened, and only then.
        from .bag_camera import BagCamera
        from .bag_writer import BagWriter

        assert isinstance(source, BagCamera)
        writer = BagWriter(
            path, source.bag, is_metric=self.is_metric, copies=not self.part, resume=resume
        )
        source.passing = writer.copy
        return writer

"""A run over all inputs: each image through the pipeline of the node, each result to its files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from ..core.camera.calibration import CameraCalibration
from ..core.errors import AlignmentError, CalibrationError, ImageError, MonoDepthError
from ..core.network.dinov2 import PATCH_PX
from ..core.pipeline import Output, Pipeline, Result
from ..core.scale.depth_measurement import DepthMeasurement
from .batched_estimator import BatchedEstimator
from .chosen_camera import ChosenCamera
from .images import ImageFrame, ImageSource, LazyFrame
from .picture_measurements import Measuring
from .writers import OutputPlan, Writer


@dataclass(frozen=True)
class Shard:
    """One of `count` equal parts of the work; `number` counts from 1."""

    number: int = 1
    count: int = 1

    def takes(self, source: int, image: int) -> bool:
        """Say whether an image, by the numbers of its source and in it, is in this part."""
        return (source + image) % self.count == self.number - 1


@dataclass
class RunSummary:
    """What became of the images: written, left from an earlier run, failed (name, reason).

    Each failure is told at once, as a line of text.
    """

    done: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _: None

    @property
    def seen(self) -> int:
        """Number of images that are through."""
        return self.done + self.skipped + len(self.failures)

    def fail(self, name: str, reason: str) -> None:
        """Add a failure, and tell it."""
        self.failures.append((name, reason))
        self.tell(reason if reason.startswith(name) else f'{name}: {reason}')

    def note(self, text: str) -> None:
        """Note what has not been noted yet."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, eq=False)
class _LoadedFrame:
    """An image, and what is to be written of it."""

    item: LazyFrame
    frame: ImageFrame
    calibration: CameraCalibration | None
    writers: list[Writer]

    @property
    def wanted(self) -> Output:
        """Outputs of the pipeline that its writers need."""
        return reduce(or_, (writer.outputs for writer in self.writers))


@dataclass(frozen=True, eq=False)
class Estimation:
    """Estimates depth of all inputs.

    `measuring` measures images, if anything does. A `BatchedEstimator` takes `batch` images at
    once. `resume` leaves alone what is there already.
    """

    pipeline: Pipeline
    plan: OutputPlan
    camera: ChosenCamera = field(default_factory=ChosenCamera)
    measuring: Measuring | None = None
    shard: Shard = field(default_factory=Shard)
    resume: bool = False
    batch: int = 1
    summary: RunSummary = field(default_factory=RunSummary)

    def run(
        self, sources: Sequence[ImageSource | None], progress: Callable[[], None] = lambda: None
    ) -> RunSummary:
        """Work through the sources; what is wrong with an image costs this image alone.

        Their order is the same in all shards; None is one that is lost. `progress` is called
        after each image.

        Raises:
            MonoDepthError: Results cannot be written.
        """
        for number, source in enumerate(sources):
            if source is None:
                continue
            try:
                self._work_through(number, source, progress)
            except MonoDepthError as error:
                self.summary.fail(str(source.path), str(error))
                progress()
            except OSError as error:
                raise MonoDepthError(
                    f'{error.filename or "results"} cannot be written: {error.strerror or error}',
                    'what was written stays; go on with --resume',
                ) from error
        return self.summary

    def _work_through(
        self, number: int, source: ImageSource, progress: Callable[[], None]
    ) -> None:
        self.pipeline.scale.reset()
        rectify = self.camera.rectify and not source.is_rectified
        self.pipeline.settings = replace(self.pipeline.settings, rectify=rectify)
        if self.measuring is not None:
            self.measuring.begin(source.path)
        writers = self.plan.writers(source, self.resume)
        complete = True
        try:
            for batch in self._batches(number, source, writers):
                estimator = self.pipeline.estimator
                if isinstance(estimator, BatchedEstimator):
                    images = [(loaded.frame.rgb, loaded.calibration) for loaded in batch]
                    estimator.predict_ahead(images, self.pipeline.settings)
                for loaded in batch:
                    self._write(source, loaded)
                    progress()
        except BaseException as error:
            # A source that breaks off has given all that it will ever give.
            complete = isinstance(error, MonoDepthError)
            raise
        finally:
            progress()
            for writer in writers:
                writer.close(complete)

    def _batches(
        self, number: int, source: ImageSource, writers: Sequence[Writer]
    ) -> Iterator[list[_LoadedFrame]]:
        """Yield the images of this part that something is left to do for, some at a time."""
        batch: list[_LoadedFrame] = []
        try:
            for index, item in enumerate(source.items()):
                if self.shard.takes(number, index):
                    batch += self._loaded(item, writers)
                    if len(batch) >= self.batch:
                        yield batch
                        batch = []
        except MonoDepthError:
            yield batch
            raise
        yield batch

    def _loaded(self, item: LazyFrame, writers: Sequence[Writer]) -> list[_LoadedFrame]:
        """Return the image, if something is left to do for it and it can be read."""
        left = [w for w in writers if not (self.resume and w.has(item))]
        if not left:
            self.summary.skipped += 1
            return []
        try:
            frame = item.load()
            height, width = frame.rgb.shape[:2]
            if min(height, width) < PATCH_PX:
                raise ImageError(
                    f'{item.path}: image is {width}x{height} px; depth needs at least '
                    f'{PATCH_PX}x{PATCH_PX} px to be seen'
                )
            return [_LoadedFrame(item, frame, self.camera.of(frame), left)]
        except MonoDepthError as error:
            self.summary.fail(item.name, str(error))
            return []

    def _write(self, source: ImageSource, loaded: _LoadedFrame) -> None:
        summary = self.summary
        try:
            result = self._step(source, loaded)
            for writer in loaded.writers:
                writer.add(loaded.item, loaded.frame, result)
        except MonoDepthError as error:
            summary.fail(loaded.item.name, str(error))
            return
        summary.done += 1
        if loaded.frame.reduction < 1:
            summary.note('large images were reduced, and so are their results: see --max-size')
        if loaded.frame.refused and not self.camera.is_given:
            summary.note(f'{source.path}: {loaded.frame.refused}; or give --calibration')
        if Output.POINTS in loaded.wanted and result.camera is None:
            summary.note(f'{source.path} has no calibration, so no points: --calibration, --fov')

    def _step(self, source: ImageSource, loaded: _LoadedFrame) -> Result:
        """Return what is wanted of one image, measured first if something measures it.

        A picture stands alone; in a recording fits hold for a while, as they do in the node.
        """
        frame, scale = loaded.frame, self.pipeline.scale
        if source.kind == 'picture':
            scale.reset()
        measured = None
        if self.measuring is not None and scale.is_due(frame.stamp_ns):
            measured = self._measured(self.measuring, loaded)
        result = self.pipeline.step(
            frame.rgb, loaded.calibration, loaded.wanted, frame.stamp_ns, lambda: measured
        )
        if result.reason_unknown and self.plan.is_metric:
            doubts = self.measuring.doubts() if self.measuring is not None else ''
            raise AlignmentError(f'{loaded.item.path}: {result.reason_unknown}', doubts)
        return result

    def _measured(self, measuring: Measuring, loaded: _LoadedFrame) -> DepthMeasurement | None:
        """Return what was measured of an image, None if nothing was."""
        calibration = loaded.calibration
        if calibration is None:
            raise CalibrationError(
                f'{loaded.item.path}: a measurement needs a calibration of the image: give '
                '--calibration, --focal or --fov'
            )
        if self.pipeline.settings.rectify and not calibration.is_rectified:
            raise AlignmentError(
                f'{loaded.item.path}: disparity lives in the rectified image, and the calibration '
                'says that this one is not; rectify both pictures first, or give --no-rectify if '
                'they are rectified already'
            )
        camera = calibration.rectified_camera()
        try:
            return measuring.observe(loaded.item.path, loaded.frame, camera)
        except AlignmentError as error:
            self.pipeline.scale.refuse(str(error), loaded.frame.stamp_ns)
            return None

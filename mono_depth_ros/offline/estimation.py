"""A run over all inputs: each image through the pipeline of the node, each result to its files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_

from ..core.errors import MonoDepthError
from ..core.pipeline import Output, Pipeline
from .batched_estimator import BatchedEstimator
from .chosen_camera import ChosenCamera
from .images import ImageSource, LazyFrame
from .measured_pipeline import LoadedFrame, MeasuredPipeline
from .measuring import Measuring
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
class _WantedFrame:
    """An image, and what is to be written of it."""

    loaded: LoadedFrame
    writers: list[Writer]

    @property
    def outputs(self) -> Output:
        """Outputs of the pipeline that its writers need."""
        return reduce(or_, (writer.outputs for writer in self.writers))


@dataclass(frozen=True, eq=False)
class Estimation:
    """Estimates depth of all inputs.

    `measuring` measures images, by source. A `BatchedEstimator` takes `batch` images at
    once. `resume` leaves alone what is there already.
    """

    pipeline: Pipeline
    plan: OutputPlan
    camera: ChosenCamera = field(default_factory=ChosenCamera)
    measuring: Mapping[str, Measuring] = field(default_factory=dict)
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
        self._measured_pipeline.begin(source)
        writers = self.plan.writers(source, self.resume)
        complete = True
        try:
            for batch in self._batches(number, source, writers):
                estimator = self.pipeline.estimator
                if isinstance(estimator, BatchedEstimator):
                    frames = [wanted.loaded for wanted in batch]
                    images = [(loaded.frame.rgb, loaded.calibration) for loaded in frames]
                    estimator.predict_ahead(images, self.pipeline.settings)
                for wanted in batch:
                    self._write(source, wanted)
                    progress()
        except BaseException as error:
            # A source that breaks off has given all that it will ever give.
            complete = isinstance(error, MonoDepthError)
            raise
        finally:
            progress()
            for note in self._measured_pipeline.notes():
                self.summary.note(f'{source.path}: {note}')
            for writer in writers:
                writer.close(complete)

    def _batches(
        self, number: int, source: ImageSource, writers: Sequence[Writer]
    ) -> Iterator[list[_WantedFrame]]:
        """Yield the images of this part that something is left to do for, some at a time."""
        batch: list[_WantedFrame] = []
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

    def _loaded(self, item: LazyFrame, writers: Sequence[Writer]) -> list[_WantedFrame]:
        """Return the image, if something is left to do for it and it can be read."""
        left = [w for w in writers if not (self.resume and w.has(item))]
        if not left:
            self.summary.skipped += 1
            return []
        try:
            return [_WantedFrame(self._measured_pipeline.load(item), left)]
        except MonoDepthError as error:
            self.summary.fail(item.name, str(error))
            return []

    def _write(self, source: ImageSource, wanted: _WantedFrame) -> None:
        summary, loaded = self.summary, wanted.loaded
        try:
            result = self._measured_pipeline.step(source, loaded, wanted.outputs)
            for writer in wanted.writers:
                writer.add(loaded.item, loaded.frame, result)
        except MonoDepthError as error:
            summary.fail(loaded.item.name, str(error))
            return
        summary.done += 1
        if loaded.frame.reduction < 1:
            summary.note('large images were reduced, and so are their results: see --max-size')
        if loaded.frame.refused and not self.camera.is_given:
            summary.note(f'{source.path}: {loaded.frame.refused}; or give --calibration')
        if Output.POINTS in wanted.outputs and result.camera is None:
            summary.note(f'{source.path} has no calibration, so no points: --calibration, --fov')

    @cached_property
    def _measured_pipeline(self) -> MeasuredPipeline:
        return MeasuredPipeline(self.pipeline, self.camera, self.measuring, self.plan.is_metric)

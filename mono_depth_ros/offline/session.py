"""A run over all inputs: each image through the pipeline of the node, each result to its files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from ..core.calibration import CameraCalibration, fit_to_image
from ..core.camera import PinholeCamera
from ..core.errors import AlignmentError, CalibrationError, MonoDepthError
from ..core.network.dinov2 import PATCH_PX
from ..core.pipeline import Output, Pipeline, Result
from .formats import Product
from .frames import Frame, Item, Source
from .measuring import Measuring
from .products import Products


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of the work.

    Attributes:
        number: Which, from 1 on.
        count: Of how many.
    """

    number: int = 1
    count: int = 1

    def takes(self, source: int, image: int) -> bool:
        """Say whether an image, by the numbers of its source and in it, is in this part."""
        return (source + image) % self.count == self.number - 1


@dataclass
class Tally:
    """What became of the images.

    Attributes:
        done: Written.
        skipped: Were there already.
        failures: Name and reason of each that could not be done, or of a whole input.
        notes: What a reader of the results must know.
    """

    done: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """How many images are through."""
        return self.done + self.skipped + len(self.failures)

    def note(self, text: str) -> None:
        """Note what has not been noted yet."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, eq=False)
class Session:
    """What is the same for all inputs.

    Attributes:
        pipeline: With the settings of the user.
        products: What is made of each source.
        calibration: Of all images, in place of their own; None if each has its own or none.
        focal_px: Focal length of all images that have no calibration; 0 = not known.
        rectify: Whether images are rectified unless they say that they are.
        measuring: What measures pictures; None if nothing does.
        shard: The part of the images that is worked on.
        resume: Whether what is there already is left as it is.
    """

    pipeline: Pipeline
    products: Products
    calibration: CameraCalibration | None = None
    focal_px: float = 0.0
    rectify: bool = True
    measuring: Measuring | None = None
    shard: Shard = Shard()
    resume: bool = False

    def run(
        self, sources: Sequence[Source | None], tally: Tally, progress: Callable[[Tally], None]
    ) -> None:
        """Work through the sources; what is wrong with an image costs this image alone.

        Args:
            sources: In an order that is the same in all shards; None for one that is lost.
            tally: Kept up to date.
            progress: Called after each image.

        Raises:
            MonoDepthError: Results cannot be written.
        """
        for number, source in enumerate(sources):
            if source is None:
                continue
            try:
                self._work_through(number, source, tally, progress)
            except MonoDepthError as error:
                tally.failures.append((str(source.path), str(error)))
                progress(tally)
            except OSError as error:
                raise MonoDepthError(f'results cannot be written: {error}') from error

    def _work_through(
        self, number: int, source: Source, tally: Tally, progress: Callable[[Tally], None]
    ) -> None:
        self.pipeline.scale.reset()
        settings = self.pipeline.settings
        self.pipeline.settings = replace(
            settings, rectify=self.rectify and not source.is_rectified
        )
        if self.measuring is not None:
            self.measuring.begin(source.path)
        products = self.products.of(source, self.resume)
        complete = False
        try:
            for item in self._mine(number, source):
                left = [p for p in products if not (self.resume and p.has(item))]
                if not left:
                    tally.skipped += 1
                else:
                    self._make(source, item, left, tally)
                progress(tally)
            complete = True
        except MonoDepthError:
            # A source that breaks off has given all that it will ever give.
            complete = True
            raise
        finally:
            for product in products:
                product.close(complete)

    def _mine(self, number: int, source: Source) -> Iterator[Item]:
        for index, item in enumerate(source.items()):
            if self.shard.takes(number, index):
                yield item

    def _make(self, source: Source, item: Item, products: Sequence[Product], tally: Tally) -> None:
        wanted = reduce(or_, (product.outputs for product in products))
        try:
            frame = item.load()
            result = self._step(source, frame, wanted)
            for product in products:
                product.add(item, frame, result)
        except MonoDepthError as error:
            tally.failures.append((item.name, str(error)))
            return
        tally.done += 1
        if frame.reduction < 1:
            tally.note('large images were reduced, and so are their results: see --max-size')
        if Output.POINTS in wanted and result.camera is None:
            tally.note(f'{source.path} has no calibration, so no points: --calibration, --fov')

    def _step(self, source: Source, frame: Frame, wanted: Output) -> Result:
        """Return what is wanted of one image, measured first if something measures it."""
        height, width = frame.rgb.shape[:2]
        if min(height, width) < PATCH_PX:
            raise CalibrationError(
                f'{source.path}: image is {width}x{height} px; depth needs at least '
                f'{PATCH_PX}x{PATCH_PX} px to be seen'
            )
        calibration = self._calibration(frame)
        if self.measuring is not None and self._is_due(source, frame):
            self._measure(self.measuring, source, frame, calibration)
        result = self.pipeline.step(frame.rgb, calibration, wanted, frame.stamp_ns)
        if result.unknown and self.products.is_metric:
            raise AlignmentError(f'{source.path}: {result.unknown}')
        return result

    def _measure(
        self,
        measuring: Measuring,
        source: Source,
        frame: Frame,
        calibration: CameraCalibration | None,
    ) -> None:
        """Fit the pipeline's scale to what was measured of this image.

        A picture stands alone; in a recording fits hold for a while, as they do in the node, so
        that an image without its measurement is not lost.
        """
        if calibration is not None and self.rectify and not calibration.is_rectified:
            raise AlignmentError(
                f'{source.path}: disparity lives in the rectified image, and the calibration '
                'says that this one is not; rectify both pictures first'
            )
        scale = self.pipeline.scale
        try:
            observation = measuring.observe(source.path, frame, self._camera(frame, calibration))
        except AlignmentError as error:
            scale.aligner.refuse(str(error))
            return
        self.pipeline.look(frame.rgb, calibration, frame.stamp_ns)
        scale.observe(frame.stamp_ns, observation)

    def _is_due(self, source: Source, frame: Frame) -> bool:
        """Say whether an image should be measured; a picture has nothing to do with the last."""
        if source.kind == 'picture':
            self.pipeline.scale.reset()
        return self.pipeline.scale.aligner.is_due(frame.stamp_ns)

    def _camera(self, frame: Frame, calibration: CameraCalibration | None) -> PinholeCamera:
        if calibration is not None:
            return calibration.rectified_camera()
        height, width = frame.rgb.shape[:2]
        return PinholeCamera.from_fov(width, height, self.pipeline.settings.fov_deg)

    def _calibration(self, frame: Frame) -> CameraCalibration | None:
        """Return the calibration of a frame at its size, None if there is none."""
        height, width = frame.rgb.shape[:2]
        chosen = self.calibration or frame.calibration
        if chosen is not None:
            return fit_to_image(chosen, width, height)
        if not self.focal_px:
            return None
        focal_px = self.focal_px * frame.reduction
        center_u, center_v = (width - 1) / 2, (height - 1) / 2
        intrinsics = ((focal_px, 0.0, center_u), (0.0, focal_px, center_v), (0.0, 0.0, 1.0))
        return CameraCalibration(
            width,
            height,
            K=intrinsics,
            D=(),
            distortion_model='plumb_bob',
            R=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
            P=tuple((*row, 0.0) for row in intrinsics),
        )

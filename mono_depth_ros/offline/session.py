"""A run over all inputs: each image through the pipeline of the node, each result to its files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from ..core.camera.calibration import CameraCalibration, fit_to_image
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import AlignmentError, ImageError, MonoDepthError
from ..core.network.dinov2 import PATCH_PX
from ..core.pipeline import Output, Pipeline, Result
from ..core.scale.depth_measurement import DepthMeasurement
from .ahead import Ahead
from .formats import Product
from .frames import Frame, Item, Source
from .measuring import Measuring
from .products import Products
from .tally import Shard, Tally


@dataclass(frozen=True, eq=False)
class _Loaded:
    """An image, and what is to be made of it."""

    item: Item
    frame: Frame
    calibration: CameraCalibration | None
    products: list[Product]

    @property
    def wanted(self) -> Output:
        """What the pipeline is asked for."""
        return reduce(or_, (product.outputs for product in self.products))


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
        ahead: The pipeline's estimator, if it takes several images at once.
        batch: How many images it is given at once.
    """

    pipeline: Pipeline
    products: Products
    calibration: CameraCalibration | None = None
    focal_px: float = 0.0
    rectify: bool = True
    measuring: Measuring | None = None
    shard: Shard = field(default_factory=Shard)
    resume: bool = False
    ahead: Ahead | None = None
    batch: int = 1

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
            for batch in self._batches(number, source, products, tally):
                self._look_ahead(batch)
                for loaded in batch:
                    self._make(source, loaded, tally)
                    progress(tally)
            complete = True
        except MonoDepthError:
            # A source that breaks off has given all that it will ever give.
            complete = True
            raise
        finally:
            progress(tally)
            for product in products:
                product.close(complete)

    def _batches(
        self, number: int, source: Source, products: Sequence[Product], tally: Tally
    ) -> Iterator[list[_Loaded]]:
        """Yield the images of this part that something is left to do for, some at a time."""
        batch: list[_Loaded] = []
        try:
            for index, item in enumerate(source.items()):
                if self.shard.takes(number, index):
                    batch += self._loaded(item, products, tally)
                    if len(batch) >= self.batch:
                        yield batch
                        batch = []
        except MonoDepthError:
            yield batch
            raise
        yield batch

    def _loaded(self, item: Item, products: Sequence[Product], tally: Tally) -> list[_Loaded]:
        """Return the image, if something is left to do for it and it can be read."""
        left = [p for p in products if not (self.resume and p.has(item))]
        if not left:
            tally.skipped += 1
            return []
        try:
            frame = item.load()
            height, width = frame.rgb.shape[:2]
            if min(height, width) < PATCH_PX:
                raise ImageError(
                    f'{item.path}: image is {width}x{height} px; depth needs at least '
                    f'{PATCH_PX}x{PATCH_PX} px to be seen'
                )
            return [_Loaded(item, frame, self._calibration(frame), left)]
        except MonoDepthError as error:
            tally.failures.append((item.name, str(error)))
            return []

    def _look_ahead(self, batch: Sequence[_Loaded]) -> None:
        if self.ahead is not None:
            images = [(loaded.frame.rgb, loaded.calibration) for loaded in batch]
            self.ahead.look(images, self.pipeline.settings)

    def _make(self, source: Source, loaded: _Loaded, tally: Tally) -> None:
        try:
            result = self._step(source, loaded)
            for product in loaded.products:
                product.add(loaded.item, loaded.frame, result)
        except MonoDepthError as error:
            tally.failures.append((loaded.item.name, str(error)))
            return
        tally.done += 1
        if loaded.frame.reduction < 1:
            tally.note('large images were reduced, and so are their results: see --max-size')
        if Output.POINTS in loaded.wanted and result.camera is None:
            tally.note(f'{source.path} has no calibration, so no points: --calibration, --fov')

    def _step(self, source: Source, loaded: _Loaded) -> Result:
        """Return what is wanted of one image, measured first if something measures it.

        A picture stands alone; in a recording fits hold for a while, as they do in the node, so
        that an image without its measurement is not lost.
        """
        frame, scale = loaded.frame, self.pipeline.scale
        if source.kind == 'picture':
            scale.reset()
        measured = None
        if self.measuring is not None and scale.is_due(frame.stamp_ns):
            measured = self._measured(self.measuring, loaded)
        result = self.pipeline.step(
            frame.rgb, loaded.calibration, loaded.wanted, frame.stamp_ns, measured
        )
        if result.reason_unknown and self.products.is_metric:
            raise AlignmentError(f'{loaded.item.path}: {result.reason_unknown}')
        return result

    def _measured(self, measuring: Measuring, loaded: _Loaded) -> DepthMeasurement | None:
        """Return what was measured of an image, None if nothing was."""
        calibration = loaded.calibration
        if calibration is not None and self.rectify and not calibration.is_rectified:
            raise AlignmentError(
                f'{loaded.item.path}: disparity lives in the rectified image, and the calibration '
                'says that this one is not; rectify both pictures first'
            )
        camera = self._camera(loaded.frame, calibration)
        try:
            return measuring.observe(loaded.item.path, loaded.frame, camera)
        except AlignmentError as error:
            self.pipeline.scale.refuse(str(error), loaded.frame.stamp_ns)
            return None

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

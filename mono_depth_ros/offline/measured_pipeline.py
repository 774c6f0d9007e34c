"""The pipeline of the node on images of files: each read, measured, and made depth of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.camera.calibration import CameraCalibration
from ..core.errors import AlignmentError, ImageError, TransformError
from ..core.network.dinov2 import PATCH_PX
from ..core.pipeline import Output, Pipeline, Result
from ..core.scale.frame_scale import told
from .chosen_camera import ChosenCamera
from .images import ImageFrame, ImageSource, LazyFrame
from .measuring import Measuring


@dataclass(frozen=True, eq=False)
class LoadedFrame:
    """An image, and its calibration at its size, None if none is known."""

    item: LazyFrame
    frame: ImageFrame
    calibration: CameraCalibration | None


@dataclass(frozen=True, eq=False)
class MeasuredPipeline:
    """A pipeline, and what measures the images that go through it.

    Attributes:
        pipeline: As in the node.
        camera: What the user states about it.
        measuring: What measures images, by source; {} if nothing does.
        is_metric: Whether an image whose depth is unknown has failed.
    """

    pipeline: Pipeline
    camera: ChosenCamera
    measuring: Mapping[str, Measuring]
    is_metric: bool
    _refusals: list[str] = field(default_factory=list)

    def begin(self, source: ImageSource) -> None:
        """Prepare for the images of a source; raise `MonoDepthError` if nothing measures them."""
        self.pipeline.scale.reset()
        self._refusals.clear()
        rectify = self.camera.rectify and not source.is_rectified
        self.pipeline.settings = replace(self.pipeline.settings, rectify=rectify)
        for measuring in self.measuring.values():
            measuring.begin(source.path)

    def load(self, item: LazyFrame) -> LoadedFrame:
        """Return an image with its calibration.

        Raises:
            MonoDepthError: It is damaged, too small, or the calibration does not fit.
        """
        frame = item.load()
        height, width = frame.rgb.shape[:2]
        if min(height, width) < PATCH_PX:
            raise ImageError(
                f'{item.path}: image is {width}x{height} px; depth needs at least '
                f'{PATCH_PX}x{PATCH_PX} px to be seen'
            )
        return LoadedFrame(item, frame, self.camera.of(frame))

    def step(self, source: ImageSource, loaded: LoadedFrame, wanted: Output) -> Result:
        """Return what is wanted of one image, measured first if something measures it.

        A picture stands alone; in a recording fits hold for a while, as they do in the node.

        Raises:
            MonoDepthError: Its depth is unknown and has to be known, or what measures it is
                damaged or of another view.
        """
        frame, scale = loaded.frame, self.pipeline.scale
        if source.kind == 'picture':
            scale.reset()
        evidence: dict[str, Any] = {}
        if self.pipeline.settings.alignment.model == 'fused' or scale.is_due(frame.stamp_ns):
            evidence = self._evidence(loaded)
        doubts = ' '.join(filter(None, (one.doubts() for one in self.measuring.values())))
        result = self.pipeline.step(
            frame.rgb, loaded.calibration, wanted, frame.stamp_ns, lambda: evidence
        )
        left_out = told(result.quality.left_out)
        if result.quality.was_measured and (refusal := result.quality.refusal or left_out):
            self._refusals.append(f'{loaded.item.name}: {refusal}')
        if result.reason_unknown and self.is_metric:
            raise AlignmentError(f'{loaded.item.path}: {result.reason_unknown}', doubts)
        return result

    def notes(self) -> list[str]:
        """Return what a user should know of what was measured so far."""
        found = [measuring.note() for measuring in self.measuring.values()]
        if count := len(self._refusals):
            found.append(f'{count} measurements were not used, the first of {self._refusals[0]}')
        return [note for note in found if note]

    def _evidence(self, loaded: LoadedFrame) -> dict[str, Any]:
        """Return what was measured of an image, by source; see `Evidence`."""
        found: dict[str, Any] = {}
        for name, measuring in self.measuring.items():
            self._require_rectified(measuring, loaded)
            calibration = loaded.calibration
            camera = calibration.rectified_camera() if calibration is not None else None
            observed: Any
            try:
                observed = measuring.observe(loaded.item.path, loaded.frame, camera)
            except (AlignmentError, TransformError) as error:
                observed = error
            if observed is not None:
                found[name] = observed
        return found

    def _require_rectified(self, measuring: Measuring, loaded: LoadedFrame) -> None:
        calibration = loaded.calibration
        is_raw = calibration is not None and not calibration.is_rectified
        if is_raw and self.pipeline.settings.rectify and not measuring.is_projected:
            raise AlignmentError(
                f'{loaded.item.path}: what is measured pixel by pixel lives in the rectified '
                'image, and the calibration says that this one is not; rectify both pictures '
                'first, or give --no-rectify if they are rectified already'
            )

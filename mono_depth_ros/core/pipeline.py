"""The step: one image in, everything that was asked for out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .camera.calibration import CameraCalibration
from .camera.image_preparation import ImagePreparer, PreparedImage
from .camera.pinhole import PinholeCamera
from .devices import one_thread, queue_download
from .network.batching import alone
from .network.estimator import Estimator
from .network.predicted_frame import PredictedFrame, Predicting, PredictionRequest
from .outputs.depth_frame import DepthFrame
from .outputs.edge_filter import remove_flying_pixels
from .outputs.ground_plane import GroundFinder, GroundPlane
from .outputs.output_table import CLOUDS, Output, queue_outputs
from .outputs.specks import SpeckFilter
from .pipeline_settings import PipelineSettings
from .scale.evidence import Evidence
from .scale.frame_scale import FrameScale
from .scale.scale_estimator import ScaleEstimator
from .scale.uncertainty import Uncertainty, remove_uncertain
from .types import AffineScale

__all__ = ['CLOUDS', 'Output', 'Pipeline', 'PipelineSettings', 'Result']


@dataclass(frozen=True, eq=False)
class Result:
    """What a step made; what was not asked for, or cannot be known, is None.

    Attributes:
        camera: Intrinsics of all outputs.
        quality: The scale of the image: what was applied, and the fit behind it.
        reason_unknown: Why no pixel's depth is known, '' if one is.
        known_share: Share of pixels with known depth, 0..1; None if the network did not run.
        reason_withheld: Why clouds are missing for want of the ground plane, '' if none is.
        ground_plane: What clouds were cut by, None if none needed it or it is not known.
        depth: (H, W) float32 [m], NaN unknown; see `depth_invalid` for infinities.
        uncertainty: (H, W) float32 [m], one standard deviation of depth, NaN unknown.
        points: (N, C) or (H, W, C) float32, see `pack_cloud`.
        points_clearing: (N, 3) float32, see `clearing_points`.
        points_ground: (N, C) float32, see `make_points_ground`.
        points_nonground: (N, C) float32, see `make_points_nonground`.
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 BGR.
        relative_inverse_depth: (H, W) float32.
        inference_s: Time in the network, resizing included, for all images that were predicted
            at once [s]; None if it did not run.
    """

    camera: PinholeCamera | None
    quality: FrameScale
    reason_unknown: str = ''
    known_share: float | None = None
    reason_withheld: str = ''
    ground_plane: GroundPlane | None = None
    depth: np.ndarray | None = None
    uncertainty: np.ndarray | None = None
    points: np.ndarray | None = None
    points_clearing: np.ndarray | None = None
    points_ground: np.ndarray | None = None
    points_nonground: np.ndarray | None = None
    color: np.ndarray | None = None
    colormap: np.ndarray | None = None
    relative_inverse_depth: np.ndarray | None = None
    inference_s: float | None = None

    @property
    def alignment(self) -> AffineScale | None:
        """The fitted or set scale and shift of inverse depth; None for a network's own meters."""
        return self.quality.alignment

    @property
    def complaints(self) -> list[str]:
        """What a user should know: why depth is unknown, or clouds are missing."""
        unknown = self.reason_unknown and f'depth is not known: {self.reason_unknown}'
        return [said for said in (unknown, self.reason_withheld) if said]


class Pipeline:
    """An estimator, and what turns its predictions into depth, colors and points.

    Args:
        estimator: The network.
        settings: How predictions become outputs.
        may_fit_later: Whether fits may be left to `ScaleEstimator.catch_up`.

    Attributes:
        estimator: The network.
        scale: What makes its predictions metric.
        specks: Leaves specks out of the points above the ground.
    """

    def __init__(
        self, estimator: Estimator, settings: PipelineSettings, *, may_fit_later: bool = False
    ) -> None:
        self.estimator = estimator
        self.scale = ScaleEstimator(settings, estimator.kind, may_wait=may_fit_later)
        self.settings = settings
        self._preparer = ImagePreparer(estimator.device)
        self.specks = SpeckFilter()

    @property
    def settings(self) -> PipelineSettings:
        """How predictions become outputs; a step ends with the settings it began with.

        Raises:
            SettingsError: On setting, if they do not belong to the network's kind.
        """
        return self._settings

    @settings.setter
    def settings(self, settings: PipelineSettings) -> None:
        settings.require_kind(self.estimator.kind)
        self._settings = settings
        self.scale.settings = settings

    def step(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        wanted: Output,
        stamp_ns: int = 0,
        lookup: Callable[[], Evidence] | None = None,
        ground: GroundFinder | None = None,
    ) -> Result:
        """Return what is wanted of one image, predicted alone; see `begin_step`."""
        return alone(self.begin_step(rgb, calibration, wanted, stamp_ns, lookup, ground))

    @torch.inference_mode()
    def begin_step(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        wanted: Output,
        stamp_ns: int = 0,
        lookup: Callable[[], Evidence] | None = None,
        ground: GroundFinder | None = None,
    ) -> Predicting[Result]:
        """Make what is wanted of one image; the network is asked only if something needs it.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image size; None if unknown.
            wanted: The outputs to make.
            stamp_ns: When the image was taken [ns]; measurements find it by that.
            lookup: Returns what measures this image, as of `ScaleEstimator.observe`;
                called after the network has run. `Result.quality` says what became of it.
            ground: Finds the ground plane, if an output needs it, and where the camera stands;
                by default the plane is that of `alignment.camera_height`.

        Raises:
            CalibrationError: The calibration is for another size, or its lens model is unknown.
            ImageError: The image has a type or shape that no network takes.
        """
        settings, ground = self.settings, ground or GroundFinder(self._mounted_plane)
        # Prepare: upload, rectify, and bring color, camera and mask to the size of the outputs.
        image = self._preparer.prepare(rgb, calibration, settings)
        if not wanted & ~Output.COLOR:
            return (yield from self._without_depth(image, wanted, stamp_ns))
        # Predict.
        prediction: PredictedFrame = yield PredictionRequest(self.estimator, image, settings)
        self.scale.settings = settings  # those that the step began with
        # Scale: fit to what measures this image, or look up a fit that still holds.
        scale = self.scale.update(stamp_ns, prediction, settings.depth_range, lookup)
        with one_thread():
            # Make it metric; drop pixels between two surfaces before the range gate makes edges.
            metric = scale.metric(prediction, settings.depth_range)
            q, radius = metric.inverse_depth, prediction.kernel_radius
            q = remove_flying_pixels(q, settings.edge_filter, radius, metric.is_measured)
            uncertainty = Uncertainty(metric, prediction, scale)
            q = remove_uncertain(q, uncertainty, settings.uncertainty_limit)
            # Make what is wanted, and download it while the device may begin with the next image.
            frame = DepthFrame(prediction, q, scale, settings, uncertainty, ground, self.specks)
            queued = queue_outputs(wanted, frame)
        made = yield from queued.arrive()
        made['inference_s'] = prediction.inference_s
        return Result(image.camera, scale, *frame.health, **made)

    def predict(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        stamp_ns: int,
        lookup: Callable[[], Evidence] | None = None,
    ) -> PredictedFrame:
        """Return the prediction of one image, alone; see `begin_prediction`."""
        return alone(self.begin_prediction(rgb, calibration, stamp_ns, lookup))

    @torch.inference_mode()
    def begin_prediction(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        stamp_ns: int,
        lookup: Callable[[], Evidence] | None = None,
    ) -> Predicting[PredictedFrame]:
        """Predict an image that no output is wanted of, so that a measurement can be fitted."""
        settings = self.settings
        image = self._preparer.prepare(rgb, calibration, settings)
        prediction: PredictedFrame = yield PredictionRequest(self.estimator, image, settings)
        self.scale.settings = settings
        self.scale.update(stamp_ns, prediction, settings.depth_range, lookup)
        return prediction

    def observe(self, stamp_ns: int, evidence: Evidence) -> None:
        """Fit to a measurement of an image that is still kept; see `ScaleEstimator.observe`."""
        self.scale.observe(stamp_ns, evidence, self.settings.depth_range)
        self.scale.catch_up()

    def _mounted_plane(self) -> GroundPlane:
        return GroundPlane.of_mount(self.settings.alignment)

    def _without_depth(
        self, image: PreparedImage, wanted: Output, stamp_ns: int
    ) -> Predicting[Result]:
        """Return what needs no network."""
        wanted_color = {'color': image.color} if Output.COLOR in wanted else {}
        arrays = yield from queue_download(wanted_color).arrive()
        scale = self.scale.alignment_at(stamp_ns).unless(image.reason_unknown)
        return Result(image.camera, scale, scale.reason_unknown, color=arrays.get('color'))

"""The step: one image in, everything that was asked for out."""

import math
from functools import lru_cache

import numpy as np
import torch

from .camera.calibration import CameraCalibration
from .camera.image_preparation import ImagePreparer, PreparedImage
from .camera.mask import read_mask
from .camera.pinhole import PinholeCamera
from .devices import one_thread
from .network.estimator import Estimator
from .network.focal_length import focal_factor
from .outputs.clearing import clearing_points
from .outputs.cloud import pack_cloud
from .outputs.colormap import Colormap
from .outputs.depth_range import clip_range, mark_out_of_range
from .outputs.edge_filter import remove_flying_pixels
from .pipeline_settings import PipelineSettings
from .result import CLOUDS, Output, Result
from .scale.depth_measurement import DepthMeasurement
from .scale.prediction_buffer import CachedPrediction
from .scale.scale_estimator import ScaleEstimator
from .stopwatch import Stopwatch
from .types import AffineScale, PredictionKind

__all__ = ['CLOUDS', 'Output', 'Pipeline', 'PipelineSettings', 'Result']

_SATURATED = 0.98
"""Share of a metric head's maximum from which its depth says no more than "far"."""

_NO_FOCAL = (
    'focal_correction needs the focal length of the camera: no usable camera_info came, and '
    'fov_deg is not set'
)


class Pipeline:
    """An estimator and what turns its predictions into depth, colors and points.

    Attributes:
        estimator: The network.
        scale: What makes its predictions metric.
    """

    def __init__(self, estimator: Estimator, settings: PipelineSettings) -> None:
        self.estimator = estimator
        self.scale = ScaleEstimator(settings, self._relative)
        self._viewer = ImagePreparer(estimator.device)
        self.settings = settings
        self._stopwatch = Stopwatch(estimator.device)
        self._colormap = Colormap(estimator.device)
        self._rays = lru_cache(maxsize=1)(PinholeCamera.rays)

    @property
    def settings(self) -> PipelineSettings:
        """How predictions become outputs; a step ends with those it began with.

        Raises:
            SettingsError: On setting, if they do not belong to the network's kind, or there is
                no such mask.
        """
        return self._settings

    @settings.setter
    def settings(self, settings: PipelineSettings) -> None:
        settings.require_kind(self.estimator.kind)
        if not settings.mask:
            self._viewer.mask = None
        elif self._viewer.mask is None or self._viewer.mask.path != settings.mask:
            self._viewer.mask = read_mask(settings.mask)
        self._settings = settings
        self.scale.settings = settings

    @torch.inference_mode()
    def step(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        wanted: Output,
        stamp_ns: int = 0,
        measured: DepthMeasurement | None = None,
    ) -> Result:
        """Return what is wanted of one image; the network runs only if something needs it.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image; None if there is none.
            wanted: The outputs to make.
            stamp_ns: When the image was taken [ns]; measurements find it by that.
            measured: What was measured of this very image, to be fitted to before anything is
                made of it; `scale.aligner` says what became of that.

        Raises:
            CalibrationError: It is of another image size, or its lens cannot be rectified.
            ImageError: The image has a type or shape that no network takes.
        """
        settings = self.settings
        alignment, unknown = self.scale.of(stamp_ns)
        made: dict[str, torch.Tensor] = {}

        # Upload, undistort, and bring camera and colors to the size of the outputs.
        view = self._viewer.view(rgb, calibration, settings)
        camera, color = view.camera, view.color
        if Output.COLOR in wanted:
            made['color'] = color

        if wanted & ~Output.COLOR:
            prediction = self._predict(view, settings)
            self.scale.keep(stamp_ns, CachedPrediction(prediction, color, camera))
            if measured is not None:
                self.scale.observe(stamp_ns, measured)
                alignment, unknown = self.scale.of(stamp_ns)
            if settings.focal_correction and camera is None:
                unknown = unknown or _NO_FOCAL
            with one_thread():
                # Make it metric, drop what lies between two surfaces or is out of range.
                inverse_depth = self._metric(prediction, alignment, unknown, settings)
                inverse_depth = self.scale.corrected(inverse_depth, stamp_ns)
                inverse_depth = remove_flying_pixels(
                    inverse_depth, settings.edge_filter, self._smear(view)
                )
                depth_range = (settings.min_depth, settings.max_depth)
                depth = clip_range(inverse_depth, *depth_range)

                # Paint and pack.
                if Output.DEPTH in wanted and settings.depth_invalid == 'nan':
                    made['depth'] = depth
                if Output.DEPTH in wanted and settings.depth_invalid == 'inf':
                    made['depth'] = mark_out_of_range(depth, inverse_depth, *depth_range)
                if wanted & CLOUDS and camera is not None and not unknown:
                    rays = self._rays(camera, self.estimator.device)
                    if Output.POINTS in wanted:
                        colored = color if settings.cloud.color else None
                        made['points'] = pack_cloud(depth, rays, colored, settings.cloud)
                    if Output.POINTS_CLEARING in wanted:
                        made['points_clearing'] = self._clearing(inverse_depth, camera, settings)
                if Output.COLORMAP in wanted and unknown:
                    made['colormap'] = self._colormap.paint_relative(prediction)
                if Output.COLORMAP in wanted and not unknown:
                    made['colormap'] = self._colormap.paint_depth(depth, settings.colormap)
                if Output.RELATIVE_INVERSE_DEPTH in wanted and self._relative:
                    made['relative_inverse_depth'] = prediction

        # Download.
        arrays = {name: tensor.contiguous().cpu().numpy() for name, tensor in made.items()}
        return Result(camera, unknown=unknown, inference_s=self._stopwatch.take(), **arrays)

    @torch.inference_mode()
    def look(self, rgb: np.ndarray, calibration: CameraCalibration | None, stamp_ns: int) -> None:
        """Predict an image that no output is wanted of, so that a measurement can be fitted."""
        view = self._viewer.view(rgb, calibration, self.settings)
        prediction = self._predict(view, self.settings)
        self.scale.keep(stamp_ns, CachedPrediction(prediction, view.color, view.camera))

    @property
    def _relative(self) -> bool:
        return self.estimator.kind is PredictionKind.RELATIVE_INVERSE_DEPTH

    def _predict(self, view: PreparedImage, settings: PipelineSettings) -> torch.Tensor:
        """Return (h, w) what an alignment is applied to; NaN where the network says nothing.

        That is relative inverse depth, or the inverse depth of a metric network.
        """
        self._stopwatch.start()
        prediction = self.estimator.predict(view.image, view.size)
        self._stopwatch.stop()
        if self.estimator.max_depth is not None:
            saturated = prediction > _SATURATED * self.estimator.max_depth
            prediction = prediction.masked_fill(saturated, torch.nan)
        if view.seen is not None:
            prediction = prediction.masked_fill(~view.seen, torch.nan)
        if self._relative:
            return prediction
        focal_px = self.estimator.training_focal_px
        if settings.focal_correction and view.camera is not None and focal_px is not None:
            prediction = prediction * focal_factor(view.camera, self._network_size(view), focal_px)
        return prediction.reciprocal()

    def _metric(
        self,
        prediction: torch.Tensor,
        alignment: AffineScale | None,
        unknown: str,
        settings: PipelineSettings,
    ) -> torch.Tensor:
        """Return inverse depth [1/m]; NaN where it has no scale."""
        if unknown:
            return torch.full_like(prediction, torch.nan)
        own_scale = AffineScale(1 / settings.depth_scale)
        return (alignment or own_scale).inverse_depth(prediction)

    def _clearing(
        self, inverse_depth: torch.Tensor, camera: PinholeCamera, settings: PipelineSettings
    ) -> torch.Tensor:
        """Return (N, 3) the ends of rays known to be free [m]."""
        rays = self._rays(camera, self.estimator.device)
        depth_range = (settings.min_depth, settings.max_depth)
        far_below = settings.clearing.far_inverse_depth if self._relative else -math.inf
        return clearing_points(
            inverse_depth, rays, camera, settings.clearing, depth_range, far_below
        )

    def _smear(self, view: PreparedImage) -> int:
        """Return the output pixels that a pixel of the network covers, at least 1."""
        return max(1, round(view.size[0] / self._network_size(view)[0]))

    def _network_size(self, view: PreparedImage) -> tuple[int, int]:
        """Return (height, width) [px] at which the network sees a view."""
        height, width = view.image.shape[:2]
        return self.estimator.network_size(height, width)

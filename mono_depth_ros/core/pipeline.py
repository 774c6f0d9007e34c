"""The step: one image in, everything that was asked for out."""

from dataclasses import dataclass
from enum import Flag, auto
from functools import lru_cache

import numpy as np
import torch

from .calibration import CameraCalibration
from .camera import PinholeCamera
from .cloud import pack_cloud
from .colormap import Colormap
from .devices import one_thread
from .edges import remove_flying_pixels
from .errors import CalibrationError
from .estimator import Estimator
from .history import Seen
from .images import output_size, shrunk, uploaded
from .pipeline_settings import PipelineSettings
from .rectification import Rectifier
from .scale import Scale
from .stopwatch import Stopwatch
from .types import Alignment, PredictionKind

__all__ = ['Output', 'Pipeline', 'PipelineSettings', 'Result']

_SATURATED = 0.98
"""Share of a metric head's maximum from which its depth says no more than "far"."""


class Output(Flag):
    """What a step may be asked for."""

    DEPTH = auto()
    POINTS = auto()
    COLOR = auto()
    COLORMAP = auto()
    RELATIVE_INVERSE_DEPTH = auto()


@dataclass(frozen=True, eq=False)
class Result:
    """What a step made; what was not asked for, or cannot be known, is None.

    Attributes:
        camera: Intrinsics of all outputs.
        depth: (H, W) float32 [m], NaN unknown.
        points: (N, 3 or 4) or (H, W, 3 or 4) float32, see `pack_cloud`.
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 BGR.
        relative_inverse_depth: (H, W) float32.
        unknown: Why depth is not known, '' if it is.
        inference_s: How long the network took, resizing included [s]; None if it did not run.
    """

    camera: PinholeCamera | None
    depth: np.ndarray | None = None
    points: np.ndarray | None = None
    color: np.ndarray | None = None
    colormap: np.ndarray | None = None
    relative_inverse_depth: np.ndarray | None = None
    unknown: str = ''
    inference_s: float | None = None


class Pipeline:
    """An estimator and what turns its predictions into depth, colours and points.

    Attributes:
        estimator: The network.
        scale: What makes its predictions metric.
    """

    def __init__(self, estimator: Estimator, settings: PipelineSettings) -> None:
        self.estimator = estimator
        self.scale = Scale(settings, self._relative)
        self.settings = settings
        self._stopwatch = Stopwatch(estimator.device)
        self._colormap = Colormap(estimator.device)
        self._rectifier = lru_cache(maxsize=1)(Rectifier)
        self._rays = lru_cache(maxsize=1)(PinholeCamera.rays)

    @property
    def settings(self) -> PipelineSettings:
        """How predictions become outputs; a step ends with those it began with.

        Raises:
            SettingsError: On setting, if they do not belong to the network's kind.
        """
        return self._settings

    @settings.setter
    def settings(self, settings: PipelineSettings) -> None:
        settings.require_kind(self.estimator.kind)
        self._settings = settings
        self.scale.settings = settings

    @torch.inference_mode()
    def step(
        self,
        rgb: np.ndarray,
        calibration: CameraCalibration | None,
        wanted: Output,
        stamp_ns: int = 0,
    ) -> Result:
        """Return what is wanted of one image; the network runs only if something needs it.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image; None if there is none.
            wanted: The outputs to make.
            stamp_ns: When the image was taken [ns]; measurements find it by that.

        Raises:
            CalibrationError: It is of another image size, or its lens cannot be rectified.
            ImageError: The image has a type or shape that no network takes.
        """
        settings = self.settings
        alignment, unknown = self.scale.of(stamp_ns)
        made: dict[str, torch.Tensor] = {}

        # Upload, undistort, and bring camera and colours to the size of the outputs.
        image = uploaded(rgb, self.estimator.device)
        image, camera = self._rectified(image, calibration, settings)
        size = output_size(image, settings.output_scale)
        camera = camera and camera.resized(size[1], size[0])
        color = shrunk(image, size)
        if Output.COLOR in wanted:
            made['color'] = color

        if wanted & ~Output.COLOR:
            self._stopwatch.start()
            prediction = self.estimator.predict(image, size)
            self._stopwatch.stop()
            self.scale.keep(stamp_ns, Seen(self._inverse(prediction), color, camera))
            with one_thread():
                # Make it metric, drop what is out of range or between two surfaces.
                depth = self._metric(prediction, alignment, unknown, settings)
                depth = self.scale.corrected(depth, stamp_ns)
                depth = remove_flying_pixels(depth, settings.edge_filter)

                # Paint and pack.
                if Output.DEPTH in wanted:
                    made['depth'] = depth
                if Output.POINTS in wanted and camera is not None and not unknown:
                    rays = self._rays(camera, self.estimator.device)
                    colored = color if settings.cloud.color else None
                    made['points'] = pack_cloud(depth, rays, colored, settings.cloud)
                if Output.COLORMAP in wanted and unknown:
                    made['colormap'] = self._colormap.paint_relative(self._inverse(prediction))
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
        image, camera = self._rectified(
            uploaded(rgb, self.estimator.device), calibration, self.settings
        )
        size = output_size(image, self.settings.output_scale)
        camera = camera and camera.resized(size[1], size[0])
        prediction = self._inverse(self.estimator.predict(image, size))
        self.scale.keep(stamp_ns, Seen(prediction, shrunk(image, size), camera))

    @property
    def _relative(self) -> bool:
        return self.estimator.kind is PredictionKind.RELATIVE_INVERSE_DEPTH

    def _rectified(
        self,
        image: torch.Tensor,
        calibration: CameraCalibration | None,
        settings: PipelineSettings,
    ) -> tuple[torch.Tensor, PinholeCamera | None]:
        """Return the image as a pinhole camera sees it, and that camera."""
        height, width = image.shape[:2]
        if calibration is None:
            fov_deg = settings.fov_deg
            return image, PinholeCamera.from_fov(width, height, fov_deg) if fov_deg else None
        if (width, height) != (calibration.width, calibration.height):
            raise CalibrationError(
                f'calibration is for {calibration.width}x{calibration.height} px and the image '
                f'has {width}x{height} px; fit_to_image makes it one for this image'
            )
        if not settings.rectify or calibration.is_rectified:
            return image, calibration.rectified_camera()
        rectifier = self._rectifier(calibration, self.estimator.device)
        return rectifier.rectify(image), rectifier.camera

    def _inverse(self, prediction: torch.Tensor) -> torch.Tensor:
        """Return what an alignment is applied to."""
        return prediction if self._relative else prediction.reciprocal()

    def _metric(
        self,
        prediction: torch.Tensor,
        alignment: Alignment | None,
        unknown: str,
        settings: PipelineSettings,
    ) -> torch.Tensor:
        """Return depth [m]; NaN where it is out of range, saturated, or has no scale."""
        farthest = settings.max_depth
        if alignment is not None:
            depth = alignment.depth(self._inverse(prediction))
        elif unknown:
            return torch.full_like(prediction, torch.nan)
        else:
            depth = prediction * settings.depth_scale
        if self.estimator.max_depth is not None:
            saturated = prediction > _SATURATED * self.estimator.max_depth
            depth = depth.masked_fill(saturated, torch.nan)
        return gated(depth, settings.min_depth, farthest)


def gated(depth: torch.Tensor, nearest: float, farthest: float) -> torch.Tensor:
    """Return depth [m] with NaN where it is nearer or farther than that."""
    return torch.where((depth >= nearest) & (depth <= farthest), depth, torch.nan)

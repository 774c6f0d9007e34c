"""`MonoDepth`: an image in, depth and points out, by the node's pipeline and without ROS."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from .core.camera.calibration import CameraCalibration
from .core.camera.mask import require_mask_file
from .core.camera.pinhole import PinholeCamera
from .core.errors import AlignmentError, CalibrationError, ImageError
from .core.files.map_units import UNITS
from .core.files.message_writers import unpack_color
from .core.network.estimator import load_estimator
from .core.network.network_settings import EstimatorSettings
from .core.pipeline import Output, Pipeline, PipelineSettings
from .core.scale.depth_measurement import (
    DepthMeasurement,
    measure_depth,
    measure_disparity,
    require_same_view,
)
from .core.scale.points_source import measure_points
from .core.scale.sensor_pose import parse_pose
from .core.scale.sources import SOURCES
from .core.types import PredictionKind
from .depth import Depth, Floats, Pixels


class MonoDepth:
    """A depth network, ready to be called with images; not for several threads at once.

    Weights are fetched once if need be and lie in the cache of huggingface_hub.

    Args:
        encoder: vits, vitb, vitl, vitg, or tiny, which is part of the package.
        variant: metric_indoor, metric_outdoor, relative, relative_v1, or auto.
        scale: For a relative network: 1/Z = scale * prediction + shift [1/m]; 0 = not known. This
            and the next two override `settings` only when given.
        shift: See `scale` [1/m].
        depth_scale: For a metric network: factor on its depth.
        device: auto, cuda, cuda:N, mps or cpu.
        precision: auto, fp32, fp16 or bf16.
        checkpoint: Local .pth or .safetensors file in place of the published weights.
        accept_noncommercial: Accept weights whose license forbids commercial use.
        input_size: Shorter side of the network's input [px]; 0 is the encoder's own.
        settings: Everything else that the node can be told about its pipeline.

    Raises:
        MonoDepthError: What was asked for does not exist, is not here, or contradicts itself.
    """

    def __init__(
        self,
        encoder: str = 'vits',
        variant: str = 'auto',
        *,
        scale: float | None = None,
        shift: float | None = None,
        depth_scale: float | None = None,
        device: str = 'auto',
        precision: str = 'auto',
        checkpoint: str = '',
        accept_noncommercial: bool = False,
        input_size: int = 0,
        checkpoint_max_depth: float = 0.0,
        settings: PipelineSettings = PipelineSettings(),
    ) -> None:
        asks = variant, checkpoint, accept_noncommercial, device, precision
        chosen = EstimatorSettings(encoder, *asks, input_size, checkpoint_max_depth)
        settings = replace(
            settings,
            scale=settings.scale if scale is None else scale,
            shift=settings.shift if shift is None else shift,
            depth_scale=settings.depth_scale if depth_scale is None else depth_scale,
        )
        settings.require_kind(chosen.kind)
        require_mask_file(settings.mask)
        self._settings = settings
        self._pipeline = Pipeline(load_estimator(chosen), settings)

    @property
    def kind(self) -> PredictionKind:
        """Whether the network predicts depth or relative inverse depth."""
        return self._pipeline.estimator.kind

    def __call__(
        self,
        image: npt.ArrayLike | torch.Tensor,
        *,
        fov_deg: float = 0.0,
        camera: PinholeCamera | CameraCalibration | None = None,
        disparity: npt.ArrayLike | torch.Tensor | None = None,
        measured_depth: npt.ArrayLike | torch.Tensor | None = None,
        points: npt.ArrayLike | None = None,
        focal_px: float = 0.0,
        baseline_m: float = 0.0,
        doffs_px: float = 0.0,
    ) -> Depth:
        """Return depth, and with a camera points, of one image.

        Args:
            image: (H, W, 3) uint8, RGB: OpenCV reads BGR, so give it `image[..., ::-1]`. NumPy,
                PIL or torch, on any device.
            fov_deg: Horizontal field of view [deg], for points where no `camera` is given.
            camera: Its intrinsics; a calibration with distortion is undistorted if
                `settings.rectify` is on.
            disparity: (h, w) [px] of this image as the left one, at any resolution: scale and
                shift are fitted to it, robustly, for this image alone. Needs `baseline_m`, and
                `focal_px` or a camera.
            measured_depth: (h, w) [m] of the same view, dense or sparse, to be fitted to instead.
            points: (N, 3) x y z [m] of a sensor at `settings.alignment.sensor_pose`, to be fitted
                to instead. Needs a camera.
            focal_px: Focal length at the disparity's own resolution [px].
            baseline_m: Distance of the cameras [m].
            doffs_px: cx of the right camera minus that of the left [px], where matching has not
                subtracted it.

        Raises:
            ImageError: The image has another type or shape.
            CalibrationError: The camera is of another image, or what is needed of it is missing.
            PointsError: The points have another shape.
            AlignmentError: The measurements cannot be fitted to; the message says why.
        """
        rgb = _pixels(image)
        height, width = rgb.shape[:2]
        if camera is None and fov_deg:
            camera = PinholeCamera.from_fov(width, height, fov_deg)
        if isinstance(camera, PinholeCamera):
            camera = CameraCalibration.of_pinhole(camera)
        source = self._settings.alignment.source
        measured: DepthMeasurement | None = None
        if disparity is not None:
            source = 'disparity'
            measured = _observed(disparity, camera, focal_px, baseline_m, doffs_px)
        elif measured_depth is not None:
            source = 'depth'
            measured = measure_depth(_map(measured_depth, 'measured_depth'))
        elif points is not None:
            source = 'points'
            pose = parse_pose(self._settings.alignment.sensor_pose)
            seen_by = camera.rectified_camera() if camera else None
            measured = measure_points(np.asarray(points, np.float64), pose, seen_by)
        elif not SOURCES[source].measures_images:
            source = 'none'
        return self._step(rgb, camera, source, measured)

    def _step(
        self,
        rgb: Pixels,
        calibration: CameraCalibration | None,
        source: str,
        measured: DepthMeasurement | None,
    ) -> Depth:
        pipeline = self._pipeline
        alignment = replace(self._settings.alignment, source=source)
        pipeline.settings = replace(self._settings, alignment=alignment)
        pipeline.scale.reset()  # every image stands alone
        wanted = Output.DEPTH | Output.UNCERTAINTY | Output.COLOR | Output.POINTS
        wanted |= Output.RELATIVE_INVERSE_DEPTH
        result = pipeline.step(rgb, calibration, wanted, lookup=lambda: measured)
        if source != 'none' and result.quality.refusal:
            raise AlignmentError(result.quality.refusal)
        assert result.depth is not None
        assert result.uncertainty is not None
        assert result.color is not None
        points, colors = _split(result.points)
        return Depth(
            result.depth,
            result.relative_inverse_depth,
            result.reason_unknown,
            result.alignment,
            result.color,
            result.camera,
            points,
            colors,
            result.uncertainty,
        )


def _pixels(image: Any) -> Pixels:
    """Return (H, W, 3) uint8 of an array, an image of PIL, or a tensor.

    Raises:
        ImageError: It has another type or shape.
    """
    array = image.detach().cpu().numpy() if isinstance(image, torch.Tensor) else np.asarray(image)
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
        raise ImageError(
            f'image has shape {array.shape}, channels first; it must be (H, W, 3): '
            'image.permute(1, 2, 0) of a tensor, image.transpose(1, 2, 0) of an array'
        )
    if array.dtype != np.uint8:
        raise ImageError(f'image is {array.dtype}; it must be uint8, 0 to 255, in the order RGB')
    if array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise ImageError(f'image has shape {array.shape}; it must be (H, W, 3), in the order RGB')
    return array


def _map(values: Any, name: str) -> torch.Tensor:
    """Return (h, w) float32 on the CPU.

    Raises:
        ImageError: It has another shape, or holds integers, whose unit nothing states.
    """
    tensor = torch.as_tensor(values if isinstance(values, torch.Tensor) else np.asarray(values))
    if tensor.ndim != 2 or not tensor.numel():
        raise ImageError(f'{name} has shape {tuple(tensor.shape)}; it must be (h, w)')
    if not tensor.is_floating_point():
        unit = UNITS['disparity' if name == 'disparity' else 'depth']
        raise ImageError(
            f'{name} is {tensor.dtype}, and nothing says what 1 means: usually {unit.usual}',
            f'multiply it by its unit: floats are taken as {unit.symbol}',
        )
    return tensor.detach().float().cpu()


def _observed(
    disparity: Any,
    camera: CameraCalibration | None,
    focal_px: float,
    baseline_m: float,
    doffs_px: float,
) -> DepthMeasurement:
    """Return what a disparity map says.

    Raises:
        CalibrationError: Focal length or baseline is missing, or it is of another view.
    """
    values = _map(disparity, 'disparity')
    height, width = values.shape
    if camera is not None:
        seen = camera.rectified_camera()
        focal_px = focal_px or seen.fx * width / seen.width
        require_same_view(width, height, focal_px, seen, 'disparity')
    if not focal_px or not baseline_m:
        raise CalibrationError(
            f'focal_px is {focal_px} and baseline_m {baseline_m}; disparity needs baseline_m, and '
            'focal_px or a camera'
        )
    return measure_disparity(values, focal_px, baseline_m, doffs_px=doffs_px)


def _split(cloud: Floats | None) -> tuple[Floats | None, Pixels | None]:
    """Return coordinates and colors of a packed cloud."""
    if cloud is None or cloud.shape[-1] == 3:
        return cloud, None
    return np.ascontiguousarray(cloud[..., :3]), unpack_color(cloud[..., 3])

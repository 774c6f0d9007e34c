"""`MonoDepth`: an image in, depth and points out, by the node's pipeline and without ROS."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from .core.camera.calibration import CameraCalibration
from .core.camera.mask import require_mask_file
from .core.camera.pinhole import PinholeCamera
from .core.camera.rigid_transform import RigidTransform
from .core.errors import AlignmentError
from .core.files.message_writers import unpack_color
from .core.network.estimator import load_estimator
from .core.network.network_settings import EstimatorSettings
from .core.pipeline import Output, Pipeline, PipelineSettings
from .core.scale.depth_measurement import DepthMeasurement, measure_depth
from .core.scale.points_source import measure_points
from .core.scale.sensor_pose import parse_pose
from .core.scale.sources import SOURCES
from .core.types import PredictionKind
from .depth import Depth, Floats, Pixels
from .given_arrays import given_disparity, given_points, image_pixels, map_tensor


class MonoDepth:
    """A depth network, ready to be called with images; not for several threads at once.

    Weights are fetched once if need be and lie in the cache of huggingface_hub.

    Args:
        encoder: vits, vitb, vitl, vitg, zipdepth, or tiny, which is part of the package.
        variant: metric_indoor, metric_outdoor, relative, relative_v1, or auto.
        scale: For a relative network: 1/Z = scale * prediction + shift [1/m], or Z [m] of one of
            relative depth; 0 = not known. This and the next two override `settings` only when
            given.
        shift: See `scale`.
        depth_scale: For a metric network: factor on its depth.
        device: auto, cuda, cuda:N, mps or cpu.
        precision: auto, fp32, fp16 or bf16.
        checkpoint: Local .pth or .safetensors file in place of the published weights.
        accept_noncommercial: Accept weights whose license forbids commercial use.
        input_size: Shorter side of the network's input [px]; 0 is the encoder's own.
        network: Card of another network, or `hf:` and a model of transformers, in place of an
            encoder; see docs/networks.md.
        provider: Execution provider of ONNX Runtime for it.
        backend: What runs an encoder: auto, torch, onnx or openvino; see docs/speed.md.
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
        network: str = '',
        provider: str = 'auto',
        backend: str = 'auto',
        settings: PipelineSettings = PipelineSettings(),
    ) -> None:
        asks = variant, checkpoint, accept_noncommercial, device, precision
        of_card = network, provider, backend
        chosen = EstimatorSettings(encoder, *asks, input_size, checkpoint_max_depth, *of_card)
        settings = replace(
            settings,
            scale=settings.scale if scale is None else scale,
            shift=settings.shift if shift is None else shift,
            depth_scale=settings.depth_scale if depth_scale is None else depth_scale,
        )
        chosen = settings.network_for(chosen)
        settings.require_kind(chosen.kind)
        require_mask_file(settings.mask)
        self._settings = settings
        self._pipeline = Pipeline(load_estimator(chosen), settings)

    @property
    def kind(self) -> PredictionKind:
        """Whether the network predicts depth, relative inverse depth or relative depth."""
        return self._pipeline.estimator.kind

    def __call__(
        self,
        image: npt.ArrayLike | torch.Tensor,
        *,
        fov_deg: float = 0.0,
        camera: PinholeCamera | CameraCalibration | None = None,
        disparity: npt.ArrayLike | torch.Tensor | None = None,
        measured_depth: npt.ArrayLike | torch.Tensor | None = None,
        points: npt.ArrayLike | torch.Tensor | str | Path | None = None,
        sensor_pose: str = '',
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
                `focal_px` or a camera. This, the next two and, if `settings.alignment.source`
                names it, the floor may measure together; `Depth.left_out` says what was not used.
            measured_depth: (h, w) [m] of the same view, dense or sparse.
            points: (N, 3) x y z [m] of a sensor, or a file of them (PLY, PCD, KITTI's .bin).
                Needs a camera.
            sensor_pose: Of that sensor in the optical frame (x right, y down, z forward): x y z
                [m] qx qy qz qw; '' is `settings.alignment.sensor_pose`.
            focal_px: Focal length at the disparity's own resolution [px].
            baseline_m: Distance of the cameras [m].
            doffs_px: cx of the right camera minus that of the left [px], where matching has not
                subtracted it.

        Raises:
            ImageError: The image has another type or shape.
            CalibrationError: The camera is of another image, or what is needed of it is missing.
            PointsError: The points have another shape, or their file cannot be read.
            SettingsError: `sensor_pose` is no pose.
            AlignmentError: The measurements cannot be fitted to; the message says why.
        """
        rgb = image_pixels(image)
        height, width = rgb.shape[:2]
        if camera is None and fov_deg:
            camera = PinholeCamera.from_fov(width, height, fov_deg)
        if isinstance(camera, PinholeCamera):
            camera = CameraCalibration.of_pinhole(camera)
        given: dict[str, DepthMeasurement] = {}
        if disparity is not None:
            measured = given_disparity(disparity, camera, focal_px, baseline_m, doffs_px)
            given['disparity'] = measured
        if measured_depth is not None:
            given['depth'] = measure_depth(map_tensor(measured_depth, 'measured_depth'))
        if points is not None:
            own = self._settings.alignment.pose_of('points') or RigidTransform.identity()
            pose = parse_pose(sensor_pose) if sensor_pose else own
            seen_by = camera.rectified_camera() if camera else None
            given['points'] = measure_points(given_points(points), pose, seen_by)
        return self._step(rgb, camera, given)

    def _step(
        self,
        rgb: Pixels,
        calibration: CameraCalibration | None,
        given: dict[str, DepthMeasurement],
    ) -> Depth:
        pipeline, stated = self._pipeline, self._settings.alignment
        by_itself = [name for name in stated.sources if SOURCES[name].measures_images]
        sources = [*given, *by_itself]
        alignment = replace(stated, source=','.join(sources) or 'none')
        pipeline.settings = replace(self._settings, alignment=alignment)
        pipeline.scale.reset()  # every image stands alone
        wanted = Output.DEPTH | Output.UNCERTAINTY | Output.COLOR | Output.POINTS
        wanted |= Output.RELATIVE_INVERSE_DEPTH
        result = pipeline.step(rgb, calibration, wanted, lookup=lambda: given)
        if sources and result.quality.refusal:
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
            result.quality.left_out,
        )


def _split(cloud: Floats | None) -> tuple[Floats | None, Pixels | None]:
    """Return coordinates and colors of a packed cloud."""
    if cloud is None or cloud.shape[-1] == 3:
        return cloud, None
    return np.ascontiguousarray(cloud[..., :3]), unpack_color(cloud[..., 3])

"""The step: one image in, everything that was asked for out."""

from dataclasses import dataclass, field
from enum import Flag, auto
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .calibration import CameraCalibration
from .camera import PinholeCamera
from .cloud import CloudSettings, pack_cloud
from .colormap import Colormap, ColormapSettings
from .edges import EdgeFilterSettings, remove_flying_pixels
from .errors import SettingsError
from .estimator import Estimator
from .rectification import Rectifier
from .settings import Settings, setting
from .types import Alignment, PredictionKind

_SATURATED = 0.98
"""Share of a metric head's maximum from which its depth says no more than "far"."""


class Output(Flag):
    """What a step may be asked for."""

    DEPTH = auto()
    POINTS = auto()
    COLOR = auto()
    COLORMAP = auto()
    RELATIVE_INVERSE_DEPTH = auto()


@dataclass(frozen=True)
class PipelineSettings(Settings):
    """From prediction to depth and points."""

    output_scale: float = setting(
        1.0, 'Size of all outputs relative to the image.', minimum=0.05, maximum=1.0
    )
    depth_scale: float = setting(
        1.0,
        'Factor on the depth of a metric network; 1.1 = 10 % farther.',
        minimum=0.001,
        maximum=1000.0,
    )
    scale: float = setting(
        0.0,
        'Relative network: inverse depth [1/m] = scale * prediction + shift; 0 = not set.',
        unit='1/m',
        minimum=0.0,
        maximum=1e6,
    )
    shift: float = setting(
        0.0, 'Relative network: see scale.', unit='1/m', minimum=-1e6, maximum=1e6
    )
    min_depth: float = setting(
        0.1, 'Nearer depth is published as not known.', unit='m', minimum=0.0, maximum=1000.0
    )
    max_depth: float = setting(
        80.0, 'Farther depth is published as not known.', unit='m', minimum=0.01, maximum=10000.0
    )
    rectify: bool = setting(
        False, 'Undistort the image by its camera_info first; needed for raw images.'
    )
    fov_deg: float = setting(
        0.0,
        'Horizontal field of view to assume where no usable camera_info comes; 0 = never guess.',
        unit='deg',
        minimum=0.0,
        maximum=179.0,
    )
    edge_filter: EdgeFilterSettings = field(default_factory=EdgeFilterSettings)
    cloud: CloudSettings = field(default_factory=CloudSettings)
    colormap: ColormapSettings = field(default_factory=ColormapSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth >= self.max_depth:
            raise SettingsError(
                f'min_depth is {self.min_depth} m and max_depth {self.max_depth} m; '
                'min_depth must be smaller'
            )
        if self.colormap.near >= self.colormap.far:
            raise SettingsError(
                f'colormap.near is {self.colormap.near} m and colormap.far '
                f'{self.colormap.far} m; near must be smaller'
            )

    def require_kind(self, kind: PredictionKind) -> None:
        """Refuse what does not belong to a network of this kind.

        Raises:
            SettingsError: `scale` or `shift` is set for a metric network, or `depth_scale` for a
                relative one.
        """
        if kind is PredictionKind.DEPTH and (self.scale or self.shift):
            raise SettingsError(
                f'scale is {self.scale} and shift {self.shift}, which belong to a relative '
                'network; for a metric one use depth_scale'
            )
        if kind is PredictionKind.RELATIVE_INVERSE_DEPTH and self.depth_scale != 1:
            raise SettingsError(
                f'depth_scale is {self.depth_scale}, which belongs to a metric network; for a '
                'relative one use scale and shift'
            )

    def manual_alignment(self) -> Alignment | None:
        """Return the user's scale and shift of a relative network, None if not set."""
        return Alignment(self.scale, self.shift) if self.scale > 0 else None


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
    """

    camera: PinholeCamera | None
    depth: np.ndarray | None = None
    points: np.ndarray | None = None
    color: np.ndarray | None = None
    colormap: np.ndarray | None = None
    relative_inverse_depth: np.ndarray | None = None
    unknown: str = ''


class Pipeline:
    """An estimator and what turns its predictions into depth, colours and points.

    Attributes:
        estimator: The network.
        settings: May be replaced between steps.
    """

    def __init__(self, estimator: Estimator, settings: PipelineSettings) -> None:
        settings.require_kind(estimator.kind)
        self.estimator = estimator
        self.settings = settings
        self._colormap = Colormap(estimator.device)
        self._rectifier = lru_cache(maxsize=1)(Rectifier)
        self._rays = lru_cache(maxsize=1)(PinholeCamera.rays)

    @torch.inference_mode()
    def step(
        self, rgb: np.ndarray, calibration: CameraCalibration | None, wanted: Output
    ) -> Result:
        """Return what is wanted of one image.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image; None if there is none.
            wanted: The outputs to make.

        Raises:
            CalibrationError: The lens cannot be rectified.
            ImageError: The image has an impossible shape.
        """
        # Upload, undistort and bring the image to the size of the outputs.
        image, camera = self._rectified(self._uploaded(rgb), calibration)
        height, width = image.shape[:2]
        size = output_size(height, width, self.settings.output_scale)
        camera = camera and camera.resized(size[1], size[0])

        # Predict, make it metric, drop what is out of range or between two surfaces.
        prediction = self.estimator.predict(image, size)
        depth, unknown = self._metric(prediction)
        if depth is not None:
            depth = remove_flying_pixels(self._gated(depth), self.settings.edge_filter)

        # Paint, pack and download.
        color = None
        if Output.COLOR in wanted or (Output.POINTS in wanted and self.settings.cloud.color):
            color = shrunk(image, size)
        made: dict[str, torch.Tensor | None] = {}
        if Output.DEPTH in wanted:
            made['depth'] = prediction.new_full(size, torch.nan) if depth is None else depth
        if Output.POINTS in wanted and depth is not None and camera is not None:
            rays = self._rays(camera, self.estimator.device)
            colored = color if self.settings.cloud.color else None
            made['points'] = pack_cloud(depth, rays, colored, self.settings.cloud)
        if Output.COLOR in wanted:
            made['color'] = color
        if Output.COLORMAP in wanted:
            made['colormap'] = self._painted(prediction, depth)
        if Output.RELATIVE_INVERSE_DEPTH in wanted and self._relative:
            made['relative_inverse_depth'] = prediction
        arrays = {name: downloaded(tensor) for name, tensor in made.items() if tensor is not None}
        return Result(camera, unknown=unknown, **arrays)

    @property
    def _relative(self) -> bool:
        return self.estimator.kind is PredictionKind.RELATIVE_INVERSE_DEPTH

    def _uploaded(self, rgb: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(rgb)).to(self.estimator.device)

    def _rectified(
        self, image: torch.Tensor, calibration: CameraCalibration | None
    ) -> tuple[torch.Tensor, PinholeCamera | None]:
        """Return the image as a pinhole camera sees it, and that camera."""
        height, width = image.shape[:2]
        if calibration is None:
            fov_deg = self.settings.fov_deg
            guess = PinholeCamera.from_fov(width, height, fov_deg) if fov_deg else None
            return image, guess
        if not self.settings.rectify:
            return image, calibration.rectified_camera()
        if calibration.is_rectified:
            return image, calibration.rectified_camera()
        rectifier = self._rectifier(calibration, self.estimator.device)
        return rectifier.rectify(image), rectifier.camera

    def _metric(self, prediction: torch.Tensor) -> tuple[torch.Tensor | None, str]:
        """Return depth [m], or None and the reason why it is not known."""
        if not self._relative:
            saturated = prediction > _SATURATED * (self.estimator.max_depth or torch.inf)
            depth = prediction * self.settings.depth_scale
            return depth.masked_fill(saturated, torch.nan), ''
        alignment = self.settings.manual_alignment()
        if alignment is None:
            return None, (
                'a relative network gives no metres: set scale (and shift), or use a metric '
                'variant such as encoder: vits, variant: metric_indoor'
            )
        return alignment.depth(prediction), ''

    def _gated(self, depth: torch.Tensor) -> torch.Tensor:
        near, far = self.settings.min_depth, self.settings.max_depth
        return depth.masked_fill((depth < near) | (depth > far), torch.nan)

    def _painted(self, prediction: torch.Tensor, depth: torch.Tensor | None) -> torch.Tensor:
        if depth is None:
            return self._colormap.paint_relative(prediction)
        return self._colormap.paint_depth(depth, self.settings.colormap)


def output_size(height: int, width: int, scale: float) -> tuple[int, int]:
    """Return (height, width) of an image scaled, at least one pixel each."""
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrunk(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (H, W, 3) uint8 averaged down to `size`; the image itself where it has that size."""
    if image.shape[:2] == size:
        return image
    if image.device.type == 'cpu':
        smaller = cv2.resize(image.numpy(), size[::-1], interpolation=cv2.INTER_AREA)
        return torch.from_numpy(smaller)
    planes = image.permute(2, 0, 1)[None].float()
    smaller_planes = F.interpolate(planes, size, mode='bilinear', antialias=True)
    return smaller_planes[0].round_().to(torch.uint8).permute(1, 2, 0)


def downloaded(tensor: torch.Tensor) -> np.ndarray:
    """Return a contiguous array on the CPU."""
    array: np.ndarray = tensor.contiguous().cpu().numpy()
    return array

"""What callers of `MonoDepth` give it: images, maps and points of any library, checked."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from .core.camera.calibration import CameraCalibration
from .core.errors import CalibrationError, ImageError, PointsError
from .core.files.map_units import UNITS
from .core.files.point_files import read_points
from .core.scale.depth_measurement import DepthMeasurement, require_same_view
from .core.scale.disparity_measurement import measure_disparity
from .depth import Pixels


def image_pixels(image: Any) -> Pixels:
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


def map_tensor(values: Any, name: str) -> torch.Tensor:
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


def given_disparity(
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
    values = map_tensor(disparity, 'disparity')
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


def given_points(points: Any) -> npt.NDArray[np.float64]:
    """Return (N, 3) [m] of an array, a tensor, or the path of a file; see `read_points`.

    Raises:
        PointsError: They are no numbers, or the file cannot be read.
    """
    if isinstance(points, (str, Path)):
        return read_points(Path(points))
    array = points.detach().cpu().numpy() if isinstance(points, torch.Tensor) else points
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise PointsError(f'points are {type(points).__name__}: {error}; give (N, 3)') from error

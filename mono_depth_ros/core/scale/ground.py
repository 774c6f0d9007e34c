"""The floor as a measure: a camera whose height and pitch are known sees its own scale."""

import math

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import AlignmentError, CalibrationError
from .depth_measurement import DepthMeasurement
from .fitting import Fit
from .tilt import Tilt

_PITCH_ERROR_RAD = 0.01
_LEAST_SLOPE = 0.05
"""The floor counts up to 1 / 0.05 = 20 camera heights away."""
_CENTER = (0.2, 0.8)
_LOWER = 0.5
_MIN_INLIERS = 0.75


def measure_ground(
    camera: PinholeCamera, height_m: float, tilt: Tilt, size: tuple[int, int]
) -> DepthMeasurement:
    """Return the inverse depth of a level floor in the lower central part of the view.

    The floor is where a point's component along down, d, is the height h: Z (x, y, 1) d = h with
    x = (u - cx) / fx and y = (v - cy) / fy. Hence 1/Z = (x, y, 1) d / h. An error of pitch is, to
    first order, the same error of 1/Z everywhere.

    Args:
        camera: Of the image.
        height_m: Of the camera above the floor [m].
        tilt: Of the camera.
        size: (height, width) of the result [px].

    Raises:
        CalibrationError: The height is not positive, or the pitch beyond straight up or down.
        AlignmentError: No floor can be in that part of the view.
    """
    if not 0 < height_m < math.inf:
        raise CalibrationError(f'camera_height is {height_m} m; it must be positive')
    if not abs(tilt.pitch_rad) <= math.pi / 2:
        raise CalibrationError(
            f'camera_pitch is {tilt.pitch_rad} rad; it must lie between -pi/2 and pi/2 (looking '
            'down)'
        )
    height, width = size
    seen = camera.resized(width, height)
    x = (torch.arange(width, dtype=torch.float64) - seen.cx) / seen.fx
    y = (torch.arange(height, dtype=torch.float64) - seen.cy) / seen.fy
    right, below, ahead = tilt.down
    slope = x * right + y[:, None] * below + ahead
    slope[slope < _LEAST_SLOPE] = torch.nan
    slope[: math.ceil(_LOWER * height)] = torch.nan
    first, last = (round(share * width) for share in _CENTER)
    slope[:, :first] = slope[:, last:] = torch.nan
    if bool(slope.isnan().all()):
        raise AlignmentError(
            f'no floor can be in view: with camera_pitch {tilt.pitch_rad:.3g} rad the horizon '
            f'lies below the image or at its edge'
        )
    return DepthMeasurement((slope / height_m).float(), _PITCH_ERROR_RAD / height_m)


def require_floor(fit: Fit) -> None:
    """Refuse a fit to the floor where the prediction shows no floor.

    Raises:
        AlignmentError: Too few of the points lie on one plane of that height and pitch.
    """
    if fit.inlier_ratio < _MIN_INLIERS:
        raise AlignmentError(
            f'only {fit.inlier_ratio:.0%} of the lower central view lies on one floor (at least '
            f'{_MIN_INLIERS:.0%} must): something stands there, or camera_height and '
            'camera_pitch are wrong'
        )

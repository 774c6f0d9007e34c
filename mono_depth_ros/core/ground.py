"""The floor as a measure: a camera whose height and pitch are known sees its own scale."""

import math

import torch

from .camera import PinholeCamera
from .errors import AlignmentError, CalibrationError
from .fitting import Fit
from .stereo import StereoObservation

_PITCH_ERROR_RAD = 0.01
_LEAST_SLOPE = 0.05
"""The floor counts up to 1 / 0.05 = 20 camera heights away."""
_CENTRE = (0.2, 0.8)
_LOWER = 0.5
_MIN_INLIERS = 0.75


def observe_ground(
    camera: PinholeCamera, height_m: float, pitch_rad: float, size: tuple[int, int]
) -> StereoObservation:
    """Return the inverse depth of a level floor in the lower central part of the view.

    Down is (0, cos p, sin p) in the optical frame of a camera that looks down by p, and the floor
    is where a point's component along it is the height h: Z (y cos p + sin p) = h with
    y = (v - cy) / fy. Hence 1/Z = (y cos p + sin p) / h. Roll is taken to be 0. An error of
    pitch is, to first order, the same error of 1/Z everywhere.

    Args:
        camera: Of the image.
        height_m: Of the camera above the floor [m].
        pitch_rad: Positive = looking down [rad].
        size: (height, width) of the result [px].

    Raises:
        CalibrationError: The height is not positive, or the pitch beyond straight up or down.
        AlignmentError: No floor can be in that part of the view.
    """
    if not 0 < height_m < math.inf:
        raise CalibrationError(f'camera_height is {height_m} m; it must be positive')
    if not abs(pitch_rad) <= math.pi / 2:
        raise CalibrationError(
            f'camera_pitch is {pitch_rad} rad; it must lie between -pi/2 and pi/2 (looking down)'
        )
    height, width = size
    seen = camera.resized(width, height)
    y = (torch.arange(height, dtype=torch.float64) - seen.cy) / seen.fy
    slope = y * math.cos(pitch_rad) + math.sin(pitch_rad)
    slope[(slope < _LEAST_SLOPE) | (torch.arange(height) < _LOWER * height)] = torch.nan
    if bool(slope.isnan().all()):
        raise AlignmentError(
            f'no floor can be in view: with camera_pitch {pitch_rad:.3g} rad the horizon lies '
            f'below the image or at its edge'
        )
    inverse_depth = torch.full(size, torch.nan)
    left, right = (round(share * width) for share in _CENTRE)
    inverse_depth[:, left:right] = (slope / height_m).float()[:, None]
    return StereoObservation(inverse_depth, _PITCH_ERROR_RAD / height_m)


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

"""The floor as a measurement: its depth follows from the height and tilt of the camera."""

import math

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import AlignmentError, CalibrationError
from .depth_measurement import DepthMeasurement
from .fitting import Fit
from .tilt import Tilt

_PITCH_ERROR_RAD = 0.01
"""Expected error of the pitch, as of a mount measured by hand."""
_MIN_SLOPE = 0.05
"""The floor is used up to 1 / 0.05 = 20 camera heights, where the pitch's error makes 20 %."""
_COLUMNS = (0.2, 0.8)
"""Share of the width that is used, as in a robot's own lane."""
_TOP_ROW = 0.5
_MIN_INLIERS = 0.75
"""Share of that area that must be free floor."""


def measure_ground(
    camera: PinholeCamera, height_m: float, tilt: Tilt, size: tuple[int, int]
) -> DepthMeasurement:
    """Return the inverse depth of a level floor in the lower central part of the view.

    The floor is where a point's component along down, d, is the height h: Z (x, y, 1) d = h with
    x = (u - cx) / fx and y = (v - cy) / fy. Hence 1/Z = (x, y, 1) d / h. An error of pitch is, to
    first order, the same error of 1/Z everywhere.

    Args:
        camera: Camera of the image.
        height_m: Height of the camera above the floor [m].
        tilt: Tilt of the camera.
        size: (height, width) of the result [px].

    Raises:
        CalibrationError: The height is not positive, or the pitch is not within +-pi/2.
        AlignmentError: That part of the view lies above the horizon.
    """
    if not 0 < height_m < math.inf:
        raise CalibrationError(f'camera_height is {height_m} m; it must be positive')
    if not abs(tilt.pitch_rad) <= math.pi / 2:
        raise CalibrationError(
            f'camera_pitch is {tilt.pitch_rad} rad; it must lie between -pi/2 and pi/2 (looking '
            'down)'
        )
    height, width = size
    resized = camera.resized(width, height)
    x = (torch.arange(width, dtype=torch.float64) - resized.cx) / resized.fx
    y = (torch.arange(height, dtype=torch.float64) - resized.cy) / resized.fy
    right, below, ahead = tilt.down
    slope = x * right + y[:, None] * below + ahead
    slope[slope < _MIN_SLOPE] = torch.nan
    slope[: math.ceil(_TOP_ROW * height)] = torch.nan
    first, last = (round(share * width) for share in _COLUMNS)
    slope[:, :first] = slope[:, last:] = torch.nan
    if bool(slope.isnan().all()):
        raise AlignmentError(
            f'no floor can be in view: with camera_pitch {tilt.pitch_rad:.3g} rad the horizon '
            f'lies below the image or at its edge'
        )
    return DepthMeasurement((slope / height_m).float(), _PITCH_ERROR_RAD / height_m)


def require_floor(fit: Fit) -> None:
    """Require a fit in which most points lie on the floor.

    Raises:
        AlignmentError: Too few do.
    """
    if fit.inlier_ratio < _MIN_INLIERS:
        raise AlignmentError(
            f'only {fit.inlier_ratio:.0%} of the lower central view lies on one floor (at least '
            f'{_MIN_INLIERS:.0%} must): something stands there, or camera_height and '
            'camera_pitch are wrong'
        )

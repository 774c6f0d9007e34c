"""Source `ground`: the floor, whose depth follows from the height and tilt of the camera."""

import math
from typing import ClassVar

import numpy as np
import torch

from ..camera.pinhole import PinholeCamera
from ..errors import AlignmentError, CalibrationError
from ..network.predicted_frame import PredictedFrame
from .correspondences import Correspondences
from .depth_measurement import DepthMeasurement
from .fitting import best_hypothesis, errors
from .least_squares import normal_equations, solve
from .scale_settings import AlignmentSettings
from .source import Source
from .tilt import Tilt

_PITCH_ERROR_RAD = 0.01
"""Expected error of the pitch, as of a mount measured by hand."""
_MIN_SLOPE = 0.05
"""The floor is used up to 1 / 0.05 = 20 camera heights, where the pitch's error makes 20 %."""
_COLUMNS = (0.2, 0.8)
"""Share of the width that is used, as in a robot's own lane."""
_TOP_ROW = 0.5
_TOLERANCE = 0.1
"""Of the floor's inverse depth. `Obstacles on the floor` in benchmarks/results/alignment.md: 0.05
refuses free floors seen by a real network, 0.15 accepts depth wrong by a third."""
_MIN_FREE = 0.75
"""Share of that area that must be free floor."""
_MIN_FREE_THIRD = 0.5
"""Share of each third of it, by distance."""
_STEPS = 10
_WARNED_M = (5, 15, 30)


class GroundSource(Source):
    """Inverse depth of a level floor in the lower central part of every image."""

    measures_images: ClassVar[bool] = True
    is_fused: ClassVar[bool] = False
    is_estimate: ClassVar[bool] = True

    def measure(
        self, frame: PredictedFrame, evidence: Tilt | None, settings: AlignmentSettings
    ) -> DepthMeasurement:
        """Return the inverse depth that a level floor has in an image."""
        if frame.camera is None:
            raise AlignmentError('alignment.source is ground, which needs a camera_info')
        tilt = evidence or Tilt(settings.camera_pitch)
        return measure_ground(frame.camera, settings.camera_height, tilt)

    def usable(self, points: Correspondences, random: np.random.Generator) -> Correspondences:
        """Return the points on which one scale and shift gives the depth of the floor.

        The tolerance is a share of what camera_height and the tilt predict of the floor, whatever
        the prediction does elsewhere. A band that follows the residuals would grow with the
        obstacles, and the fit would bend toward them. Each third of the points, by distance, must
        show floor, since two thirds alone leave scale and shift too free.

        Raises:
            AlignmentError: Too few points are on the floor, or no scale is positive.
        """
        limit = _TOLERANCE * points.measured
        found = best_hypothesis(points, random, limit)
        for _ in range(_STEPS):
            weight = (1 - (errors(points, found) / limit) ** 2).clip(min=0) ** 2 / limit**2
            found = solve(*normal_equations(points, weight), points.quantity)
        is_floor = np.abs(errors(points, found)) < limit
        share = float(is_floor.mean())
        by_distance = is_floor[np.argsort(-points.inverse_depth)]
        thirds = [float(third.mean()) for third in np.array_split(by_distance, 3)]
        if share < _MIN_FREE or min(thirds) < _MIN_FREE_THIRD:
            near, middle, far = (f'{third:.0%}' for third in thirds)
            raise AlignmentError(
                f'{share:.0%} of the lower central view lies on one floor, within '
                f'{_TOLERANCE:.0%} (at least {_MIN_FREE:.0%} must); of its nearest third {near}, '
                f'of the middle one {middle}, of the farthest {far} (at least '
                f'{_MIN_FREE_THIRD:.0%}): something stands there, or camera_height and '
                'camera_pitch are wrong'
            )
        return points.subset(is_floor)

    def note(self, settings: AlignmentSettings) -> str:
        """Return what an error of the pitch does to depth."""
        return pitch_warning(settings.camera_height)


def measure_ground(camera: PinholeCamera, height_m: float, tilt: Tilt) -> DepthMeasurement:
    """Return the inverse depth of a level floor in the lower central part of the view.

    The floor is where a point's component along down, d, is the height h: Z (x, y, 1) d = h with
    x = (u - cx) / fx and y = (v - cy) / fy. Hence 1/Z = (x, y, 1) d / h. An error of pitch is, to
    first order, the same error of 1/Z everywhere.

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
    (x, y), (right, below, ahead) = camera.rays(), tilt.down
    slope = x * right + y * below + ahead
    slope[slope < _MIN_SLOPE] = torch.nan
    slope[: math.ceil(_TOP_ROW * camera.height)] = torch.nan
    first, last = (round(share * camera.width) for share in _COLUMNS)
    slope[:, :first] = slope[:, last:] = torch.nan
    if bool(slope.isnan().all()):
        raise AlignmentError(
            f'no floor can be in view: with camera_pitch {tilt.pitch_rad:.3g} rad the horizon '
            f'lies below the image or at its edge'
        )
    noise = _PITCH_ERROR_RAD / height_m
    return DepthMeasurement(slope / height_m, noise, 'the floor')


def pitch_error(height_m: float, depth_m: float, error_rad: float = math.radians(1)) -> float:
    """Return how much too far, as a share, depth comes out if the pitch is stated too small.

    A pitch too small by e makes 1/Z too small by e / h, in every pixel, and the fit cannot tell:
    Z' = Z / (1 - e Z / h). Infinite from Z = h / e on. Too large, depth comes out too near.
    """
    left = 1 - error_rad * depth_m / height_m
    return 1 / left - 1 if left > 0 else math.inf


def pitch_warning(height_m: float) -> str:
    """Return what one degree of pitch does to depth, for the status of the alignment."""
    errors = ((depth_m, pitch_error(height_m, depth_m)) for depth_m in _WARNED_M)
    effects = (
        f'at {depth_m} m {f"{error:.0%}" if error < math.inf else "infinitely"} too far'
        for depth_m, error in errors
    )
    return f'if the camera pitch is 1 degree more than stated, depth is {", ".join(effects)}'

"""Pictures turned upright by their EXIF orientation, and the calibration of the sensor with them.

The eight orientations are those of EXIF 2.3, tag 0x0112: 1 upright, 3 turned by 180 degrees, 6 and
8 by 90; 2, 4, 5 and 7 also mirrored.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CalibrationError
from .calibration import CameraCalibration, matrix_rows
from .picture_header import UPRIGHT

# Which of the sensor's axes right and down are, each way, in the upright picture.
_AXES: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, 1), (1, 0)),
    6: ((0, -1), (1, 0)),
    7: ((0, -1), (-1, 0)),
    8: ((0, 1), (-1, 0)),
}
"""Orientation -> rows of the matrix that takes (right, down) of the sensor to the picture's."""
_THIN_PRISM, _TILT = slice(8, 12), slice(12, 14)


def swaps_axes(orientation: int) -> bool:
    """Say whether width and height of the upright picture are the sensor's height and width."""
    return orientation >= 5


def turned_pixels(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return the sensor's pixels (H, W[, C]) turned upright."""
    turned = pixels.swapaxes(0, 1) if swaps_axes(orientation) else pixels
    columns, rows = (sum(axis) for axis in _AXES[orientation])
    return np.ascontiguousarray(turned[::rows, ::columns])


def turned_calibration(calibration: CameraCalibration, orientation: int) -> CameraCalibration:
    """Return the calibration of the upright picture, given that of the sensor.

    With Q the turn of the axes and A that of the pixels: K' = A K Q^T, R' = Q R Q^T,
    P' = A P diag(Q^T, 1). Tangential and thin prism distortion are vectors and turn as such;
    radial distortion stays.

    Raises:
        CalibrationError: The model of the lens has a tilted sensor.
    """
    if orientation == UPRIGHT:
        return calibration
    width, height = calibration.width, calibration.height
    q2 = np.array(_AXES[orientation], np.float64)
    q = np.eye(3)
    q[:2, :2] = q2
    a = q.copy()
    # The pixel that becomes the first one is the last one of each axis that is turned round.
    a[:2, 2] = np.where(q2.sum(axis=1) < 0, np.abs(q2) @ (width - 1, height - 1), 0)
    turn = np.eye(4)
    turn[:3, :3] = q.T
    size = (height, width) if swaps_axes(orientation) else (width, height)
    projection = a @ np.array(calibration.P)
    projection[:, 3] = q @ np.array(calibration.P)[:, 3]
    projection[:, :3] = projection[:, :3] @ q.T
    return replace(
        calibration,
        width=size[0],
        height=size[1],
        K=matrix_rows(a @ np.array(calibration.K) @ q.T),
        D=_turned_lens(calibration, q2),
        R=matrix_rows(q @ np.array(calibration.R) @ q.T),
        P=matrix_rows(projection),
    )


def _turned_lens(calibration: CameraCalibration, q: npt.NDArray[np.float64]) -> tuple[float, ...]:
    d = np.array(calibration.D, np.float64)
    if calibration.distortion_model == 'equidistant' or d.size < 4:
        return calibration.D
    if d[_TILT].any():
        raise CalibrationError(
            f'D is {calibration.D}: a tilted sensor, which is not turned with a picture',
            'calibrate with pictures turned like this one, or remove their orientation tag',
        )
    # (p2, p1) and the pairs (s1, s3), (s2, s4) of OpenCV are vectors.
    d[[3, 2]] = q @ d[[3, 2]]
    if d[_THIN_PRISM].size:
        d[[8, 10]], d[[9, 11]] = q @ d[[8, 10]], q @ d[[9, 11]]
    return tuple(d.tolist())

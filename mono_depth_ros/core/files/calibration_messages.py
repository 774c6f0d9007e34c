"""Calibration from CameraInfo messages."""

import numpy as np
import numpy.typing as npt

from ..camera.calibration import CameraCalibration, Matrix
from ..camera.plausibility import require_plausible
from .message_protocols import CameraInfoFields, RegionFields


def calibration_from_info(msg: CameraInfoFields) -> CameraCalibration | None:
    """Return the calibration of the image of a CameraInfo; None if it is uncalibrated.

    The message describes the full sensor; region of interest and binning are applied in this
    order. K[0] = 0 means uncalibrated. An R or P of zeros, as many drivers publish it, stands for
    the identity and for K.

    Raises:
        CalibrationError: A number is not finite, R is no rotation, the region of interest does
            not lie inside the image, or K or P is not plausible for the stated size.
    """
    if msg.k[0] == 0:
        return None
    k = _matrix(msg.k, 3)
    full = CameraCalibration(
        width=msg.width,
        height=msg.height,
        K=k,
        D=tuple(map(float, msg.d)),
        distortion_model=msg.distortion_model,
        R=_matrix(msg.r if np.any(msg.r) else np.eye(3).ravel(), 3),
        P=_matrix(msg.p, 4) if np.any(msg.p) else tuple((*row, 0.0) for row in k),
    )
    roi: RegionFields = msg.roi
    cropped = full.cropped(
        roi.x_offset,
        roi.y_offset,
        roi.width or msg.width - roi.x_offset,
        roi.height or msg.height - roi.y_offset,
    )
    delivered = cropped.binned(msg.binning_x or 1, msg.binning_y or 1)
    require_plausible(full, (delivered.width, delivered.height))
    return delivered


def _matrix(numbers: npt.ArrayLike, columns: int) -> Matrix:
    return tuple(tuple(map(float, row)) for row in np.reshape(numbers, (3, columns)))

"""Calibration from CameraInfo messages."""

from ..camera.calibration import CameraCalibration
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
    full = CameraCalibration.of_numbers(
        msg.width, msg.height, msg.k, msg.d, msg.distortion_model, msg.r, msg.p
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

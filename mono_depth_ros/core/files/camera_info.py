"""CameraInfo messages: the calibration of an image, and what is wrong with it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from ..camera.calibration import CameraCalibration, fit_to_image
from ..camera.plausibility import require_plausible
from ..camera.rectification import lens_coefficients
from ..errors import CalibrationError, ImplausibleCalibrationError
from .message_protocols import CameraInfoFields

_KEPT = 32


@dataclass(frozen=True)
class CheckedCameraInfo:
    """What a camera_info is worth for an image.

    Attributes:
        calibration: Of the image, at its size; None if there is no usable one.
        faults: What is wrong, none of it raised.
        is_uncalibrated: Whether the camera_info says that the camera is not calibrated.
    """

    calibration: CameraCalibration | None
    faults: tuple[CalibrationError, ...] = ()
    is_uncalibrated: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether it states a calibration that cannot be used."""
        return self.calibration is None and bool(self.faults) and not self.is_uncalibrated


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
    cropped = full.cropped(msg.roi.x_offset, msg.roi.y_offset, *_region(msg))
    delivered = cropped.binned(msg.binning_x or 1, msg.binning_y or 1)
    require_plausible(full, (delivered.width, delivered.height))
    return delivered


def check_camera_info(
    info: CameraInfoFields,
    size: tuple[int, int] | None,
    frame_id: str,
    rectify: bool,
    assume_rectified: bool = False,
) -> CheckedCameraInfo:
    """Return the calibration that a camera_info gives an image, and what is wrong with it.

    Computed once for each distinct message: drivers send an equal one with every image.

    `size` (height, width) [px] and `frame_id` are those of the image; a size that is not known,
    None, is the camera_info's own. The parameters `rectify` and `assume_rectified` say what the
    image is, and is to become.
    """
    key = (*_content(info), size, frame_id, rectify, assume_rectified)
    with _lock:
        if key not in _checked:
            _checked[key] = _check(info, size, frame_id, rectify, assume_rectified)
        _checked.move_to_end(key)
        while len(_checked) > _KEPT:
            _checked.popitem(last=False)
        return _checked[key]


_lock = threading.Lock()
_checked: OrderedDict[tuple[object, ...], CheckedCameraInfo] = OrderedDict()


def no_camera_info(topic: str) -> CalibrationError:
    """Return the fault that no camera_info arrives."""
    return CalibrationError(
        f'no camera_info arrives on {topic}',
        'start the camera driver with a calibration, remap camera_info, or set fov_deg; without '
        'any of these there is depth but no cloud',
    )


def _check(
    info: CameraInfoFields,
    size: tuple[int, int] | None,
    frame_id: str,
    rectify: bool,
    assume_rectified: bool,
) -> CheckedCameraInfo:
    try:
        calibration = calibration_from_info(info)
    except ImplausibleCalibrationError as error:
        fault = CalibrationError(f'camera_info is not plausible: {error.what}', error.remedy)
        return CheckedCameraInfo(None, (fault,))
    except CalibrationError as error:
        what = f'camera_info is invalid: {error}'
        return CheckedCameraInfo(
            None, (CalibrationError(what, 'correct it where it is published'),)
        )
    if calibration is None:
        fault = CalibrationError(
            'camera_info is uncalibrated: K[0] is 0',
            'calibrate the camera (camera_calibration), or set fov_deg; without either there is '
            'depth but no cloud',
        )
        return CheckedCameraInfo(None, (fault,), is_uncalibrated=True)
    faults = [] if assume_rectified else _lens_faults(calibration, rectify)
    if info.header.frame_id != frame_id:
        faults.append(
            CalibrationError(
                f'camera_info is in frame {info.header.frame_id!r} and its image in {frame_id!r}',
                'give both the frame_id of the optical frame in the camera driver',
                is_fatal=False,
            )
        )
    fitted: CameraCalibration | None = calibration
    if size is not None:
        try:
            fitted = _fitted(info, calibration, size)
        except CalibrationError as error:
            fitted, faults = None, [error.with_traceback(None), *faults]
    return CheckedCameraInfo(fitted, tuple(faults))


def _region(info: CameraInfoFields) -> tuple[int, int]:
    """Return width and height of the region of interest [px]; 0 is all from its offset on."""
    roi = info.roi
    return roi.width or info.width - roi.x_offset, roi.height or info.height - roi.y_offset


def _fitted(
    info: CameraInfoFields, calibration: CameraCalibration, size: tuple[int, int]
) -> CameraCalibration:
    """Return the calibration for an image (height, width), which may have been resized.

    Raises:
        CalibrationError: The image is more than the region it states, or of another shape.
    """
    width, height = _region(info)
    across, down = info.binning_x or 1, info.binning_y or 1
    is_all = size in ((info.height, info.width), (info.height // down, info.width // across))
    is_region = size == (calibration.height, calibration.width)
    if is_all and not is_region and (width, height) != (info.width, info.height):
        raise CalibrationError(
            f'camera_info has a region of interest of {width}x{height} px, and the image is all '
            f'of {info.width}x{info.height} px',
            'clear roi in camera_info, or publish the region',
        )
    return fit_to_image(calibration, size[1], size[0])


def _lens_faults(calibration: CameraCalibration, rectify: bool) -> list[CalibrationError]:
    """Return why an image is not rectified, or cannot be."""
    try:
        lens_coefficients(calibration)
    except CalibrationError as error:
        return [CalibrationError(error.what, error.remedy, is_fatal=rectify)]
    if rectify or calibration.is_rectified:
        return []
    return [
        CalibrationError(
            'camera_info has distortion, a rotation or K other than P, and rectify is off: the '
            'image is taken as rectified already (P holds)',
            'if it is raw, set rectify to true; if it is rectified already, set assume_rectified '
            'to true',
            is_fatal=False,
        )
    ]


def _content(info: CameraInfoFields) -> tuple[object, ...]:
    """Return everything that the result depends on, whatever library made the message."""
    numbers = np.concatenate([np.asarray(field, np.float64) for field in (info.k, info.r, info.p)])
    roi = info.roi
    return (
        *(info.width, info.height, info.binning_x, info.binning_y, info.distortion_model),
        *(roi.x_offset, roi.y_offset, roi.width, roi.height, info.header.frame_id),
        np.asarray(info.d, np.float64).tobytes(),
        numbers.tobytes(),
    )

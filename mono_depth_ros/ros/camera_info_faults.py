"""What is wrong with a camera_info, in words that say what to do about it."""

from typing import NamedTuple

from sensor_msgs.msg import CameraInfo

from ..core.camera.calibration import CameraCalibration, fit_to_image
from ..core.camera.rectification import lens_coefficients
from ..core.errors import CalibrationError
from .camera_info_messages import calibration_from_info


class Fault(NamedTuple):
    """Something that is wrong.

    Attributes:
        what: With the values that show it.
        remedy: What to do.
        is_fatal: Whether something that was asked for does not come because of it.
    """

    what: str
    remedy: str
    is_fatal: bool = True

    def __str__(self) -> str:
        return f'{self.what}; {self.remedy}'


def no_camera_info(topic: str) -> Fault:
    """Return what is wrong where no camera_info comes."""
    return Fault(
        f'no camera_info arrives on {topic}',
        'start the camera driver with a calibration, remap camera_info, or set fov_deg; without '
        'any of these there is depth but no cloud',
    )


def camera_info_faults(
    info: CameraInfo, size: tuple[int, int] | None, frame_id: str, rectify: bool
) -> list[Fault]:
    """Return what is wrong with the camera_info of an image.

    Args:
        info: The message.
        size: (height, width) of the image [px], None if not known.
        frame_id: Of the image.
        rectify: Whether the image will be undistorted.
    """
    try:
        calibration = calibration_from_info(info)
    except CalibrationError as error:
        return [Fault(f'camera_info is invalid: {error}', 'correct it where it is published')]
    if calibration is None:
        return [
            Fault(
                'camera_info is uncalibrated: K[0] is 0',
                'calibrate the camera (camera_calibration), or set fov_deg; without either there '
                'is depth but no cloud',
            )
        ]
    found = []
    if size is not None:
        try:
            fit_to_image(calibration, size[1], size[0])
        except CalibrationError as error:
            found.append(_worded(error))
    found += _lens_faults(calibration, rectify)
    if info.header.frame_id != frame_id:
        found.append(
            Fault(
                f'camera_info is in frame {info.header.frame_id!r} and its image in {frame_id!r}',
                'give both the frame_id of the optical frame in the camera driver',
                is_fatal=False,
            )
        )
    return found


def _lens_faults(calibration: CameraCalibration, rectify: bool) -> list[Fault]:
    """Return why an image is not rectified, or cannot be."""
    try:
        lens_coefficients(calibration)
    except CalibrationError as error:
        return [_worded(error, is_fatal=rectify)]
    if rectify or calibration.is_rectified:
        return []
    return [
        Fault(
            'camera_info has distortion, a rotation or K other than P, and rectify is off',
            'set rectify to true if the image is raw; if it is rectified already, all is well',
            is_fatal=False,
        )
    ]


def _worded(error: CalibrationError, is_fatal: bool = True) -> Fault:
    """Return an error's what and remedy, which its text parts by a semicolon."""
    what, _, remedy = str(error).partition('; ')
    return Fault(what, remedy, is_fatal)

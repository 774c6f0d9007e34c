"""The camera that a user states for images, turned and scaled to each of them."""

from dataclasses import dataclass

from ..core.camera.calibration import CameraCalibration, fit_to_image, same_aspect
from ..core.camera.orientation import swaps_axes, turned_calibration
from ..core.camera.picture_header import UPRIGHT
from ..core.camera.pinhole import PinholeCamera
from ..core.camera.plausibility import MIN_FOV_DEG
from ..core.errors import ImplausibleCalibrationError
from .images import ImageFrame

_MAX_FOV_DEG = 150.0
"""Lenses that draw straight lines end at 130 degrees; wider ones need a calibration."""
_MAX_RADIANS = 3.2
_FULL_FRAME_MM = 36.0


@dataclass(frozen=True)
class ChosenCamera:
    """What a user states about the camera of all images.

    Attributes:
        calibration: In place of what comes with an image. Of a picture that was turned upright it
            may be that of the sensor.
        focal_px: Focal length of images without a calibration, at the size of their files; 0 =
            not known.
        fov_deg: Horizontal field of view of images without either; 0 = not known.
        rectify: Whether raw images are to be rectified.
    """

    calibration: CameraCalibration | None = None
    focal_px: float = 0.0
    fov_deg: float = 0.0
    rectify: bool = True

    @property
    def is_given(self) -> bool:
        """Whether images without a calibration of their own get one."""
        return bool(self.calibration or self.focal_px or self.fov_deg)

    def of(self, frame: ImageFrame) -> CameraCalibration | None:
        """Return the calibration of a frame at its size, None if none is known.

        Raises:
            CalibrationError: It is of another aspect ratio, or `focal_px` or `fov_deg` is not
                plausible.
        """
        height, width = frame.rgb.shape[:2]
        chosen = self.calibration or frame.calibration
        if chosen is not None:
            upright = _upright(chosen, (width, height), frame.orientation)
            return fit_to_image(upright, width, height)
        return self.of_size(width, height, frame.reduction)

    def of_size(self, width: int, height: int, reduction: float = 1.0) -> CameraCalibration | None:
        """Return the calibration of an upright image of that size; see `of`."""
        if self.calibration is not None:
            return fit_to_image(self.calibration, width, height)
        if self.focal_px:
            f = self.focal_px * reduction
            camera = PinholeCamera(width, height, f, f, (width - 1) / 2, (height - 1) / 2)
            self._require_focal(camera, width / reduction)
        elif self.fov_deg:
            camera = PinholeCamera.from_fov(width, height, self.fov_deg)
            self._require_fov()
        else:
            return None
        return CameraCalibration.of_pinhole(camera)

    def _require_focal(self, camera: PinholeCamera, full_width: float) -> None:
        told = (
            f'--focal {self.focal_px:g} is a focal length of {self.focal_px:g} px: a view '
            f'{camera.fov_deg:.3g} degrees wide in a picture {full_width:.0f} px wide'
        )
        if camera.fov_deg > _MAX_FOV_DEG:
            in_px = self.focal_px * full_width / _FULL_FRAME_MM
            raise ImplausibleCalibrationError(
                f'{told}; if it is in millimeters, of a full-frame sensor or "35 mm equivalent", '
                f'it is {in_px:.0f} px',
                'it must be in pixels: focal length in mm / size of a pixel in mm',
            )
        if camera.fov_deg < MIN_FOV_DEG:
            raise ImplausibleCalibrationError(
                told, 'give pixels of this size: it may be that of a larger picture'
            )

    def _require_fov(self) -> None:
        told = f'--fov {self.fov_deg:g} is a view {self.fov_deg:g} degrees wide'
        if self.fov_deg > _MAX_FOV_DEG:
            raise ImplausibleCalibrationError(
                f'{told}, more than a lens without distortion has',
                'a fisheye lens needs --calibration',
            )
        if self.fov_deg < MIN_FOV_DEG:
            in_degrees = self.fov_deg * 57.29578
            cause = f'; in radians it is {in_degrees:.3g} degrees'
            raise ImplausibleCalibrationError(
                told + (cause if self.fov_deg <= _MAX_RADIANS else ''), 'give degrees'
            )


def _upright(
    calibration: CameraCalibration, size: tuple[int, int], orientation: int
) -> CameraCalibration:
    """Return the calibration of a picture of that size that was turned upright.

    It is taken for that of the sensor, unless only the aspect of the upright picture fits.
    """
    if orientation == UPRIGHT:
        return calibration
    of_sensor = size[::-1] if swaps_axes(orientation) else size
    stated = calibration.width, calibration.height
    if not same_aspect(stated, of_sensor) and same_aspect(stated, size):
        return calibration
    return turned_calibration(calibration, orientation)

"""Prepare an image for the network and the outputs: upload, rectify, resize, find valid pixels."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..devices import uploaded
from ..errors import CalibrationError, ImageError, SettingsError
from .calibration import CameraCalibration
from .image_content import missing_content
from .image_settings import ImageSettings
from .mask import Mask, read_mask
from .pinhole import PinholeCamera
from .rectification import Rectifier

_LEAST_RECTIFIED = 0.05
"""Share of the image that rectification must leave: that of a pair turns by a degree or so."""
_INVALID_SHARE = 1e-3
"""Smallest share of an output pixel that counts as invalid; less is rounding of the resize."""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image on the device, as a pinhole camera sees it.

    Attributes:
        image: (H, W, 3) uint8 RGB at the size of the incoming image.
        color: (h, w, 3) uint8 RGB at the size of the outputs.
        camera: Intrinsics of `color`, None if unknown.
        valid: (h, w) bool, False where the image does not show the scene; None if it is all valid.
        reason_unknown: Why no depth of this image can be trusted, '' if it can.
    """

    image: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None
    valid: torch.Tensor | None
    reason_unknown: str

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the outputs [px]."""
        return self.color.shape[0], self.color.shape[1]


class ImagePreparer:
    """Prepares images on a device; keeps what depends on camera and mask alone."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._rectifier = lru_cache(maxsize=1)(Rectifier)
        self._mask = lru_cache(maxsize=1)(_read_mask)
        self._valid = lru_cache(maxsize=1)(valid_mask)

    def prepare(
        self, rgb: np.ndarray, calibration: CameraCalibration | None, settings: ImageSettings
    ) -> PreparedImage:
        """Return the prepared image.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image size; None if unknown.
            settings: Rectification, mask, and the size of the outputs.

        Raises:
            CalibrationError: The calibration is for another size, or its lens model is unknown.
            ImageError: The image has another type or shape, or another aspect ratio than the mask.
        """
        image = _upload(rgb, self._device)
        height, width = image.shape[:2]
        camera, rectifier = None, None
        if calibration is not None:
            _require_size(calibration, width, height)
            camera = calibration.rectified_camera()
            if settings.rectify and not calibration.is_rectified:
                rectifier = self._rectifier(calibration, self._device)
                image = rectifier.rectify(image)
        elif settings.fov_deg:
            camera = PinholeCamera.from_fov(width, height, settings.fov_deg)
        rows, columns = (max(1, round(n * settings.output_scale)) for n in (height, width))
        mask, unreadable = self._mask(settings.mask, settings.max_pixels)
        return PreparedImage(
            image,
            _shrink(image, (rows, columns)),
            camera and camera.resized(columns, rows),
            self._valid(mask, rectifier, (height, width), (rows, columns), self._device),
            unreadable or missing_content(rgb, settings.min_contrast),
        )


def valid_mask(
    mask: Mask | None,
    rectifier: Rectifier | None,
    raw_size: tuple[int, int],
    size: tuple[int, int],
    device: torch.device,
) -> torch.Tensor | None:
    """Return (*size) bool, True for output pixels that show nothing but the scene; None if all do.

    False are pixels that the mask excludes and, after rectification, pixels outside the raw image.
    An output pixel that mixes several image pixels is valid only if all of them are. The sizes of
    the incoming image and of the output are (height, width) [px].

    Raises:
        ImageError: The mask has another aspect ratio than the image.
        CalibrationError: Rectification leaves next to nothing.
    """
    height, width = raw_size
    raw = np.ones(raw_size, bool) if mask is None else mask.fitted(width, height)
    valid = torch.from_numpy(raw).to(device)
    if rectifier is not None:
        valid = rectifier.valid_mask(valid)
        left = float(valid.float().mean())
        if left < _LEAST_RECTIFIED * raw.mean():
            raise CalibrationError(
                f'rectification leaves {left:.1%} of the image',
                'R and D of camera_info are not those of this camera',
            )
    if valid.shape != size:
        invalid = (~valid).float()[None, None]
        share = F.interpolate(invalid, size, mode='bilinear', antialias=True)[0, 0]
        valid = share < _INVALID_SHARE
    return None if bool(valid.all()) else valid


def _read_mask(path: str, max_pixels: int) -> tuple[Mask | None, str]:
    """Return the mask, or None and the reason why it cannot be read."""
    try:
        return (read_mask(path, max_pixels) if path else None), ''
    except SettingsError as error:
        return None, str(error)


def _upload(rgb: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return an image (H, W, 3) uint8 of any strides on the device."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ImageError(f'image is {rgb.dtype} {rgb.shape}; it must be uint8 (H, W, 3)')
    # torch takes no array that is read-only or has negative strides.
    return uploaded(np.require(rgb, requirements=('C', 'W')), device)


def _shrink(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (*size, 3) uint8, averaged down; the image itself where it has that size."""
    if image.shape[:2] == size:
        return image
    if image.device.type == 'cpu':
        smaller = cv2.resize(image.numpy(), size[::-1], interpolation=cv2.INTER_AREA)
        return torch.from_numpy(smaller)
    planes = image.permute(2, 0, 1)[None].float()
    averaged = F.interpolate(planes, size, mode='bilinear', antialias=True)
    return averaged[0].round_().to(torch.uint8).permute(1, 2, 0)


def _require_size(calibration: CameraCalibration, width: int, height: int) -> None:
    if (width, height) != (calibration.width, calibration.height):
        raise CalibrationError(
            f'calibration is for {calibration.width}x{calibration.height} px and the image '
            f'has {width}x{height} px; fit_to_image makes it one for this image'
        )

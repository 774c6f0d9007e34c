"""What the network and the outputs see of an image: rectified, and the colors at their size."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from ..errors import CalibrationError
from ..pipeline_settings import PipelineSettings
from .calibration import CameraCalibration
from .mask import Mask
from .pinhole import PinholeCamera
from .rectification import Rectifier
from .resizing import output_size, shrunk, uploaded

_SPECK = 1e-3
"""Less of a pixel than this is rounding."""


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image on the device as a pinhole camera sees it.

    Attributes:
        image: (H, W, 3) uint8 RGB, in the size it came in.
        color: (h, w, 3) uint8 RGB, the same in the size of the outputs.
        camera: Of `color`, None if not known.
        seen: (h, w) bool, false where the image does not show the world; None if it always does.
    """

    image: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None
    seen: torch.Tensor | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the outputs [px]."""
        return self.color.shape[0], self.color.shape[1]


class ImagePreparer:
    """Makes views of images; what depends on the camera alone is made once.

    Args:
        device: Where views are.

    Attributes:
        mask: Blind pixels of the images that come in, if any are known.
    """

    def __init__(self, device: torch.device) -> None:
        self.mask: Mask | None = None
        self._device = device
        self._rectifier = lru_cache(maxsize=1)(Rectifier)
        self._seen = lru_cache(maxsize=1)(valid_mask)

    def view(
        self, rgb: np.ndarray, calibration: CameraCalibration | None, settings: PipelineSettings
    ) -> PreparedImage:
        """Return the view of an image.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image; None if there is none.
            settings: Whether to rectify, and the size of the outputs.

        Raises:
            CalibrationError: It is of another image size, or its lens cannot be rectified.
            ImageError: The image has a type or shape that no network takes, or another aspect
                ratio than the mask.
        """
        image = uploaded(rgb, self._device)
        height, width = image.shape[:2]
        rectifier = None
        if calibration is None:
            fov_deg = settings.fov_deg
            camera = PinholeCamera.from_fov(width, height, fov_deg) if fov_deg else None
        else:
            _require_size(calibration, width, height)
            camera = calibration.rectified_camera()
            if settings.rectify and not calibration.is_rectified:
                rectifier = self._rectifier(calibration, self._device)
                image = rectifier.rectify(image)
        size = output_size(image, settings.output_scale)
        return PreparedImage(
            image,
            shrunk(image, size),
            camera and camera.resized(size[1], size[0]),
            self._seen(self.mask, rectifier, (height, width), size, self._device),
        )


def valid_mask(
    mask: Mask | None,
    rectifier: Rectifier | None,
    raw_size: tuple[int, int],
    size: tuple[int, int],
    device: torch.device,
) -> torch.Tensor | None:
    """Return (*size) bool: the pixels of an output that show nothing but the world.

    None if all do. Left out are those that the mask calls blind and, rectified, those outside of
    the raw image; a pixel that mixes several needs all of them.

    Args:
        mask: Of the images that come in, if there is one.
        rectifier: What they go through, if anything.
        raw_size: (height, width) of the images that come in [px].
        size: (height, width) of the output [px].
        device: Where the result is to be.

    Raises:
        ImageError: The mask has another aspect ratio than the images.
    """
    height, width = raw_size
    raw = np.ones(raw_size, bool) if mask is None else mask.fitted(width, height)
    seen = torch.from_numpy(raw).to(device)
    if rectifier is not None:
        seen = rectifier.seen(seen)
    if seen.shape != size:
        blind = (~seen).float()[None, None]
        seen = F.interpolate(blind, size, mode='bilinear', antialias=True)[0, 0] < _SPECK
    return None if bool(seen.all()) else seen


def _require_size(calibration: CameraCalibration, width: int, height: int) -> None:
    if (width, height) != (calibration.width, calibration.height):
        raise CalibrationError(
            f'calibration is for {calibration.width}x{calibration.height} px and the image '
            f'has {width}x{height} px; fit_to_image makes it one for this image'
        )

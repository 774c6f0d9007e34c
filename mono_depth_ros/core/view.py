"""What the network and the outputs see of an image: rectified, and the colours at their size."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from .calibration import CameraCalibration
from .camera import PinholeCamera
from .errors import CalibrationError
from .images import output_size, shrunk, uploaded
from .pipeline_settings import PipelineSettings
from .rectification import Rectifier


@dataclass(frozen=True, eq=False)
class View:
    """An image on the device as a pinhole camera sees it.

    Attributes:
        image: (H, W, 3) uint8 RGB, in the size it came in.
        color: (h, w, 3) uint8 RGB, the same in the size of the outputs.
        camera: Of `color`, None if not known.
    """

    image: torch.Tensor
    color: torch.Tensor
    camera: PinholeCamera | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the outputs [px]."""
        return self.color.shape[0], self.color.shape[1]


class Viewer:
    """Makes views of images; what depends on the camera alone is made once.

    Args:
        device: Where views are.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._rectifier = lru_cache(maxsize=1)(Rectifier)

    def view(
        self, rgb: np.ndarray, calibration: CameraCalibration | None, settings: PipelineSettings
    ) -> View:
        """Return the view of an image.

        Args:
            rgb: (H, W, 3) uint8, any strides.
            calibration: Of exactly this image; None if there is none.
            settings: Whether to rectify, and the size of the outputs.

        Raises:
            CalibrationError: It is of another image size, or its lens cannot be rectified.
            ImageError: The image has a type or shape that no network takes.
        """
        image = uploaded(rgb, self._device)
        image, camera = self._rectified(image, calibration, settings)
        height, width = output_size(image, settings.output_scale)
        color = shrunk(image, (height, width))
        return View(image, color, camera and camera.resized(width, height))

    def _rectified(
        self,
        image: torch.Tensor,
        calibration: CameraCalibration | None,
        settings: PipelineSettings,
    ) -> tuple[torch.Tensor, PinholeCamera | None]:
        """Return the image as a pinhole camera sees it, and that camera."""
        height, width = image.shape[:2]
        if calibration is None:
            fov_deg = settings.fov_deg
            return image, PinholeCamera.from_fov(width, height, fov_deg) if fov_deg else None
        if (width, height) != (calibration.width, calibration.height):
            raise CalibrationError(
                f'calibration is for {calibration.width}x{calibration.height} px and the image '
                f'has {width}x{height} px; fit_to_image makes it one for this image'
            )
        if not settings.rectify or calibration.is_rectified:
            return image, calibration.rectified_camera()
        rectifier = self._rectifier(calibration, self._device)
        return rectifier.rectify(image), rectifier.camera

"""Pinhole camera: intrinsics at any image size, and rays of pixels."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CalibrationError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PinholeCamera:
    """Intrinsics of a rectified image [px]; pixel (u, v) = (0, 0) is the center of the first."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise CalibrationError(f'camera size is {self.width}x{self.height} px')
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not all(map(math.isfinite, numbers)) or self.fx <= 0 or self.fy <= 0:
            raise CalibrationError(
                f'fx, fy, cx, cy are {numbers}', 'focal lengths must be positive and all finite'
            )

    @classmethod
    def from_fov(cls, width: int, height: int, fov_deg: float) -> 'PinholeCamera':
        """Return the square-pixel camera with horizontal field of view `fov_deg`, centered.

        Raises:
            CalibrationError: The field of view is not inside (0, 180) degrees.
        """
        if not 0 < fov_deg < 180:
            raise CalibrationError(f'fov_deg is {fov_deg}; it must lie between 0 and 180 degrees')
        focal_px = width / 2 / math.tan(math.radians(fov_deg) / 2)
        return cls(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)

    @property
    def fov_deg(self) -> float:
        """The wider of the horizontal and the vertical field of view [deg]."""
        wider = max(self.width / self.fx, self.height / self.fy)
        return math.degrees(2 * math.atan(wider / 2))

    def resized(self, width: int, height: int) -> 'PinholeCamera':
        """Return the camera of the resized image: f' = s f, c' = s (c + 1/2) - 1/2."""
        if (width, height) == (self.width, self.height):
            return self
        su, sv = width / self.width, height / self.height
        return PinholeCamera(
            width,
            height,
            self.fx * su,
            self.fy * sv,
            (self.cx + 0.5) * su - 0.5,
            (self.cy + 0.5) * sv - 0.5,
        )

    def rays(self, device: 'torch.device | str' = 'cpu') -> 'torch.Tensor':
        """Return (2, H, W) float32: x/z and y/z of every pixel's ray in the optical frame."""
        import torch  # takes seconds, which a calibration need not wait for

        x = (torch.arange(self.width, dtype=torch.float64) - self.cx) / self.fx
        y = (torch.arange(self.height, dtype=torch.float64) - self.cy) / self.fy
        grid = torch.stack(torch.meshgrid(x, y, indexing='xy'))
        return grid.to(device=device, dtype=torch.float32)

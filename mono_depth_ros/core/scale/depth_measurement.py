"""Metric inverse depth, with holes, as a depth sensor measured it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from ..camera.pinhole import PinholeCamera
from ..cpu_pixels import thresholded
from ..errors import CalibrationError, ImageError

_DEPTH_NOISE = 0.002
"""[1/m]: 0.1 px of a depth camera with f t = 50 px m."""
_ASPECT_TOLERANCE = 0.02
_FOCAL_TOLERANCE = 0.05
_DEPTH_UNITS = {
    1000.0: '32FC1 holds millimeters; it must hold meters (REP-118)',
    100.0: '32FC1 holds centimeters; it must hold meters (REP-118)',
    10.0: '16UC1 holds tenths of a millimeter; it must hold millimeters (REP-118)',
    0.256: '16UC1 holds 1/256 m, as KITTI stores depth; it must hold millimeters (REP-118)',
    0.1: '16UC1 holds centimeters; it must hold millimeters (REP-118)',
    0.001: '16UC1 holds meters; it must hold millimeters (REP-118)',
}


Where = torch.Tensor | slice | None
"""Indices of pixels in rows, (N,) int64; a slice of them; or None for all."""


@dataclass(frozen=True, eq=False)
class DepthMeasurement:
    """Measured inverse depth of the view of an image, at the sensor's own resolution.

    Attributes:
        inverse_depth: (h, w) float32 [1/m], NaN where nothing was measured.
        noise: The part of its standard deviation that is the same at every depth [1/m].
        origin: What it was computed from, for messages.
        units: How many times too far depth comes out -> why, and what to do.
        relative_noise: The part that is a share of depth, and so of inverse depth.
        depth_noise_m: The part that is the same in depth [m].
        is_matched: Whether it was found by matching images, which errs in whole regions.
        fault: Why it is wrong even where its depth is in range, '' if nothing says so.
    """

    inverse_depth: torch.Tensor
    noise: float
    origin: str = ''
    units: Mapping[float, str] = field(default_factory=dict)
    relative_noise: float = 0.0
    depth_noise_m: float = 0.0
    is_matched: bool = False
    fault: str = ''

    def sigma(self) -> torch.Tensor:
        """Return one standard deviation of inverse depth (h, w) [1/m], NaN where it is unknown."""
        return self.variance(self.inverse_depth).sqrt()

    def matched(self, where: Where = None) -> torch.Tensor:
        """Return (N,) bool, or one for all: whether pixels were found by matching images."""
        return torch.tensor(self.is_matched)

    def variance(self, inverse_depth: torch.Tensor, where: Where = None) -> torch.Tensor:
        """Return the variance [1/m^2] of measurements of that inverse depth, of any shape.

        Args:
            inverse_depth: [1/m].
            where: The pixels that it was measured at, of which each may have a noise of its own.

        The parts are independent, so their squares add up; an error dZ of depth is one of
        dZ / Z^2 of inverse depth, to first order.
        """
        square = inverse_depth.square()
        if not self.depth_noise_m:
            return square.mul_(self.relative_noise**2).add_(self.noise**2)
        parts = square * self.depth_noise_m**2 + self.relative_noise**2
        return parts.mul_(square).add_(self.noise**2)


def measure_depth(depth: torch.Tensor) -> DepthMeasurement:
    """Return what registered depth (h, w) float32 [m] says; not finite, not positive = nothing."""
    inverse_depth = thresholded(depth.float(), 0, math.inf).reciprocal_()
    return DepthMeasurement(inverse_depth, _DEPTH_NOISE, 'registered depth', _DEPTH_UNITS)


def require_same_view(
    width: int, height: int, focal_px: float, camera: PinholeCamera, what: str
) -> None:
    """Require that a measurement comes from the camera of the image.

    Args:
        width: Width of the measurement [px].
        height: Height of the measurement [px].
        focal_px: Focal length of the measurement [px]; 0 if it states none.
        camera: Camera of the image.
        what: Name of the measurement for the message.

    Raises:
        CalibrationError: Aspect, or field of view, differs by more than a resize explains.
        ImageError: The measurement has no pixels.
    """
    if width < 1 or height < 1:
        raise ImageError(f'{what} is {width}x{height} px')
    # A size rounded to whole pixels changes the aspect by up to half a pixel on each side.
    slack = _ASPECT_TOLERANCE + 1 / min(width, height)
    aspect = (width / height) / (camera.width / camera.height)
    if abs(aspect - 1) > slack:
        raise CalibrationError(
            f'{what} is {width}x{height} px and the image {camera.width}x{camera.height} px, '
            'another aspect ratio; it must come from the same camera'
        )
    if not focal_px:
        return
    ours, theirs = camera.fx / camera.width, focal_px / width
    if abs(theirs / ours - 1) > _FOCAL_TOLERANCE:
        raise CalibrationError(
            f'{what} has f/width = {theirs:.4f} and the image {ours:.4f}, another field of view; '
            'it must come from the same camera'
        )

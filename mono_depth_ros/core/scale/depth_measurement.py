"""Metric inverse depth, with holes, as a depth sensor measured it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CalibrationError, ImageError

_MATCHING_NOISE_PX = 0.25
"""Semi-global matching errs by 0.25 px on real pairs; see benchmarks/results/alignment.md."""
_DEPTH_NOISE = 0.002
"""[1/m]: 0.1 px of a depth camera with f t = 50 px m."""
_MARKER_GAP_PX = 0.9
"""Least distance of the marker to a disparity: it is 1, but for rounding."""
_MARKER_SHARE = 0.005
"""Least share of the pixels that the marker takes up: a blind band of 4 of 640 columns."""
_LATTICE_TOLERANCE = 0.01
_SAMPLES = 20000
_TINY = 1e-6
_ROUNDING_PX = 0.01
_ASPECT_TOLERANCE = 0.02
_FOCAL_TOLERANCE = 0.05
_MIN_FOCAL = 0.1
"""Focal length over width: 0.1 is a field of view of 157 degrees, more than any pinhole has."""
_DISPARITY_UNITS = {
    1000.0: 't is in millimeters; it must be in meters',
    100.0: 't is in centimeters; it must be in meters',
    1 / 16: 'disparity is in 1/16 px, as OpenCV computes it; divide it by 16',
    1 / 256: 'disparity is in 1/256 px, as KITTI stores it; divide it by 256',
}
"""How many times too far depth comes out -> why, and what to do."""
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
        units: See `_DISPARITY_UNITS`.
        relative_noise: The part that is a share of depth, and so of inverse depth.
        depth_noise_m: The part that is the same in depth [m].
        is_matched: Whether it was found by matching images, which errs in whole regions.
    """

    inverse_depth: torch.Tensor
    noise: float
    origin: str = ''
    units: Mapping[float, str] = field(default_factory=dict)
    relative_noise: float = 0.0
    depth_noise_m: float = 0.0
    is_matched: bool = False

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


def measure_disparity(
    disparity: torch.Tensor,
    focal_px: float,
    baseline_m: float,
    *,
    min_disparity: float = 0.0,
    max_disparity: float = 0.0,
    doffs_px: float = 0.0,
) -> DepthMeasurement:
    """Return the inverse depth of a disparity image: 1/Z = (d + doffs) / (f t).

    Invalid are values that are not finite, not positive or outside the stated range, and the
    marker that OpenCV's matchers write where they found no match: 1 below the least disparity.
    `stereo_image_proc` adds the difference of the principal points to all values including the
    marker, but not to the stated range; the marker then reveals the difference. If most values
    other than the marker are negative, their magnitude is the disparity, as some drivers publish
    it; a stated range on both sides of 0 decides instead, by its longer side.

    Args:
        disparity: (h, w) float32 [px].
        focal_px: Focal length of the disparity image [px].
        baseline_m: Distance of the cameras [m].
        min_disparity: Smallest disparity the matcher searched [px].
        max_disparity: Largest one [px]; no range is stated unless it exceeds `min_disparity`.
        doffs_px: Principal point of the right camera minus that of the left [px], where the
            matcher has not subtracted it.

    Raises:
        CalibrationError: The focal length or the baseline is no such length.
    """
    width = disparity.shape[1]
    _require_geometry(width, focal_px, baseline_m)
    d = disparity.float()
    sample = _sample(d)
    if _is_negative(sample, min_disparity, max_disparity):
        d, sample = -d, -sample
        if min_disparity + max_disparity < 0:
            min_disparity, max_disparity = -max_disparity, -min_disparity
    low, high = _TINY, torch.finfo(d.dtype).max
    marker = _marker(sample)
    if marker is not None:
        shift = marker - (min_disparity - 1)
        min_disparity, max_disparity = min_disparity + shift, max_disparity + shift
        low = max(low, marker + _MARKER_GAP_PX)
    if max_disparity > min_disparity:
        low, high = max(low, min_disparity - _ROUNDING_PX), max_disparity + _ROUNDING_PX
    low = max(low, _TINY - doffs_px)
    per_px = 1 / (focal_px * baseline_m)
    invalid = ~((d >= low) & (d <= high))
    inverse_depth = ((d + doffs_px) * per_px).masked_fill_(invalid, torch.nan)
    return DepthMeasurement(
        inverse_depth,
        _MATCHING_NOISE_PX * per_px,
        f'disparity with f = {focal_px:.4g} px and t = {baseline_m:.4g} m',
        {**_DISPARITY_UNITS, float(width): 'disparity is a share of the width; it must be in px'},
        is_matched=True,
    )


def _require_geometry(width: int, focal_px: float, baseline_m: float) -> None:
    for name, value, unit in (('f', focal_px, 'px'), ('t', baseline_m, 'm')):
        if not 0 < value < float('inf'):
            raise CalibrationError(f'disparity has {name} = {value} {unit}; it must be positive')
    if focal_px < _MIN_FOCAL * width:
        raise CalibrationError(
            f'disparity of {width} px of width has f = {focal_px:.4g} px and t = {baseline_m:.4g} '
            'm, a field of view that no rectified image has',
            'f must be in pixels and t in meters; they may be swapped',
        )


def measure_depth(depth: torch.Tensor) -> DepthMeasurement:
    """Return what registered depth (h, w) float32 [m] says; not finite, not positive = nothing."""
    valid = depth.isfinite() & (depth > 0)
    inverse_depth = depth.float().masked_fill(~valid, torch.nan).reciprocal()
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


def _sample(d: torch.Tensor) -> torch.Tensor:
    """Return (N,) about `_SAMPLES` values, finite or not, spread over the image."""
    stride = max(1, round((d.numel() / _SAMPLES) ** 0.5))
    return d[::stride, ::stride].flatten()


def _is_negative(sample: torch.Tensor, low: float, high: float) -> bool:
    """Return whether disparity has the other sign, by a range or the majority of values."""
    if low < 0 < high:
        return -low > high
    known = sample[sample.isfinite() & (sample != 0)]
    known = known[known > known.min()] if len(known) else known  # the least may be a marker
    return int((known < 0).sum()) > len(known) / 2


def _marker(sample: torch.Tensor) -> float | None:
    """Return the least value if it marks missing matches: frequent, and apart from all others.

    A marker exists only among values in OpenCV's steps of 1/16 px: between whole numbers every
    value has a gap, and among arbitrary fractions the least value is a flat background. If some
    values are not finite, those mark the missing matches.
    """
    if not sample.numel() or not bool(sample.isfinite().all()):
        return None
    low = sample.min()
    others = sample[sample > low]
    share = 1 - others.numel() / sample.numel()
    if share < _MARKER_SHARE or not others.numel() or others.min() < low + _MARKER_GAP_PX:
        return None
    steps = 16 * (others - low)
    on_lattice = bool(((steps - steps.round()).abs() < _LATTICE_TOLERANCE).all())
    return float(low) if on_lattice and bool((steps.round() % 16 != 0).any()) else None

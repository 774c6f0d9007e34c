"""Metric inverse depth of a disparity image."""

import math
import operator

import numpy as np
import numpy.typing as npt
import torch

from ..cpu_pixels import compared, is_known, thresholded
from ..errors import CalibrationError
from .depth_measurement import DepthMeasurement

Sample = npt.NDArray[np.float32]

_MATCHING_NOISE_PX = 0.25
"""Semi-global matching errs by 0.25 px on real pairs; see benchmarks/results/alignment.md."""
_MARKER_GAP_PX = 0.9
"""Least distance of the marker to a disparity: it is 1, but for rounding."""
_MARKER_SHARE = 0.005
"""Least share of the pixels that the marker takes up: a blind band of 4 of 640 columns."""
_LATTICE_TOLERANCE = 0.01
_SAMPLES = 20000
_TINY = 1e-6
_BEYOND = 0.05
"""Share of the width by which a match may lie outside the image."""
_MOST_BEYOND = 0.25
"""Share of the matches: 0 in real pairs and simulated ones, 0.3 to 0.4 if 16 times too large; of
disparity that was filled in, 0.2 before a wall at 0.4 m."""
_ROUNDING_PX = 0.01
_MIN_FOCAL = 0.1
"""Focal length over width: 0.1 is a field of view of 157 degrees, more than any pinhole has."""
_UNITS = {
    1000.0: 't is in millimeters; it must be in meters',
    100.0: 't is in centimeters; it must be in meters',
    1 / 16: 'disparity is in 1/16 px, as OpenCV computes it; divide it by 16',
    1 / 256: 'disparity is in 1/256 px, as KITTI stores it; divide it by 256',
}
"""See `DepthMeasurement`."""


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
    d = disparity.detach().float()
    sample = _sample(d)
    if _is_negative(sample, min_disparity, max_disparity):
        d, sample = -d, -sample
        if min_disparity + max_disparity < 0:
            min_disparity, max_disparity = -max_disparity, -min_disparity
    low, high = _TINY, math.inf
    marker = _marker(sample)
    if marker is not None:
        shift = marker - (min_disparity - 1)
        min_disparity, max_disparity = min_disparity + shift, max_disparity + shift
        low = max(low, marker + _MARKER_GAP_PX)
    if max_disparity > min_disparity:
        low, high = max(low, min_disparity - _ROUNDING_PX), max_disparity + _ROUNDING_PX
    low = max(low, _TINY - doffs_px)
    per_px = 1 / (focal_px * baseline_m)
    valid = thresholded(d, low, high)
    inverse_depth = (valid + doffs_px).mul_(per_px)
    return DepthMeasurement(
        inverse_depth,
        _MATCHING_NOISE_PX * per_px,
        f'disparity with f = {focal_px:.4g} px and t = {baseline_m:.4g} m',
        {**_UNITS, float(width): 'disparity is a share of the width; it must be in px'},
        is_matched=True,
        fault='' if max_disparity > min_disparity else _matches_beyond(valid),
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


def _matches_beyond(d: torch.Tensor) -> str:
    """Return that many pixels (h, w) match what is outside the other image, '' if few do.

    The match is `d` px to the left, or to the right if the disparity is that of a right camera;
    NaN is none. Values that a matcher shifted by the difference of the principal points leave it a
    little.
    """
    width = d.shape[1]
    u = torch.arange(width, device=d.device, dtype=d.dtype) + _BEYOND * width
    known = max(1, int(is_known(d).sum()))
    share = min(int(compared(d, operator.gt, side).sum()) for side in (u, u.flip(0))) / known
    if share <= _MOST_BEYOND:
        return ''
    return (
        f'{share:.0%} of the disparities point outside of the other image; disparity must be in '
        'px, and not in 1/16 px as OpenCV computes it'
    )


def _sample(d: torch.Tensor) -> Sample:
    """Return (N,) about `_SAMPLES` values, finite or not, spread over the image."""
    stride = max(1, round((d.numel() / _SAMPLES) ** 0.5))
    return d[::stride, ::stride].flatten().cpu().numpy()


def _is_negative(sample: Sample, low: float, high: float) -> bool:
    """Return whether disparity has the other sign, by a range or the majority of values."""
    if low < 0 < high:
        return -low > high
    known = sample[np.isfinite(sample) & (sample != 0)]
    known = known[known > known.min()] if len(known) else known  # the least may be a marker
    return bool(np.count_nonzero(known < 0) > len(known) / 2)


def _marker(sample: Sample) -> float | None:
    """Return the least value if it marks missing matches: frequent, and apart from all others.

    A marker exists only among values in OpenCV's steps of 1/16 px: between whole numbers every
    value has a gap, and among arbitrary fractions the least value is a flat background. If some
    values are not finite, those mark the missing matches.
    """
    if not len(sample) or not np.isfinite(sample).all():
        return None
    low = sample.min()
    others = sample[sample > low]
    share = 1 - len(others) / len(sample)
    if share < _MARKER_SHARE or not len(others) or others.min() < low + _MARKER_GAP_PX:
        return None
    steps = 16 * (others.astype(np.float64) - low)
    whole = np.round(steps)
    is_on_lattice = (np.abs(steps - whole) < _LATTICE_TOLERANCE).all()
    return float(low) if is_on_lattice and (whole % 16 != 0).any() else None

"""Measured pixels worked into a corrected depth image."""

import torch

from ..windows import over_window
from .depth_measurement import DepthMeasurement
from .least_squares import OF_MEDIAN

# Those that change accuracy: `Constants` in benchmarks/results/fusion.md.
_AGREEMENT = 3.0  # deviations within which a measured pixel agrees with its surroundings
_BLOCK = (3, 7)
_LIKE = 0.12
"""Measured pixels that contradict the field around them are a surface of their own, rather than
errors, if they fill a block of this size [px], upright or lying, in which the inverse depth of 3x3
neighbors differs by at most this share."""
_TRUSTED = 0.8
"""Share of the measured pixels that must agree for the others to be such surfaces: a matcher whose
matches contradict the field in many places has seen repetitions."""
_NOISE_ROWS, _NOISE_COLUMNS = 8, 3  # of which one is taken to see how noisy a measurement is
_STEP = 31  # between the pixels that are counted for that


def with_measured(
    inverse_depth: torch.Tensor,
    measured: torch.Tensor,
    where: torch.Tensor | slice,
    measurement: DepthMeasurement,
    spread: float,
) -> torch.Tensor:
    """Work measured pixels into inverse depth, and return (H, W) bool: which these are.

    Args:
        inverse_depth: (H, W) float32 [1/m], contiguous, NaN unknown; changed in place.
        measured: (N,) inverse depth at some pixels [1/m], NaN not measured.
        where: Their indices, (N,) int64; a slice of all: the measurement is dense.
        measurement: Tells their noise.
        spread: One standard deviation of `inverse_depth`, relative to it.
    """
    expected = inverse_depth.view(-1)[where]
    error = measured - expected
    of_field = (expected * spread).square_()
    variance = measurement.variance(measured, where)
    unstated = 0.0
    if isinstance(where, slice):
        size = inverse_depth.shape
        unstated = _unstated_variance(measured.view(size), variance.view(size))
    total = variance.add_(of_field)
    # Whether a pixel agrees is judged by what is stated: many outliers look like noise, too.
    gain = of_field / torch.add(total, of_field, alpha=unstated / spread**2)
    # 1 or 0, and no bool, with which PyTorch takes a CPU five times as long. NaN, where nothing
    # was measured or predicted, agrees with nothing.
    agrees = error.square().lt_(total.mul_(_AGREEMENT**2))
    gain.mul_(agrees).nan_to_num_(0.0)
    if isinstance(where, slice) and _are_errors_few(error, agrees):
        surface = _is_surface((error + expected).view(inverse_depth.shape)).view(-1)
        gain.addcmul_(surface.float(), 1 - agrees)
    inverse_depth.view(-1)[where] = error.nan_to_num_(0.0).mul_(gain).add_(expected)
    is_measured = torch.zeros_like(inverse_depth, dtype=torch.bool)
    is_measured.view(-1)[where] = gain.bool()
    return is_measured


def _unstated_variance(measured: torch.Tensor, stated: torch.Tensor) -> float:
    """Return the variance of ln inverse depth (H, W) beyond the stated one of inverse depth, or 0.

    On a plane inverse depth is linear, so the second difference of a row is noise, of six times
    its variance; edges and outliers are fewer than half.
    """
    rows = measured[::_NOISE_ROWS]
    before, here, after = (
        rows[:, :-2:_NOISE_COLUMNS],
        rows[:, 1:-1:_NOISE_COLUMNS],
        rows[:, 2::_NOISE_COLUMNS],
    )
    bend = (before + after - 2 * here).div_(here).abs_()
    noise = (OF_MEDIAN * bend.nanmedian()).square() / 6
    of_here = stated[::_NOISE_ROWS, 1:-1:_NOISE_COLUMNS]
    difference = noise - (of_here / here.square()).nanmedian()
    return max(float(difference.nan_to_num(0.0)), 0.0)


def _are_errors_few(error: torch.Tensor, agrees: torch.Tensor) -> bool:
    """Return whether most pixels agree, of those whose error (N,) is known."""
    return float(agrees[::_STEP].sum()) >= _TRUSTED * int(error[::_STEP].isfinite().sum())


def _is_surface(measured: torch.Tensor) -> torch.Tensor:
    """Return (H, W) uint8: 1 where a pixel lies in a block whose pixels have like neighbors."""
    q = measured.nan_to_num(0.0)
    nearest = over_window(q, torch.maximum, (1, 1), 0.0)
    farthest = over_window(q, torch.minimum, (1, 1), 0.0)
    alike = nearest.lt_(farthest.mul_(1 + _LIKE)).bool().view(torch.uint8)
    found = torch.zeros_like(alike)
    for block in (_BLOCK, _BLOCK[::-1]):
        v, u = block[0] // 2, block[1] // 2
        full = over_window(alike, torch.minimum, (v - 1, u - 1), 0.0)
        found |= over_window(full, torch.maximum, (v, u), 0.0)
    return found

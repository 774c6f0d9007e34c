"""How far ln inverse depth is off in each cell of a grid, by what was measured around it."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from .correction_field import Residuals
from .diffusion import Floats
from .reflections import behind_the_network

_NORMAL = 1.2533  # of a mean error, the standard deviation if normal
_USUAL = 1.4  # times the share of outliers in the whole image, of which nothing follows
_USUAL_OUTLIERS = 0.4  # and nothing below this share


class CellVariances(NamedTuple):
    """Variances of ln inverse depth, of cells (h, w).

    Attributes:
        between: Of pixels between measurements.
        measured: Of measured pixels.
        network: Share of the network's scale in what lies between: 0 at measurements, 1 far away.
    """

    between: Floats
    measured: Floats
    network: Floats


def cell_variances(residuals: Residuals) -> CellVariances:
    """Return those of what was sensed and of what was matched, by their shares around."""
    if not residuals.is_matched.any():
        return sensed_variances(residuals)
    matched = matched_variances(residuals)
    if residuals.is_matched.all():
        return matched
    flags = residuals.is_matched.astype(np.float32)
    share = residuals.around(np.ones_like(flags), flags)
    pairs = zip(sensed_variances(residuals), matched, strict=True)
    return CellVariances(*(_single(a + share * (b - a)) for a, b in pairs))


# Chosen together on every third real frame, 6 simulated views, and drives 100 to 103 and 300 to
# 303 with the sensors of docs/robots.md: `Uncertainty` in benchmarks/results/fusion.md.
_LEAST = 0.0035
_DISTANCE = 2.6  # of the network's deviation, at `_FAR` from all measurements and beyond
_FAR, _GROWTH = 0.46, 2.3  # distance in widths of the image; exponent of the variance
_EXPECTED, _EXPECTED_PLACES = 0.11, 5.5
"""The network's deviation before anything is measured, and how many places count as much; a place
is a square of `_PLACE` cells."""
_PLACE = 4
_EXTRAPOLATED = 0.28  # far outside the range of depth that was measured
_TAIL = 0.02  # of what was measured, beyond that range at either end
_LEAST_RANGE = 0.22  # of ln depth
_RANGE_SAMPLES = 4_000
_LOCAL = 0.73  # of the deviation of the field at measurements, where nothing was measured
_OWN = 0.79  # of the error of measurements, where they are taken as they are
_OUTLIERS = 4.0  # of the network's deviation, per share of those rejected around
_MEASURED_OUTLIERS = 2.5
_MISMATCH = 0.02  # see fusion.py


def sensed_variances(residuals: Residuals) -> CellVariances:
    """Return those of a sensor whose errors are independent.

    What residuals exceed the noise by is the error of the field, and of the noise itself it
    averages what lies around. A measured pixel is the mean of field and measurement, so its
    variance is that of the two by their weights.
    """
    inlier = (residuals.weight > 0).astype(np.float32)
    noise = residuals.around(inlier, residuals.variance)
    error = np.square(_NORMAL * residuals.around(inlier, np.abs(residuals.error)))
    of_field = _LOCAL**2 * np.maximum(error - noise, 0) + noise / _count(residuals, 5) + _LEAST**2
    contradicted = _contradicted(residuals, inlier)
    network = _far(residuals, _FAR, _GROWTH)
    doubt = np.square(behind_the_network(residuals))
    between = network * (_DISTANCE * _network_spread(residuals)) ** 2 + of_field + doubt
    between += np.square(_EXTRAPOLATED * _extrapolated(residuals))
    seen = np.maximum(error, noise - _MISMATCH**2)
    gain = residuals.spread**2 / (residuals.spread**2 + seen)
    measured = np.square(1 - gain) * of_field + np.square(gain * _OWN) * seen + doubt
    return CellVariances(
        _single(between + contradicted * _OUTLIERS**2),
        _single(measured + contradicted * _MEASURED_OUTLIERS**2),
        _single(network),
    )


# The same of matches, which err together, and are checked: mostly it is the network that is wrong.
# Chosen on pairs, and by the costmaps of drives 100 to 103: docs/nav2.md.
_MATCHED_LEAST = 0.002
_MATCHED_DISTANCE, _MATCHED_FAR, _MATCHED_GROWTH = 2.3, 0.35, 2.5
_MATCHED_NOISE = 0.03  # of a single measurement, of which the mean of those around counts
_MATCHED_ERROR, _MATCHED_SPREAD = 1.27, 0.22  # of the residuals around, and of all
_MATCHED_OUTLIERS, _MATCHED_MEASURED_OUTLIERS = 6.4, 2.0
_HOLES = 2.0
"""Deviations of the matches around that a pixel without a match has at least: it lacks texture,
or something hides it, so it is known less well than they are. By pairs of drives 50 to 55."""


def matched_variances(residuals: Residuals) -> CellVariances:
    """Return those of matches, whose errors fill regions, so that no mean makes them smaller."""
    inlier = (residuals.weight > 0).astype(np.float32)
    error = residuals.around(inlier, np.abs(residuals.error))
    contradicted = _contradicted(residuals, inlier)
    far = _far(residuals, _MATCHED_FAR, _MATCHED_GROWTH)
    doubt = np.square(behind_the_network(residuals))
    measured = np.square(error * _MATCHED_ERROR) + contradicted * _MATCHED_MEASURED_OUTLIERS**2
    measured += (_MATCHED_SPREAD * residuals.spread) ** 2 + _MATCHED_LEAST**2 / 2 + doubt
    between = far * (_MATCHED_DISTANCE * residuals.network_spread) ** 2 + measured * _HOLES**2
    between += _MATCHED_NOISE**2 / _count(residuals, 9) + contradicted * _MATCHED_OUTLIERS**2
    between += _MATCHED_LEAST**2
    return CellVariances(_single(between), _single(measured), np.ones_like(_single(far)))


def _network_spread(residuals: Residuals) -> float:
    """Return the network's deviation: as measured, and as expected where few places tell it."""
    height, width = residuals.grid.size
    blocks = residuals.weight_sums.reshape(height // _PLACE, _PLACE, width // _PLACE, _PLACE)
    places = int((blocks.sum(axis=(1, 3)) > 0).sum())
    known = places * residuals.network_spread**2 + _EXPECTED_PLACES * _EXPECTED**2
    return float(np.sqrt(known / (places + _EXPECTED_PLACES)))


def _extrapolated(residuals: Residuals) -> Floats:
    """Return (h, w): 0 where depth is within what was measured, toward 1 the farther outside.

    Measured by the range of ln depth that the inliers have: what a network does to a floor near
    the robot is not told by a wall behind it.
    """
    level = residuals.grid.log_prediction + residuals.field
    measured = level.ravel()[residuals.cell[residuals.weight > 0]]
    if not len(measured):
        return np.ones_like(level)
    some = measured[:: max(1, len(measured) // _RANGE_SAMPLES)]
    low, high = np.quantile(some, (_TAIL, 1 - _TAIL))
    outside = np.maximum(np.maximum(level - high, low - level), 0)
    share: Floats = outside / (outside + max(high - low, _LEAST_RANGE))
    return share


def _contradicted(residuals: Residuals, inlier: Floats) -> Floats:
    """Return (h, w): squares of the network's deviation times the share of outliers around."""
    rejected = residuals.around(np.ones_like(inlier), 1 - inlier)
    usual = max(_USUAL_OUTLIERS, _USUAL * (1 - float(inlier.mean())))
    share: Floats = np.maximum(rejected - usual, 0) * np.float32(residuals.network_spread)
    return np.square(share)


def _far(residuals: Residuals, most: float, growth: float) -> Floats:
    """Return (h, w): 0 at cells that hold measurements, 1 at a distance [widths] and beyond."""
    is_anchor = residuals.weight_sums >= 0.5
    share: Floats = np.minimum(_distance(is_anchor) / most, 1) ** growth
    return share


def _count(residuals: Residuals, side: int) -> Floats:
    """Return (h, w): how many inliers lie in so many cells by as many around, at least 1."""
    sums = residuals.weight_sums
    window = (side, side)
    near = cv2.boxFilter(sums, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.maximum(near, 1)


def _distance(is_anchor: npt.NDArray[np.bool_]) -> Floats:
    """Return the distance of each cell (h, w) to the next that is one, in widths of the grid."""
    free = (~is_anchor).astype(np.uint8)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float32)
    return np.asarray(distance / np.float32(free.shape[1]))


def _single(values: Floats) -> Floats:
    return values.astype(np.float32)

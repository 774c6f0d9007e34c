"""How far ln inverse depth is off in each cell of a grid, by what was measured around it."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from .correction_field import Residuals
from .diffusion import Floats
from .held_out import held_out, untold
from .reflections import behind_the_network

_NORMAL = 1.2533  # of a mean error, the standard deviation if normal
_USUAL = 1.4  # times the share of outliers in the whole image, of which nothing follows


class CellVariances(NamedTuple):
    """Variances of ln inverse depth, of cells (h, w).

    Attributes:
        between: Of pixels between measurements.
        measured: Of measured pixels.
        network: Share of the network's scale in what lies between: 0 at measurements, 1 far away.
        bend: Deviation of pixels between measurements where the surface bends, per bend.
    """

    between: Floats
    measured: Floats
    network: Floats
    bend: float


def cell_variances(residuals: Residuals) -> CellVariances:
    """Return those of what was sensed and of what was matched, by their shares around."""
    if not residuals.is_matched.any():
        return sensed_variances(residuals)
    matched = matched_variances(residuals)
    if residuals.is_matched.all():
        return matched
    flags = residuals.is_matched.astype(np.float32)
    share = residuals.around(np.ones_like(flags), flags)
    sensed = sensed_variances(residuals)
    between, measured, network = (
        _single(a + share * (b - a)) for a, b in zip(sensed[:3], matched[:3], strict=True)
    )
    bend = sensed.bend + float(share.mean()) * (matched.bend - sensed.bend)
    return CellVariances(between, measured, network, bend)


# Chosen together on every third real frame, 18 simulated views, and drives 100 to 103 and 300 to
# 303 with the sensors of docs/robots.md: `Uncertainty` in benchmarks/results/fusion.md.
_LEAST = 0.0035
_HELD_OUT = 0.44  # of the deviation of held-out measurements, scaled to where nothing is told
_EXPECTED, _EXPECTED_PLACES = 0.28, 2.4
"""The network's deviation before anything is measured, and how many places count as much."""
_BEND = 35.0  # of the bend of the surface, times the deviation at measurements, and the network's
_LOCAL = 0.48  # of the deviation of the field at measurements, where nothing was measured
_OWN = 0.82  # of the error of measurements, where they are taken as they are
_OUTLIERS = 5.7  # of the network's deviation, per share of those rejected around
_MEASURED_OUTLIERS = 1.8
_USUAL_OUTLIERS = 0.302  # share around of which nothing follows
_REJECTED_PRECISION = 125.0  # of a measurement, for that share: of a few it is chance
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
    rejected = residuals.around(np.ones_like(inlier), 1 - inlier, _REJECTED_PRECISION)
    contradicted = _contradicted(residuals, rejected, _USUAL_OUTLIERS)
    network = untold(residuals, residuals.is_anchor)
    of_network = _network_variance(residuals)
    doubt = np.square(behind_the_network(residuals))
    between = network * of_network + of_field + doubt
    seen = np.maximum(error, noise - _MISMATCH**2)
    gain = residuals.spread**2 / (residuals.spread**2 + seen)
    measured = np.square(1 - gain) * of_field + np.square(gain * _OWN) * seen + doubt
    return CellVariances(
        _single(between + contradicted * _OUTLIERS**2),
        _single(measured + contradicted * _MEASURED_OUTLIERS**2),
        _single(network),
        _BEND * residuals.spread * math.sqrt(of_network),
    )


# The same of matches, which err together, and are checked: mostly it is the network that is wrong.
# Chosen on pairs of drives 50 to 55, and by the costmaps of drives 100 to 103: docs/nav2.md.
_MATCHED_LEAST = 0.002
_MATCHED_DISTANCE = 1.3  # of the network's deviation, where nothing is told
_MATCHED_NOISE = 0.03  # of a single measurement, of which the mean of those around counts
_MATCHED_ERROR, _MATCHED_SPREAD = 1.4, 0.3  # of the residuals around, and of all
_MATCHED_OUTLIERS, _MATCHED_MEASURED_OUTLIERS = 3.0, 2.0
_MATCHED_USUAL = 0.4
_HOLES = 2.0
"""Deviations of the matches around that a pixel without a match has at least: it lacks texture,
or something hides it, so it is known less well than they are. By pairs of drives 50 to 55."""


def matched_variances(residuals: Residuals) -> CellVariances:
    """Return those of matches, whose errors fill regions, so that no mean makes them smaller."""
    inlier = (residuals.weight > 0).astype(np.float32)
    error = residuals.around(inlier, np.abs(residuals.error))
    rejected = residuals.around(np.ones_like(inlier), 1 - inlier)
    contradicted = _contradicted(residuals, rejected, _MATCHED_USUAL)
    far = untold(residuals, residuals.is_anchor)
    of_network = _MATCHED_DISTANCE * residuals.network_spread
    doubt = np.square(behind_the_network(residuals))
    measured = np.square(error * _MATCHED_ERROR) + contradicted * _MATCHED_MEASURED_OUTLIERS**2
    measured += (_MATCHED_SPREAD * residuals.spread) ** 2 + _MATCHED_LEAST**2 / 2 + doubt
    between = far * of_network**2 + measured * _HOLES**2
    between += _MATCHED_NOISE**2 / _count(residuals, 9) + contradicted * _MATCHED_OUTLIERS**2
    between += _MATCHED_LEAST**2
    bend = _BEND * residuals.spread * of_network
    return CellVariances(_single(between), _single(measured), np.ones_like(_single(far)), bend)


def _network_variance(residuals: Residuals) -> float:
    """Return the variance where nothing is told.

    It is (p d^2 + n e^2) / (p + n) of p places, with e as `_EXPECTED` and n places for that, and
    the deviation d of held-out measurements.
    """
    found = held_out(residuals)
    if found is None:
        return _EXPECTED**2
    where_all_is_untold = float(found.variance.sum() / found.untold.sum())
    deviation = max(_HELD_OUT * math.sqrt(where_all_is_untold), _LEAST)
    expected = _EXPECTED_PLACES * _EXPECTED**2
    return (found.places * deviation**2 + expected) / (found.places + _EXPECTED_PLACES)


def _contradicted(residuals: Residuals, rejected: Floats, usual: float) -> Floats:
    """Return (h, w): squares of the network's deviation times the share of outliers around.

    Shares (h, w) up to the `usual` one, or up to `_USUAL` times that of the image, count as 0.
    """
    least = max(usual, _USUAL * float((residuals.weight == 0).mean()))
    share: Floats = np.maximum(rejected - least, 0) * np.float32(residuals.network_spread)
    return np.square(share)


def _count(residuals: Residuals, side: int) -> Floats:
    """Return (h, w): how many inliers lie in so many cells by as many around, at least 1."""
    sums = residuals.weight_sums
    window = (side, side)
    near = cv2.boxFilter(sums, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.maximum(near, 1)


def _single(values: Floats) -> Floats:
    return values.astype(np.float32)

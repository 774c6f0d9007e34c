"""How far to trust each pixel: one standard deviation of depth, as a share of it."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..network.predicted_frame import PredictedFrame
from ..upsampling import upsampled
from ..windows import over_window
from .correction_field import Residuals
from .diffusion import Floats
from .frame_scale import FrameScale
from .fusion import MetricDepth

# Chosen together on every third real frame, 6 simulated views and 9 pairs, for pixels on which
# something was measured in the image and apart from those: `Uncertainty` in
# benchmarks/results/fusion.md.
_LEAST = 0.002
_DISTANCE = 2.3  # of the network's deviation, at `_FAR` from all measurements and beyond
_FAR, _GROWTH = 0.35, 2.5  # distance in widths of the image; exponent of the variance
_NOISE = 0.03  # of a single measurement, of which the mean of those around counts
_BEND = 0.1  # of the bend of the surface, per `_SPREAD` of the residuals
_SPREAD = 0.03
_MOST_SPREADS = 2.0
_OUTLIERS = 6.4  # of the network's deviation, per share of those rejected around
_USUAL_OUTLIERS = 0.4  # of which nothing follows, and nothing below
_USUAL = 1.4  # times their share in the whole image
_MEASURED_ERROR = 1.27  # of pixels that were measured: of the residuals around
_MEASURED_SPREAD, _MEASURED_BEND, _MEASURED_OUTLIERS = 0.22, 0.0025, 4.5
_MATCHED_OUTLIERS = 2.0
"""The same of matches, which are checked: mostly it is the network that is wrong. Chosen by the
costmaps of drives 100 to 103: docs/nav2.md."""
_HOLES = 2.0
"""Deviations of the matches around that a pixel without a match has at least: it lacks texture,
or something hides it, so it is known less well than they are. By pairs of drives 50 to 55."""
_BEND_ALONE = 0.16  # where nothing was measured
_RESIDUAL = 1.9  # of the median error of a fit: its errors have longer tails than normal ones
_UNKNOWN = 0.25  # of a network whose scale nothing measures
_RADIUS = 1.5 / 320  # over which an edge is uncertain, in widths of the image


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """The uncertainty of one image's depth; computed when it is first asked for."""

    metric: MetricDepth
    prediction: PredictedFrame
    scale: FrameScale

    @cached_property
    def share(self) -> torch.Tensor:
        """One standard deviation of depth as a share of it, (H, W) float32, inf where unknown.

        The variances of independent causes add up: scale and shift of the fit (its covariance);
        the network, which errs more the farther the next measurement is; edges, where it is the
        bend of the surface that counts; and measurements that contradict the depth around them.
        """
        inverse_depth = self.metric.inverse_depth
        residuals = self.metric.residuals
        bend = _bend(inverse_depth)
        if residuals is None:
            of_network = self._network_deviation**2 + _LEAST**2
            return self._with_fit((bend * _BEND_ALONE).square_().add_(of_network))
        size = inverse_depth.shape[0], inverse_depth.shape[1]
        between, measured = (
            upsampled(torch.from_numpy(values).to(bend.device), size)
            for values in _variances(residuals)
        )
        spread = residuals.spread / _SPREAD
        between += (bend * (_BEND * min(spread, _MOST_SPREADS))).square_()
        measured += (bend * (_MEASURED_BEND * spread)).square_()
        is_measured = self.metric.is_measured
        if is_measured is None:
            return self._with_fit(between)
        return self._with_fit(torch.where(is_measured, measured, between), ~is_measured)

    @property
    def _network_deviation(self) -> float | torch.Tensor:
        """Standard deviation of ln inverse depth: of the fit, or else what the network states."""
        state, stated = self.scale.state, self.prediction.spread
        if state is not None:
            return _RESIDUAL * state.residual
        return _UNKNOWN if stated is None else stated

    def _with_fit(self, variance: torch.Tensor, where: torch.Tensor | None = None) -> torch.Tensor:
        """Return the root of the variance plus that of the fit, the latter only at some pixels."""
        state, q = self.scale.state, self.metric.inverse_depth
        if state is not None and self.scale.alignment is not None:
            (a, b), (_, c) = state.covariance.tolist()
            p = self.prediction.values
            of_fit = (p.square() * a + p * (2 * b) + c).clamp_(min=0).div_(q.square())
            variance = variance + (of_fit if where is None else of_fit.mul_(where))
        return torch.where(q > 0, variance.sqrt(), torch.inf)


def remove_uncertain(
    inverse_depth: torch.Tensor, uncertainty: Uncertainty, limit: float
) -> torch.Tensor:
    """Return inverse depth (H, W) with NaN where uncertainty exceeds a share; 0 is no limit.

    What the network says is infinitely far has no deviation. It stays, unless something was
    measured there or in a cell beside it.
    """
    if limit == 0:
        return inverse_depth
    is_sky = inverse_depth <= 0
    residuals = uncertainty.metric.residuals
    if residuals is not None and len(residuals.in_sky):
        is_sky &= ~_measured_in_sky(residuals, is_sky)
    return inverse_depth.masked_fill((uncertainty.share > limit) & ~is_sky, torch.nan)


def _measured_in_sky(residuals: Residuals, like: torch.Tensor) -> torch.Tensor:
    """Return (H, W) bool: where something was measured around that the network has as sky."""
    height, width = residuals.grid.size
    count = np.bincount(residuals.in_sky, minlength=height * width).reshape(height, width)
    around = cv2.dilate((count > 0).astype(np.float32), np.ones((3, 3), np.uint8))
    size = like.shape[0], like.shape[1]
    return upsampled(torch.from_numpy(around).to(like.device), size) > 0


def _variances(residuals: Residuals) -> tuple[Floats, Floats]:
    """Return (h, w) of the grid twice: of ln inverse depth between measurements, and at them."""
    inlier = (residuals.weight > 0).astype(np.float32)
    error = _around(residuals, inlier, np.abs(residuals.error))
    rejected = _around(residuals, np.ones_like(inlier), 1 - inlier)
    usual = max(_USUAL_OUTLIERS, _USUAL * (1 - float(inlier.mean())))
    deviation = residuals.network_spread
    contradicted = np.square(np.maximum(rejected - usual, 0) * deviation)
    is_anchor = residuals.summed(residuals.weight) >= 0.5
    far = np.minimum(_distance(is_anchor) / _FAR, 1) ** _GROWTH
    between = far * (_DISTANCE * deviation) ** 2 + _NOISE**2 / _count(residuals)
    between += contradicted * _OUTLIERS**2 + _LEAST**2
    matched = _matched(residuals)
    outliers = _MEASURED_OUTLIERS + (_MATCHED_OUTLIERS - _MEASURED_OUTLIERS) * matched
    measured = np.square(error * _MEASURED_ERROR) + contradicted * outliers**2
    measured += (_MEASURED_SPREAD * residuals.spread) ** 2 + _LEAST**2 / 2
    between += measured * (matched * _HOLES**2)
    return between.astype(np.float32), measured.astype(np.float32)


def _matched(residuals: Residuals) -> Floats | float:
    """Return (h, w), or one for all: the share of matches among the measurements around."""
    matched = residuals.is_matched.astype(np.float32)
    if not len(matched) or matched.min() == matched.max():
        return float(matched[0]) if len(matched) else 0.0
    return _around(residuals, np.ones_like(matched), matched)


def _count(residuals: Residuals) -> Floats:
    """Return (h, w): how many inliers lie around each cell, at least 1."""
    sums = residuals.summed(residuals.weight)
    near = cv2.boxFilter(sums, -1, (9, 9), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.maximum(near, 1)


def _around(residuals: Residuals, weight: Floats, values: Floats) -> Floats:
    """Return (h, w): the weighted mean of values (N,) at measurements around each cell."""
    precision = 1e4
    total = residuals.summed(precision * weight) + np.float32(1e-3)
    return residuals.grid.diffuse(total, residuals.summed(precision * weight * values))


def _distance(is_anchor: npt.NDArray[np.bool_]) -> Floats:
    """Return the distance of each cell (h, w) to the next that is one, in widths of the grid."""
    free = (~is_anchor).astype(np.uint8)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float32)
    return np.asarray(distance / np.float32(free.shape[1]))


def _bend(inverse_depth: torch.Tensor) -> torch.Tensor:
    """Return (H, W): the greatest bend of inverse depth around each pixel, as a share, 0..1.

    On a plane inverse depth is affine in u and v, so it does not bend.
    """
    q = inverse_depth.nan_to_num(0.0).clamp_(min=1e-3)
    radius = max(1, round(_RADIUS * q.shape[1]))
    step = 2 * radius
    bend = torch.zeros_like(q)
    for axis in (0, 1):
        count = q.shape[axis] - 2 * step
        if count > 0:
            before, here, after = (q.narrow(axis, k * step, count) for k in (0, 1, 2))
            share = torch.add(before, after).sub_(here, alpha=2).abs_().div_(here)
            inside = bend.narrow(axis, step, count)
            torch.maximum(inside, share.clamp_(max=1), out=inside)
    return over_window(bend, torch.maximum, (radius, radius), 0.0)

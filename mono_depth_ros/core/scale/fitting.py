"""Scale and shift from predictions to measured inverse depth, in the presence of outliers."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..errors import AlignmentError
from ..types import AffineScale
from .correspondences import Correspondences, FloatArray
from .flat_scene import require_spread
from .least_squares import NEAR, cauchy_weights, normal_equations, solve, tukey_weights
from .rank_correlation import rank_correlation
from .scale_prior import prior_precision

_HYPOTHESES = 128
_SCORED_POINTS = 512
_TRUNCATED = 5.0
"""Deviations above which the cost of a point is constant, just beyond the end of Tukey's weights.
The choice hardly matters: `Tuned constants` in benchmarks/results/alignment.md."""
_TUKEY_STEPS = 10
_CAUCHY_STEPS = 3  # twice as many change AbsRel by 0.01 % (same benchmark)
_CONVERGED = 1e-3


@dataclass(frozen=True, eq=False)
class Fit:
    """An alignment with its quality.

    Attributes:
        inlier_ratio: Share of the points within `NEAR` deviations.
        residual: Median relative error over those, of the quantity that was fitted.
        normal: See `normal_equations`, as for `moment`; with the prior.
        prior: (2, 2) of the normal equations, what was known before.
        covariance: (2, 2) of scale and shift.
        uncertainty: Standard deviation of the median pixel's depth, relative to it.
    """

    alignment: AffineScale
    inlier_ratio: float
    residual: float
    normal: FloatArray
    moment: FloatArray
    prior: FloatArray
    covariance: FloatArray
    uncertainty: float


def fit_robust(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the fit with the most inliers: hypotheses from pairs of points, then `refine`.

    Raises:
        FlatSceneError: Measured depth hardly varies.
        AlignmentError: No hypothesis has a positive scale, or scale comes out negative.
    """
    require_spread(points)
    limit = _TRUNCATED * np.sqrt(points.variance(points.measured))
    return refine(points, best_hypothesis(points, random, limit))


def refine(points: Correspondences, alignment: AffineScale) -> Fit:
    """Return the fit near `alignment` by iterative reweighting.

    Tukey's weights separate inliers from outliers. A few steps with Cauchy's weights follow,
    which move the fit from the mode of the residuals toward their median: the errors of a network
    are systematic, so their mode means little. The expected deviation follows from the fitted
    inverse depth; from the measured one, it would favor measurements that are too small. What is
    known before anything is measured matters only where few points leave the shift open.

    Raises:
        FlatSceneError: The depth of the points that support the fit hardly varies.
        AlignmentError: Scale comes out negative.
    """
    prior = prior_precision(points)
    for _ in range(_TUKEY_STEPS):
        before = alignment
        alignment, normal, moment = _reweighted(points, alignment, tukey_weights, prior)
        if _change(points, before, alignment) < _CONVERGED:
            break
    for _ in range(_CAUCHY_STEPS):
        alignment, normal, moment = _reweighted(points, alignment, cauchy_weights, prior)
    require_spread(points.subset(tukey_weights(_square(points, alignment)) > 0))
    return _with_quality(points, alignment, normal, moment, prior)


def _reweighted(
    points: Correspondences,
    alignment: AffineScale,
    weigh: Callable[[FloatArray], FloatArray],
    prior: FloatArray,
) -> tuple[AffineScale, FloatArray, FloatArray]:
    """Return the weighted fit and its normal equations, weights being taken at `alignment`."""
    weight = weigh(_square(points, alignment))
    normal, moment = normal_equations(points, weight / _variance(points, alignment))
    normal += prior
    try:
        return solve(normal, moment, points.quantity), normal, moment
    except AlignmentError:
        require_spread(points.subset(weight > 0))
        raise


def fit_flat(points: Correspondences) -> Fit:
    """Return the fit to a flat scene, which tells one depth; shift is as it is known before."""
    level = np.full(len(points), np.median(points.inverse_depth))
    middle = np.full(len(points), np.median(points.prediction))
    flat = replace(points, prediction=middle, inverse_depth=level)
    normal, moment = normal_equations(flat, 1 / flat.variance(flat.measured))
    prior = prior_precision(points)
    normal += prior
    found = solve(normal, moment, points.quantity)
    return _with_quality(points, found, normal, moment, prior)


def fit_least_squares(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the plain least-squares fit, every point with its own weight only; see `refine`."""
    require_spread(points)
    normal, moment = normal_equations(points, _uniform_weights(points))
    found = solve(normal, moment, points.quantity)
    return _with_quality(points, found, normal, moment)


def fit_min_max(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the map of the prediction's range onto that of what was measured; see `refine`."""
    require_spread(points)
    p_range, q_range = np.ptp(points.prediction), np.ptp(points.measured)
    if p_range <= 0:
        raise AlignmentError('the prediction is the same everywhere; there is nothing to stretch')
    if rank_correlation(points.prediction, points.measured) < 0:  # ranges have no sign
        raise AlignmentError(
            f'the prediction does not grow with the measured {points.quantity.label}'
        )
    scale = float(q_range / p_range)
    shift = float(points.measured.min() - scale * points.prediction.min())
    normal, _ = normal_equations(points, _uniform_weights(points))
    found = AffineScale(scale, shift, points.quantity)
    return _with_quality(points, found, normal, normal @ (scale, shift))


def _uniform_weights(points: Correspondences) -> FloatArray:
    return np.full(len(points), 1 / points.variance(points.measured).mean())


METHODS: dict[str, Callable[[Correspondences, np.random.Generator], Fit]] = {
    'robust': fit_robust,
    'least_squares': fit_least_squares,
    'min_max': fit_min_max,
}


def inliers(points: Correspondences, alignment: AffineScale) -> npt.NDArray[np.bool_]:
    """Return (N,) bool: prediction and measurement differ by less than `NEAR` deviations."""
    return errors(points, alignment) ** 2 < NEAR**2 * _variance(points, alignment)


def relative_errors(points: Correspondences, alignment: AffineScale) -> FloatArray:
    """Return (N,) relative errors of the quantity."""
    return np.abs(errors(points, alignment)) / points.measured


def relative_error(points: Correspondences, alignment: AffineScale) -> float:
    """Return the median relative error of the quantity over the points."""
    return float(np.median(relative_errors(points, alignment)))


def errors(points: Correspondences, alignment: AffineScale) -> FloatArray:
    """Return (N,) predicted minus measured, of the quantity."""
    return alignment.line(points.prediction) - points.measured


def _square(points: Correspondences, alignment: AffineScale) -> FloatArray:
    """Return (N,) squared errors in units of their expected variance."""
    return errors(points, alignment) ** 2 / _variance(points, alignment)


def _variance(points: Correspondences, alignment: AffineScale) -> FloatArray:
    """Return (N,) expected variances at what was fitted, bounded below for outliers."""
    return points.variance(np.maximum(alignment.line(points.prediction), 0.25 * points.measured))


def best_hypothesis(
    points: Correspondences, random: np.random.Generator, limit: FloatArray
) -> AffineScale:
    """Return the line through two points with the least quadratic cost, truncated at `limit` (N,).

    MSAC: Torr and Zisserman, 2000.

    Raises:
        AlignmentError: No pair of points gives a positive scale.
    """
    i, j = random.integers(len(points), size=(2, _HYPOTHESES))
    scored = random.integers(len(points), size=_SCORED_POINTS)
    p, q = points.prediction, points.measured
    with np.errstate(divide='ignore', invalid='ignore'):
        scale = (q[i] - q[j]) / (p[i] - p[j])
    usable = np.isfinite(scale) & (scale > 0)
    if not usable.any():
        why = f'the prediction does not grow with the measured {points.quantity.label}'
        raise AlignmentError(f'no pair of points gives a positive scale: {why}')
    scale = scale[usable]
    shift = q[i][usable] - scale * p[i][usable]
    precision = 1 / limit[scored]
    candidates = np.stack((scale, shift, np.full_like(scale, -1)), axis=1).astype(np.float32)
    columns = np.stack((p[scored], np.ones(_SCORED_POINTS), q[scored])) * precision
    error = candidates @ columns.astype(np.float32)
    cost = np.minimum(error * error, 1) @ points.weight[scored].astype(np.float32)
    best = int(cost.argmin())
    return AffineScale(float(scale[best]), float(shift[best]), points.quantity)


def _change(points: Correspondences, before: AffineScale, after: AffineScale) -> float:
    """Return the largest change between two fits, relative to the median of what was measured."""
    scale, shift = after.scale - before.scale, after.shift - before.shift
    ends = points.prediction.min(), points.prediction.max()
    return float(max(abs(scale * end + shift) for end in ends) / points.middle)


def _with_quality(
    points: Correspondences,
    alignment: AffineScale,
    normal: FloatArray,
    moment: FloatArray,
    prior: FloatArray | None = None,
) -> Fit:
    near = inliers(points, alignment)
    if not near.any():
        raise AlignmentError('no measured point agrees with the fit')
    square = float(np.average(_square(points, alignment)[near], weights=points.weight[near]))
    covariance = np.asarray(np.linalg.inv(normal) * (max(1.0, square) / points.regions), float)
    typical = points.typical if math.isfinite(points.typical) else np.median(points.prediction)
    row = np.array((typical, 1.0))
    least = 0.25 * points.middle
    level = max(alignment.line(typical), least)
    return Fit(
        alignment,
        float(near.mean()),
        float(np.median(relative_errors(points, alignment)[near])),
        normal,
        moment,
        np.zeros((2, 2)) if prior is None else prior,
        covariance,
        float(row @ covariance @ row) ** 0.5 / level,
    )

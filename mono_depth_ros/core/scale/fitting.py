"""Scale and shift between predictions and measured inverse depth, in the presence of outliers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import AlignmentError
from ..types import AffineScale
from .correspondences import Correspondences, FloatArray
from .robust_weights import NEAR, cauchy_weights, tukey_weights

_HYPOTHESES = 128
_JUDGES = 512
_TRUNCATED = 5.0
"""Deviations beyond which a point speaks against a hypothesis no louder."""
_REFINEMENTS = 10
_CONVERGED = 1e-3
_SETTLINGS = 3
_CORRELATED = 100
"""Neighboring points err together; so many of them count as one."""
_MAX_SCALE_ERROR = 0.25
_MIN_SPREAD = 1.5
_NORMAL_90 = 3.29
"""Standard deviations between the quantiles 0.05 and 0.95 of a normal distribution."""


class FlatSceneError(AlignmentError):
    """The measured depths are so alike that they say one number, not two."""


@dataclass(frozen=True, eq=False)
class Fit:
    """An alignment and how well it holds.

    Attributes:
        alignment: The map from prediction to inverse depth.
        inlier_ratio: Share of the points within three deviations.
        residual: Median relative error of inverse depth over all points, without unit.
        points: How many points there were.
        normal: (2, 2) weighted normal matrix of (prediction, 1), per point.
        moment: (2,) weighted right-hand side, per point.
    """

    alignment: AffineScale
    inlier_ratio: float
    residual: float
    points: int
    normal: FloatArray
    moment: FloatArray


def fit_robust(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the fit that most points support: hypotheses from pairs, then refinement.

    Raises:
        FlatSceneError: Measured depth hardly varies.
        AlignmentError: No hypothesis has a positive scale, or scale is not determined.
    """
    _require_spread(points)
    return refine(points, _best_hypothesis(points, random))


def refine(points: Correspondences, alignment: AffineScale) -> Fit:
    """Return the fit near `alignment` by iterative reweighting.

    Tukey's biweight finds which points belong together. Then a few steps with a weight that falls
    sooner and ends later settle between them: what a network gets wrong is no noise with a mode,
    and the median of its points is a better compromise than their densest part. Deviations are
    taken from the fitted inverse depth, not from the measured one, which would pull the fit
    toward measurements that came out too small.

    Raises:
        FlatSceneError: The depth of the points that support the fit hardly varies.
        AlignmentError: Scale comes out negative or is not determined.
    """
    for _ in range(_REFINEMENTS):
        before = alignment
        alignment, normal, moment = _reweighted(points, alignment, tukey_weights)
        if _moved(points, before, alignment) < _CONVERGED:
            break
    for _ in range(_SETTLINGS):
        alignment, normal, moment = _reweighted(points, alignment, cauchy_weights)
    supporting = tukey_weights(_error(points, alignment) ** 2 / _variance(points, alignment)) > 0
    _require_spread(points.taken(supporting))
    return _judged(points, alignment, normal, moment)


def _reweighted(
    points: Correspondences, alignment: AffineScale, weigh: Callable[[FloatArray], FloatArray]
) -> tuple[AffineScale, FloatArray, FloatArray]:
    """Return the weighted fit and its normal equations, weights being taken at `alignment`."""
    variance = _variance(points, alignment)
    weight = weigh(_error(points, alignment) ** 2 / variance)
    normal, moment = normal_equations(points, weight / variance)
    try:
        return solve(normal, moment), normal, moment
    except AlignmentError:
        _require_spread(points.taken(weight > 0))
        raise


def fit_least_squares(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the plain least-squares fit, in which every point counts the same.

    Raises:
        AlignmentError: Scale is not positive or not determined.
    """
    _require_spread(points)
    variance = points.variance(points.inverse_depth)
    normal, moment = normal_equations(points, np.full(len(points), 1 / variance.mean()))
    return _judged(points, solve(normal, moment), normal, moment)


def fit_min_max(points: Correspondences, random: np.random.Generator) -> Fit:
    """Return the map of the prediction's range onto the range of measured inverse depth.

    Raises:
        AlignmentError: The prediction has no range, or the scene is flat.
    """
    _require_spread(points)
    p_range, q_range = np.ptp(points.prediction), np.ptp(points.inverse_depth)
    if p_range <= 0:
        raise AlignmentError('the prediction is the same everywhere; there is nothing to stretch')
    scale = float(q_range / p_range)
    shift = float(points.inverse_depth.min() - scale * points.prediction.min())
    variance = points.variance(points.inverse_depth)
    normal, _ = normal_equations(points, np.full(len(points), 1 / variance.mean()))
    return _judged(points, AffineScale(scale, shift), normal, normal @ (scale, shift))


METHODS: dict[str, Callable[[Correspondences, np.random.Generator], Fit]] = {
    'robust': fit_robust,
    'least_squares': fit_least_squares,
    'min_max': fit_min_max,
}


def normal_equations(points: Correspondences, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the (2, 2) normal matrix and (2,) right-hand side of the weighted fit, per point."""
    w = weight * points.weight / len(points)
    p, q = points.prediction, points.inverse_depth
    wp = w * p
    b = wp.sum()
    normal = np.array(((wp @ p, b), (b, w.sum())))
    return normal, np.array((wp @ q, w @ q))


def solve(normal: FloatArray, moment: FloatArray) -> AffineScale:
    """Return the alignment of a (2, 2) normal matrix and (2,) right-hand side.

    Raises:
        AlignmentError: Scale is not determined, or not positive.
    """
    (a, b), (_, c) = normal.tolist()
    d, e = moment.tolist()
    determinant = a * c - b * b
    if not determinant > 1e-9 * a * c:
        raise AlignmentError('the scene is flat to the network; scale is not determined')
    scale, shift = (d * c - b * e) / determinant, (a * e - b * d) / determinant
    if not scale > 0:
        raise AlignmentError(f'scale came out as {scale:.4g}; it must be positive')
    return AffineScale(scale, shift)


def inliers(points: Correspondences, alignment: AffineScale) -> npt.NDArray[np.bool_]:
    """Return (N,) bool: where prediction and measurement differ by less than three deviations."""
    inside: npt.NDArray[np.bool_] = _error(points, alignment) ** 2 < NEAR**2 * _variance(
        points, alignment
    )
    return inside


def relative_error(points: Correspondences, alignment: AffineScale) -> float:
    """Return the median error of inverse depth over the points, relative to it."""
    return float(np.median(np.abs(_error(points, alignment)) / points.inverse_depth))


def _error(points: Correspondences, alignment: AffineScale) -> FloatArray:
    return alignment.scale * points.prediction + alignment.shift - points.inverse_depth


def _variance(points: Correspondences, alignment: AffineScale) -> FloatArray:
    """Return expected variances at the fitted inverse depth, which outliers cannot lower."""
    fitted = alignment.scale * points.prediction + alignment.shift
    return points.variance(np.maximum(fitted, 0.25 * points.inverse_depth))


def _best_hypothesis(points: Correspondences, random: np.random.Generator) -> AffineScale:
    """Return the line through two points with the least truncated quadratic cost.

    MSAC: Torr and Zisserman, 2000.
    """
    i, j = random.integers(len(points), size=(2, _HYPOTHESES))
    judges = random.integers(len(points), size=_JUDGES)
    p, q = points.prediction, points.inverse_depth
    with np.errstate(divide='ignore', invalid='ignore'):
        scale = (q[i] - q[j]) / (p[i] - p[j])
    usable = np.isfinite(scale) & (scale > 0)
    if not usable.any():
        raise AlignmentError(
            'no pair of points gives a positive scale: the prediction does not grow with the '
            'measured inverse depth'
        )
    scale = scale[usable]
    shift = q[i][usable] - scale * p[i][usable]
    precision = 1 / np.sqrt(points.variance(q[judges]))
    candidates = np.stack((scale, shift, np.full_like(scale, -1)), axis=1).astype(np.float32)
    judged = (np.stack((p[judges], np.ones(_JUDGES), q[judges])) * precision).astype(np.float32)
    error = candidates @ judged
    cost = np.minimum(error * error, _TRUNCATED**2) @ points.weight[judges].astype(np.float32)
    best = int(cost.argmin())
    return AffineScale(float(scale[best]), float(shift[best]))


def _moved(points: Correspondences, before: AffineScale, after: AffineScale) -> float:
    """Return by how much the fit changed inverse depth, relative to the median."""
    scale, shift = after.scale - before.scale, after.shift - before.shift
    ends = np.array((points.prediction.min(), points.prediction.max()))
    return float(np.abs(scale * ends + shift).max() / np.median(points.inverse_depth))


def _require_spread(points: Correspondences) -> None:
    """Refuse a scene so flat that the network's own errors look like its depth.

    Raises:
        FlatSceneError: Inverse depth spreads hardly more than the two are expected to differ.
    """
    q = points.inverse_depth
    low, middle, high = np.quantile(q, (0.05, 0.5, 0.95)) if len(q) else (0.0, 1.0, 0.0)
    spread = (high - low) / _NORMAL_90
    if spread < _MIN_SPREAD * float(points.variance(np.array(middle))) ** 0.5:
        raise FlatSceneError(
            f'the scene is flat: inverse depth varies by {spread / middle:.0%} about '
            f'{middle:.3g} 1/m, too little to tell scale from shift'
        )


def _judged(
    points: Correspondences, alignment: AffineScale, normal: FloatArray, moment: FloatArray
) -> Fit:
    """Return the fit with its quality.

    Raises:
        AlignmentError: The standard error of scale is too large a share of it.
    """
    variance = float(np.linalg.inv(normal)[0, 0]) / len(points)
    uncertainty = (_CORRELATED * variance) ** 0.5 / alignment.scale
    if uncertainty > _MAX_SCALE_ERROR:
        raise AlignmentError(
            f'scale is uncertain by {uncertainty:.0%}: too few points, or depth spreads too little'
        )
    return Fit(
        alignment,
        inlier_ratio=float(inliers(points, alignment).mean()),
        residual=relative_error(points, alignment),
        points=len(points),
        normal=normal,
        moment=moment,
    )

"""One scale for all images of a camera, found from measurements of some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..errors import AlignmentError
from ..types import AffineScale, PredictionKind
from .correspondences import Correspondences, FloatArray
from .fitting import fit_robust, inliers, relative_error

_SEED = 0
_MIN_DEPTH_RATIO = 1.3
"""Farthest to nearest of the samples; below it, scale and shift cannot be told apart."""
_MIN_PREDICTION_CHANGE = 1e-3
"""Range of the predictions of the samples, relative to the largest."""
_MIN_REDUNDANCY = 3
"""Samples beyond the number of unknowns, without which an outlier cannot be identified."""
_OUTLIER_RATIO = 3.0
"""Error of an outlier in units of the median error: 2 standard deviations."""
_TOLERATED_ERROR = 0.05
"""A sample with a smaller relative error is never an outlier: the error of a network."""


@dataclass(frozen=True)
class ViewQuality:
    """Errors of the common scale in one view.

    Attributes:
        points: Number of measured points.
        residual: Median relative error of inverse depth.
        left_out: The same with the fit to all other views; NaN if there is none.
        own: The same with the fit to this view alone; NaN if there is none.
    """

    points: int
    residual: float
    left_out: float
    own: float


@dataclass(frozen=True)
class CalibratedScale:
    """A scale to set, with its quality.

    Attributes:
        alignment: Of a metric network, whose prediction is its inverse depth, the shift is 0.
        inlier_ratio: Share of the points that are inliers.
        residual: Median relative error of inverse depth over all points.
        views: Name -> quality.
    """

    alignment: AffineScale
    inlier_ratio: float
    residual: float
    views: Mapping[str, ViewQuality]

    @property
    def depth_scale(self) -> float:
        """Factor on a metric network's depth."""
        return 1 / self.alignment.scale


def fit_views(views: Mapping[str, Correspondences], kind: PredictionKind) -> CalibratedScale:
    """Return the scale fitted to many points of several views.

    For a relative network scale and shift by `fit_robust` over all points, for a metric one a
    factor, the weighted median.

    Raises:
        AlignmentError: The points do not determine it.
    """
    together = joined(list(views.values()))
    alignment = _fitted(together, kind)
    qualities = {}
    for name, points in views.items():
        others = [other for key, other in views.items() if key != name]
        qualities[name] = ViewQuality(
            len(points),
            relative_error(points, alignment),
            _error_of(joined(others), points, kind) if others else float('nan'),
            _error_of(points, points, kind),
        )
    return CalibratedScale(
        alignment,
        float(inliers(together, alignment).mean()),
        relative_error(together, alignment),
        qualities,
    )


def fit_samples(
    measured: Mapping[str, tuple[float, float]], kind: PredictionKind
) -> CalibratedScale:
    """Return the scale fitted to a few samples by least squares, outliers left out.

    The relative error of inverse depth is minimized; for a metric network by one factor.

    Args:
        measured: Name -> (prediction, depth [m]).
        kind: Kind of the network; the prediction of a metric one is its inverse depth.

    Raises:
        AlignmentError: There are too few samples, they are too similar, or they contradict the
            network.
    """
    p = np.array([prediction for prediction, _ in measured.values()])
    q = 1 / np.array([depth for _, depth in measured.values()])
    _require_samples(p, q, kind)
    alignment = _fit_samples(p, q, kind)
    error = _relative_errors(alignment, p, q)
    qualities = {}
    for i, name in enumerate(measured):
        left_out = float('nan')
        others = np.arange(len(p)) != i
        try:
            _require_samples(p[others], q[others], kind)
            left_out = float(
                _relative_errors(_fit_samples(p[others], q[others], kind), p[i], q[i])
            )
        except AlignmentError:
            pass
        qualities[name] = ViewQuality(1, float(error[i]), left_out, float('nan'))
    inlier_ratio = float((error <= _outlier_limit(error)).mean())
    return CalibratedScale(alignment, inlier_ratio, float(np.median(error)), qualities)


def suspects(scale: CalibratedScale) -> list[str]:
    """Return the names of the views whose error is much larger than that of the others."""
    errors = np.array([view.residual for view in scale.views.values()])
    limit = _outlier_limit(errors)
    return [name for name, view in scale.views.items() if view.residual > limit]


def joined(views: Sequence[Correspondences]) -> Correspondences:
    """Concatenate the points of all views; every point keeps its weight."""
    return Correspondences(
        np.concatenate([points.prediction for points in views]),
        np.concatenate([points.inverse_depth for points in views]),
        np.concatenate([points.position for points in views]),
        float(np.mean([points.noise for points in views])),
        np.concatenate([points.weight for points in views]),
    )


def _fitted(points: Correspondences, kind: PredictionKind) -> AffineScale:
    if not len(points):
        raise AlignmentError('no pixel was measured where the network predicts something')
    if kind is PredictionKind.RELATIVE_INVERSE_DEPTH:
        return fit_robust(points, np.random.default_rng(_SEED)).alignment
    ratio = points.inverse_depth / points.prediction
    order = np.argsort(ratio)
    share = np.cumsum(points.weight[order])
    middle = int(np.searchsorted(share, share[-1] / 2))
    return AffineScale(float(ratio[order[middle]]))


def _error_of(fitted_to: Correspondences, points: Correspondences, kind: PredictionKind) -> float:
    """Return the error at `points` of the fit to others; NaN if there is no fit."""
    try:
        return relative_error(points, _fitted(fitted_to, kind))
    except AlignmentError:
        return float('nan')


def _require_samples(p: FloatArray, q: FloatArray, kind: PredictionKind) -> None:
    """Require samples that determine the scale.

    Raises:
        AlignmentError: They are too few or too similar.
    """
    if kind is PredictionKind.DEPTH and len(p):
        return
    if len(p) < 2:
        raise AlignmentError(
            f'{len(p)} measurement; a relative network needs two at least, at different '
            'distances, since scale and shift are two numbers'
        )
    if q.max() < _MIN_DEPTH_RATIO * q.min():
        raise AlignmentError(
            f'all measurements lie between {1 / q.max():.2f} and {1 / q.min():.2f} m; to tell '
            f'scale from shift, the farthest must be {_MIN_DEPTH_RATIO} times as far away'
        )
    if np.ptp(p) < _MIN_PREDICTION_CHANGE * np.abs(p).max():
        raise AlignmentError(
            f'the network predicts the same ({p[0]:.3g}) at all samples, which lie between '
            f'{1 / q.max():.2f} and {1 / q.min():.2f} m'
        )


def _fit_samples(p: FloatArray, q: FloatArray, kind: PredictionKind) -> AffineScale:
    """Return the least-squares fit of the relative error of q [1/m], outliers left out.

    Raises:
        AlignmentError: Its scale is not positive.
    """
    unknowns = 1 if kind is PredictionKind.DEPTH else 2
    if len(p) >= unknowns + _MIN_REDUNDANCY:
        error = _relative_errors(_least_absolute(p, q, kind), p, q)
        # That fit passes through as many samples as there are unknowns: their error is 0.
        kept = error <= _outlier_limit(np.sort(error)[unknowns:])
        p, q = p[kept], q[kept]
    if kind is PredictionKind.DEPTH:
        return AffineScale(float((p / q).sum() / ((p / q) ** 2).sum()))
    design = np.stack((p / q, 1 / q), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, np.ones_like(q), rcond=None)
    if not scale > 0:
        raise AlignmentError(
            'the prediction falls where the measured inverse depth rises: check the pixels (u to '
            'the right, v down) and the distances [m]'
        )
    return AffineScale(float(scale), float(shift))


def _least_absolute(p: FloatArray, q: FloatArray, kind: PredictionKind) -> AffineScale:
    """Return the fit of least absolute relative error, which passes through 1 or 2 samples."""
    if kind is PredictionKind.DEPTH:
        candidates = [AffineScale(float(ratio)) for ratio in q / p]
    else:
        candidates = []
        for i, j in combinations(range(len(p)), 2):
            if p[i] != p[j]:
                scale = float((q[i] - q[j]) / (p[i] - p[j]))
                candidates.append(AffineScale(scale, float(q[i] - scale * p[i])))
    return min(candidates, key=lambda alignment: float(_relative_errors(alignment, p, q).sum()))


def _relative_errors(alignment: AffineScale, p: FloatArray, q: FloatArray) -> FloatArray:
    error: FloatArray = np.abs(alignment.scale * p + alignment.shift - q) / q
    return error


def _outlier_limit(error: FloatArray) -> float:
    """Return the error above which a sample is an outlier."""
    return max(_OUTLIER_RATIO * float(np.median(error)), _TOLERATED_ERROR)

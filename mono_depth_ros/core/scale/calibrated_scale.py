"""One scale for all images of a camera, found from measurements of some of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..errors import AlignmentError
from ..types import AffineScale, PredictionKind
from .correspondences import Correspondences, FloatArray
from .fitting import fit_robust, inliers, relative_error, relative_errors

_SEED = 0
_MIN_DEPTH_RATIO = 1.3  # farthest to nearest sample; below it, scale and shift look the same
_MIN_PREDICTION_CHANGE = 1e-3  # range of the predictions of the samples, relative to the largest
_MIN_REDUNDANCY = 3  # samples beyond the unknowns, without which no outlier can be identified
_OUTLIER_RATIO = 3.0  # error of an outlier in units of the median error: 2 standard deviations
_TOLERATED_ERROR = 0.05  # relative; an error below it is a network's own and never an outlier


@dataclass(frozen=True)
class ViewQuality:
    """Errors of the common scale in one view.

    Attributes:
        residual: Median relative error of what was fitted, inverse depth or depth.
        left_out: The same with the fit to all other views; NaN if there is none.
        own: The same with the fit to this view alone; NaN if there is none, or of one point.
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
        residual: Median relative error over all points, see `ViewQuality`.
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
    factor, the weighted median; `AlignmentError` if the points do not determine it.
    """
    return _calibrated(views, lambda points: _fit_points(points, kind), inliers)


def fit_samples(
    measured: Mapping[str, tuple[float, float]], kind: PredictionKind
) -> CalibratedScale:
    """Return the scale fitted to a few samples by least squares, outliers left out.

    A sample has a name, a prediction, of a metric network its inverse depth, and a depth [m]. The
    relative error of what is affine in it is minimized; for a metric network by one factor.

    Raises:
        AlignmentError: They are too few or too similar, or contradict the network.
    """
    samples = {}
    for name, (prediction, depth) in measured.items():
        p, q = np.array([prediction]), np.array([1 / depth])
        samples[name] = Correspondences(
            p, q, np.zeros((1, 2)), 0.0, np.ones(1), quantity=kind.fitted
        )
    return _calibrated(samples, lambda points: _fit_samples(points, kind), _agreeing)


def suspects(scale: CalibratedScale) -> list[str]:
    """Return the names of the views whose error is much larger than that of the others."""
    errors = np.array([view.residual for view in scale.views.values()])
    limit = _outlier_limit(errors)
    return [name for name, view in scale.views.items() if view.residual > limit]


def _joined(views: Sequence[Correspondences]) -> Correspondences:
    """Concatenate the points of all views; every point keeps its weight."""
    rows = zip(
        *((v.prediction, v.inverse_depth, v.position, v.weight) for v in views), strict=True
    )
    p, q, position, weight = (np.concatenate(arrays) for arrays in rows)
    noise = float(np.mean([np.mean(view.noise) for view in views]))
    return Correspondences(p, q, position, noise, weight, quantity=views[0].quantity)


def _calibrated(
    views: Mapping[str, Correspondences],
    fit: Callable[[Correspondences], AffineScale],
    agree: Callable[[Correspondences, AffineScale], npt.NDArray[np.bool_]],
) -> CalibratedScale:
    """Return the fit to all views, tested on each by fits to the others and to itself."""

    def error_of(fitted_to: Correspondences, points: Correspondences) -> float:
        try:
            return relative_error(points, fit(fitted_to))
        except AlignmentError:
            return math.nan

    together = _joined(list(views.values()))
    alignment = fit(together)
    qualities = {}
    for name, points in views.items():
        others = [other for key, other in views.items() if key != name]
        residual = relative_error(points, alignment)
        left_out = error_of(_joined(others), points) if others else math.nan
        own = error_of(points, points) if len(points) > 1 else math.nan
        qualities[name] = ViewQuality(len(points), residual, left_out, own)
    inlier_ratio = float(agree(together, alignment).mean())
    return CalibratedScale(alignment, inlier_ratio, relative_error(together, alignment), qualities)


def _fit_points(points: Correspondences, kind: PredictionKind) -> AffineScale:
    if not len(points):
        raise AlignmentError('no pixel was measured where the network predicts something')
    if kind.is_relative:
        return fit_robust(points, np.random.default_rng(_SEED)).alignment
    ratio = points.inverse_depth / points.prediction
    order = np.argsort(ratio)
    share = np.cumsum(points.weight[order])
    middle = int(np.searchsorted(share, share[-1] / 2))
    return AffineScale(float(ratio[order[middle]]))


def _fit_samples(samples: Correspondences, kind: PredictionKind) -> AffineScale:
    """Return the least-squares fit of the relative error, outliers left out."""
    _require_samples(samples, kind)
    unknowns = 1 if kind is PredictionKind.DEPTH else 2
    if len(samples) >= unknowns + _MIN_REDUNDANCY:
        error = relative_errors(samples, _least_absolute(samples, kind))
        # That fit passes through as many samples as there are unknowns: their error is 0.
        samples = samples.subset(error <= _outlier_limit(np.sort(error)[unknowns:]))
    p, q = samples.prediction, samples.measured
    if kind is PredictionKind.DEPTH:
        return AffineScale(float((p / q).sum() / ((p / q) ** 2).sum()))
    design = np.stack((p / q, 1 / q), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, np.ones_like(q), rcond=None)
    if not scale > 0:
        remedy = 'check the pixels (u to the right, v down) and the distances [m]'
        what = f'the prediction falls where the measured {samples.quantity.label} rises'
        raise AlignmentError(f'{what}: {remedy}')
    return AffineScale(float(scale), float(shift), samples.quantity)


def _require_samples(samples: Correspondences, kind: PredictionKind) -> None:
    """Raise `AlignmentError` if the samples are too few or too similar."""
    p, q = samples.prediction, samples.inverse_depth
    if kind is PredictionKind.DEPTH:
        return
    if len(p) < 2:
        raise AlignmentError(
            f'{len(p)} measurement; a relative network needs two at least, at different '
            'distances, since scale and shift are two numbers'
        )
    between = f'between {1 / q.max():.2f} and {1 / q.min():.2f} m'
    if q.max() < _MIN_DEPTH_RATIO * q.min():
        raise AlignmentError(
            f'all measurements lie {between}; to tell scale from shift, the farthest must be '
            f'{_MIN_DEPTH_RATIO} times as far away'
        )
    if np.ptp(p) < _MIN_PREDICTION_CHANGE * np.abs(p).max():
        same = f'the network predicts the same ({p[0]:.3g}) at all samples'
        raise AlignmentError(f'{same}, which lie {between}')


def _least_absolute(samples: Correspondences, kind: PredictionKind) -> AffineScale:
    """Return the fit of least absolute relative error, which passes through 1 or 2 samples."""
    p, q = samples.prediction, samples.measured
    candidates = [AffineScale(float(ratio)) for ratio in q / p]
    if kind is not PredictionKind.DEPTH:
        pairs = [(i, j) for i, j in combinations(range(len(p)), 2) if p[i] != p[j]]
        lines = [(float((q[i] - q[j]) / (p[i] - p[j])), i) for i, j in pairs]
        of = samples.quantity
        candidates = [AffineScale(scale, float(q[i] - scale * p[i]), of) for scale, i in lines]
    return min(candidates, key=lambda alignment: float(relative_errors(samples, alignment).sum()))


def _agreeing(samples: Correspondences, alignment: AffineScale) -> npt.NDArray[np.bool_]:
    error = relative_errors(samples, alignment)
    return error <= _outlier_limit(error)


def _outlier_limit(error: FloatArray) -> float:
    """Return the error above which a sample is an outlier."""
    return max(_OUTLIER_RATIO * float(np.median(error)), _TOLERATED_ERROR)

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
_LEAST_RATIO = 1.3
"""Of the farthest to the nearest of a few measurements, so that two numbers can be told."""
_LEAST_CHANGE = 1e-3
"""Of the prediction between a few places, as a share of it."""
_ENOUGH_TO_DOUBT = 3
"""More measurements than numbers are sought; fewer cannot outvote one of them."""
_SUSPICIOUS = 3.0
"""Times the median error."""
_HARMLESS = 0.05
"""A smaller relative error is never suspicious."""


@dataclass(frozen=True)
class ViewQuality:
    """How well the common scale serves one view.

    Attributes:
        points: How many were measured.
        residual: Median relative error of inverse depth there.
        left_out: The same by a fit to all other views; NaN if there is none.
        own: The same by a fit to this view alone; NaN if there is none.
    """

    points: int
    residual: float
    left_out: float
    own: float


@dataclass(frozen=True)
class CalibratedScale:
    """What to set, and what it is worth.

    Attributes:
        alignment: Inverse depth [1/m] = scale * prediction + shift; for a metric network, whose
            prediction is its own inverse depth, the shift is 0.
        inlier_ratio: Share of the points within three deviations.
        residual: Median relative error of inverse depth over all points.
        views: By name.
    """

    alignment: AffineScale
    inlier_ratio: float
    residual: float
    views: Mapping[str, ViewQuality]

    @property
    def depth_scale(self) -> float:
        """The factor on a metric network's depth."""
        return 1 / self.alignment.scale


def fit_views(views: Mapping[str, Correspondences], kind: PredictionKind) -> CalibratedScale:
    """Return the scale that serves many measured points of some views.

    Scale and shift for a relative network, by the robust fit over all; one factor for a metric
    one, the weighted median.

    Raises:
        AlignmentError: The points do not determine it; the message says why.
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
    """Return the scale that serves a few measurements, each taken seriously.

    Least squares of the relative error of inverse depth, without those that contradict all others
    (`suspects`); for a metric network one factor.

    Args:
        measured: Name -> (prediction, depth [m]).
        kind: What the prediction is; that of a metric network is its inverse depth.

    Raises:
        AlignmentError: There are too few, they are too much alike, or they contradict the network.
    """
    p = np.array([prediction for prediction, _ in measured.values()])
    q = 1 / np.array([depth for _, depth in measured.values()])
    _require_few(p, q, kind)
    alignment = _through(p, q, kind)
    error = _relative(alignment, p, q)
    qualities = {}
    for i, name in enumerate(measured):
        left_out = float('nan')
        others = np.arange(len(p)) != i
        try:
            _require_few(p[others], q[others], kind)
            left_out = float(_relative(_through(p[others], q[others], kind), p[i], q[i]))
        except AlignmentError:
            pass
        qualities[name] = ViewQuality(1, float(error[i]), left_out, float('nan'))
    inlier_ratio = float((error <= _suspicion(error)).mean())
    return CalibratedScale(alignment, inlier_ratio, float(np.median(error)), qualities)


def suspects(scale: CalibratedScale) -> list[str]:
    """Return the views that one scale serves much worse than the others."""
    errors = np.array([view.residual for view in scale.views.values()])
    limit = _suspicion(errors)
    return [name for name, view in scale.views.items() if view.residual > limit]


def joined(views: Sequence[Correspondences]) -> Correspondences:
    """Return the points of all views as one, each view with the voice of its points."""
    return Correspondences(
        np.concatenate([points.prediction for points in views]),
        np.concatenate([points.inverse_depth for points in views]),
        np.concatenate([points.position for points in views]),
        float(np.mean([points.noise for points in views])),
        np.concatenate([points.weight for points in views]),
    )


def _fitted(points: Correspondences, kind: PredictionKind) -> AffineScale:
    if not len(points):
        raise AlignmentError('no pixel was measured where the network says something')
    if kind is PredictionKind.RELATIVE_INVERSE_DEPTH:
        return fit_robust(points, np.random.default_rng(_SEED)).alignment
    ratio = points.inverse_depth / points.prediction
    order = np.argsort(ratio)
    share = np.cumsum(points.weight[order])
    middle = int(np.searchsorted(share, share[-1] / 2))
    return AffineScale(float(ratio[order[middle]]))


def _error_of(fitted_to: Correspondences, judged: Correspondences, kind: PredictionKind) -> float:
    try:
        return relative_error(judged, _fitted(fitted_to, kind))
    except AlignmentError:
        return float('nan')


def _require_few(p: FloatArray, q: FloatArray, kind: PredictionKind) -> None:
    """Refuse measurements that do not determine what is sought.

    Raises:
        AlignmentError: They are too few, or too much alike.
    """
    if kind is PredictionKind.DEPTH and len(p):
        return
    if len(p) < 2:
        raise AlignmentError(
            f'{len(p)} measurement; a relative network needs two at least, at different '
            'distances, since scale and shift are two numbers'
        )
    if q.max() < _LEAST_RATIO * q.min():
        raise AlignmentError(
            f'all measurements lie between {1 / q.max():.2f} and {1 / q.min():.2f} m; to tell '
            f'scale from shift, the farthest must be {_LEAST_RATIO} times as far as the nearest'
        )
    if np.ptp(p) < _LEAST_CHANGE * np.abs(p).max():
        raise AlignmentError(
            f'the network says the same ({p[0]:.3g}) of all places, which lie between '
            f'{1 / q.max():.2f} and {1 / q.min():.2f} m'
        )


def _through(p: FloatArray, q: FloatArray, kind: PredictionKind) -> AffineScale:
    """Return the fit of least squared relative error of q [1/m], outliers left out.

    Raises:
        AlignmentError: Its scale is not positive.
    """
    sought = 1 if kind is PredictionKind.DEPTH else 2
    if len(p) >= sought + _ENOUGH_TO_DOUBT:
        error = _relative(_least_absolute(p, q, kind), p, q)
        # It passes through as many points as numbers are sought, which say nothing.
        kept = error <= _suspicion(np.sort(error)[sought:])
        p, q = p[kept], q[kept]
    if kind is PredictionKind.DEPTH:
        return AffineScale(float((p / q).sum() / ((p / q) ** 2).sum()))
    design = np.stack((p / q, 1 / q), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, np.ones_like(q), rcond=None)
    if not scale > 0:
        raise AlignmentError(
            'the network sees what is nearer as farther there: are the places right (u to the '
            'right, v down), and the meters?'
        )
    return AffineScale(float(scale), float(shift))


def _least_absolute(p: FloatArray, q: FloatArray, kind: PredictionKind) -> AffineScale:
    """Return the fit of least absolute relative error, which passes through its best points."""
    if kind is PredictionKind.DEPTH:
        candidates = [AffineScale(float(ratio)) for ratio in q / p]
    else:
        candidates = []
        for i, j in combinations(range(len(p)), 2):
            if p[i] != p[j]:
                scale = float((q[i] - q[j]) / (p[i] - p[j]))
                candidates.append(AffineScale(scale, float(q[i] - scale * p[i])))
    return min(candidates, key=lambda alignment: float(_relative(alignment, p, q).sum()))


def _relative(alignment: AffineScale, p: FloatArray, q: FloatArray) -> FloatArray:
    error: FloatArray = np.abs(alignment.scale * p + alignment.shift - q) / q
    return error


def _suspicion(error: FloatArray) -> float:
    """Return the error above which a measurement is suspicious among the others."""
    return max(_SUSPICIOUS * float(np.median(error)), _HARMLESS)

"""What the alignment is measured against: other fits and other filters."""

import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter
from mono_depth_ros.core.scale.correspondences import Correspondences, FloatArray
from mono_depth_ros.core.scale.fitting import METHODS, Fit, refine
from mono_depth_ros.core.scale.flat_scene import FlatSceneError
from mono_depth_ros.core.scale.frame_scale import AlignmentState
from mono_depth_ros.core.scale.least_squares import solve
from mono_depth_ros.core.types import AffineScale

Method = Callable[[Correspondences], AffineScale]

_ZOOMS, _STEPS = 8, 21


def ours() -> dict[str, Method]:
    """Return the methods of the package, each with a fixed seed."""

    def method(name: str, points: Correspondences) -> AffineScale:
        return METHODS[name](points, np.random.default_rng(0)).alignment

    return {name: partial(method, name) for name in METHODS}


def others() -> dict[str, Method]:
    """Return robust's refinement without its hypotheses, and scikit-learn's where installed."""
    return {'reweighting only': reweighting_only} | scikit_learn()


@cache
def scikit_learn() -> dict[str, Method]:
    """Return scikit-learn's lines, none where it is not installed."""
    try:
        from sklearn.linear_model import HuberRegressor, RANSACRegressor
    except ImportError:
        print('scikit-learn is not installed: without its RANSAC and Huber (pip install it)')
        return {}
    return {
        'sklearn RANSAC': lambda points: _regressed(RANSACRegressor(random_state=0), points),
        'sklearn Huber': lambda points: _regressed(HuberRegressor(), points),
    }


def least_error_line(p: FloatArray, q: FloatArray, weight: FloatArray) -> AffineScale:
    """Return the line with the least weighted AbsRel of depth.

    Searched are the inverse depths at two predictions, ever more finely.

    Args:
        p: (N,) predictions.
        q: (N,) true inverse depth [1/m].
        weight: (N,).
    """
    ends = np.quantile(p, (0.1, 0.9))
    share = (p - ends[0]) / (ends[1] - ends[0])
    best, span = np.interp(ends, np.sort(p), np.sort(q)), 0.4
    for _ in range(_ZOOMS):
        low, high = (value * np.linspace(1 - span, 1 + span, _STEPS) for value in best)
        inverse = low[:, None, None] * (1 - share) + high[None, :, None] * share
        error = np.abs(q / inverse.clip(min=q.min()) - 1) @ weight
        i, j = np.unravel_index(error.argmin(), error.shape)
        best, span = np.array((low[i], high[j])), span / 2
    scale = float((best[1] - best[0]) / (ends[1] - ends[0]))
    return AffineScale(scale, float(best[0] - scale * ends[0]))


def reweighting_only(points: Correspondences) -> AffineScale:
    """Return what reweighting finds when it starts from plain least squares."""
    scale, shift = np.polyfit(points.prediction, points.inverse_depth, 1)
    return refine(points, AffineScale(float(scale), float(shift))).alignment


def _regressed(regressor: object, points: Correspondences) -> AffineScale:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        regressor.fit(points.prediction[:, None], points.inverse_depth)
    line = getattr(regressor, 'estimator_', regressor)
    return AffineScale(float(line.coef_[0]), float(line.intercept_))


class WithoutLevel(AlignmentFilter):
    """Refuses flat scenes altogether."""

    def _leveled(
        self, stamp_ns: int, points: Correspondences, flat: FlatSceneError
    ) -> AlignmentState:
        raise flat


class Averaging(WithoutLevel):
    """An exponential average of scale and of shift."""

    def _smoothed(self, stamp_ns: int, points: Correspondences, fit: Fit) -> AffineScale:
        if self.state is None:
            return fit.alignment
        memory, held = self.settings.smoothing, self.state.alignment
        return AffineScale(
            memory * held.scale + (1 - memory) * fit.alignment.scale,
            memory * held.shift + (1 - memory) * fit.alignment.shift,
        )


class WithoutRestart(WithoutLevel):
    """Recursive least squares that never starts again."""

    def _smoothed(self, stamp_ns: int, points: Correspondences, fit: Fit) -> AffineScale:
        memory = self.settings.smoothing if self.state is not None else 0.0
        self._normal = memory * self._normal + (1 - memory) * fit.normal
        self._moment = memory * self._moment + (1 - memory) * fit.moment
        return solve(self._normal, self._moment)

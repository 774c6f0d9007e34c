"""What the alignment is measured against: other fits and other filters."""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np

from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter
from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.fitting import METHODS, Fit, FlatSceneError, refine
from mono_depth_ros.core.scale.frame_scale import AlignmentState
from mono_depth_ros.core.scale.least_squares import solve
from mono_depth_ros.core.types import AffineScale

Method = Callable[[Correspondences], AffineScale]


def ours() -> dict[str, Method]:
    """Return the methods of the package, each with a fixed seed."""

    def method(name: str, points: Correspondences) -> AffineScale:
        return METHODS[name](points, np.random.default_rng(0)).alignment

    return {name: partial(method, name) for name in METHODS}


def others() -> dict[str, Method]:
    """Return robust's refinement without its hypotheses, and scikit-learn's where installed."""
    methods: dict[str, Method] = {'reweighting only': reweighting_only}
    try:
        from sklearn.linear_model import HuberRegressor, RANSACRegressor
    except ImportError:
        print('scikit-learn is not installed: without its RANSAC and Huber (pip install it)')
        return methods
    methods['sklearn RANSAC'] = lambda points: _regressed(RANSACRegressor(random_state=0), points)
    methods['sklearn Huber'] = lambda points: _regressed(HuberRegressor(), points)
    return methods


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

"""How far to trust each pixel: one standard deviation of depth, as a share of it."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch

from ..network.predicted_frame import PredictedFrame
from ..types import PredictionKind
from ..upsampling import upsampled
from ..windows import over_window
from .cell_variances import cell_variances
from .correction_field import Residuals
from .frame_scale import FrameScale
from .fusion import MetricDepth

# Chosen together with those of cell_variances.py.
_LEAST = 0.002  # where nothing was measured
_MEASURED_BEND = 0.17  # of the bend of the surface, times the spread of the residuals
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
        the network, which errs more the less measurements tell of a place; edges, where it is the
        bend of the surface that counts; and measurements that contradict the depth around them, or
        lie far behind it. Scale and shift count as far as no measurement lies around.
        """
        inverse_depth = self.metric.inverse_depth
        residuals = self.metric.residuals
        bend = _bend(inverse_depth)
        if residuals is None:
            of_network = self._network_deviation**2 + _LEAST**2
            return self._with_fit((bend * _BEND_ALONE).square_().add_(of_network))
        size = inverse_depth.shape[0], inverse_depth.shape[1]
        *of_cells, per_bend = cell_variances(residuals)
        between, measured, network = (
            upsampled(torch.from_numpy(values).to(bend.device), size) for values in of_cells
        )
        between += (bend * per_bend).square_()
        measured += (bend * (_MEASURED_BEND * residuals.spread)).square_()
        is_measured = self.metric.is_measured
        if is_measured is None:
            return self._with_fit(between, network)
        variance = torch.where(is_measured, measured, between)
        return self._with_fit(variance, network.mul_(~is_measured))

    @property
    def _network_deviation(self) -> float | torch.Tensor:
        """Standard deviation of ln inverse depth: of the fit, or else what the network states."""
        state, stated = self.scale.state, self.prediction.spread
        if state is not None:
            return _RESIDUAL * state.residual
        return _UNKNOWN if stated is None else stated

    def _with_fit(self, variance: torch.Tensor, share: torch.Tensor | None = None) -> torch.Tensor:
        """Return the root of the variance plus a share of that of the fit."""
        state, q = self.scale.state, self.metric.inverse_depth
        if state is not None and self.scale.alignment is not None:
            (a, b), (_, c) = state.covariance.tolist()
            p = self.prediction.values
            in_line = q if state.alignment.quantity is PredictionKind.INVERSE_DEPTH else 1 / q
            of_fit = (p.square() * a + p * (2 * b) + c).clamp_(min=0).div_(in_line.square())
            variance = variance + (of_fit if share is None else of_fit.mul_(share))
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

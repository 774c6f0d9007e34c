"""Evaluation: the affine fit that relative depth is judged by, and the usual error measures."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..types import AffineScale


@dataclass(frozen=True)
class DepthMetrics:
    """Errors of a depth image over its `n` judged pixels (Eigen et al. 2014).

    Attributes:
        abs_rel: Mean of |z - z*| / z*.
        sq_rel: Mean of (z - z*)^2 / z* [m].
        rmse: Root of the mean of (z - z*)^2 [m].
        rmse_log: Root of the mean of (ln z - ln z*)^2.
        log10: Mean of |log10 z - log10 z*|.
        delta1: Share of pixels with max(z / z*, z* / z) < 1.25.
        delta2: The same below 1.25^2.
        delta3: The same below 1.25^3.
        silog: 100 times the standard deviation of ln z - ln z*.
        n: Number of judged pixels.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    log10: float
    delta1: float
    delta2: float
    delta3: float
    silog: float
    n: int


def depth_metrics(
    depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None
) -> DepthMetrics:
    """Return the errors of `depth` against `truth`, both (H, W) [m].

    Judged are the pixels where `valid` (H, W) bool, the truth is finite and positive, and the
    depth is finite and positive; whoever leaves pixels out says so by `n`.

    Raises:
        ValueError: The shapes differ, or no pixel is left.
    """
    require_same_shape(depth, truth)
    judged = truth_mask(truth, valid) & depth.isfinite() & (depth > 0)
    z, z_true = depth[judged].double(), truth[judged].double()
    if not z.numel():
        raise ValueError('no pixel has both a valid depth and a valid truth')
    error = z - z_true
    log_error = z.log() - z_true.log()
    ratio = torch.maximum(z / z_true, z_true / z)
    delta = [float((ratio < 1.25**k).double().mean()) for k in (1, 2, 3)]
    return DepthMetrics(
        abs_rel=float((error.abs() / z_true).mean()),
        sq_rel=float((error.square() / z_true).mean()),
        rmse=float(error.square().mean().sqrt()),
        rmse_log=float(log_error.square().mean().sqrt()),
        log10=float(log_error.abs().mean()) / math.log(10),
        delta1=delta[0],
        delta2=delta[1],
        delta3=delta[2],
        silog=100 * float(log_error.var(correction=0).sqrt()),
        n=z.numel(),
    )


def align_affine(
    prediction: torch.Tensor, inverse_depth: torch.Tensor, valid: torch.Tensor
) -> AffineScale:
    """Return scale and shift of least squares in inverse depth over the valid pixels.

    Args:
        prediction: (H, W), relative inverse depth, or any other guess.
        inverse_depth: (H, W) [1/m], the truth.
        valid: (H, W) bool.

    Returns:
        The fit; a prediction without variation gets scale 0 and the mean as shift, one that
        runs the wrong way a negative scale.

    Raises:
        ValueError: No pixel is valid, or a valid one is not finite.
    """
    p, q = prediction[valid].double(), inverse_depth[valid].double()
    if not p.numel():
        raise ValueError('no pixel is valid, so there is nothing to fit to')
    if not (p.isfinite().all() and q.isfinite().all()):
        raise ValueError('the prediction or the truth is not finite at a valid pixel')
    p_mean, q_mean = p.mean(), q.mean()
    spread = (p - p_mean).square().sum()
    scale = 0.0
    if float(spread) > 1e-12 * float(p.square().sum()):
        scale = float(((p - p_mean) * (q - q_mean)).sum() / spread)
    return AffineScale(scale, float(q_mean) - scale * float(p_mean))


def median_scale(depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> float:
    """Return the factor on depth that makes its median over the valid pixels the true one.

    Zhou et al., SfMLearner, 2017. Depth (H, W) may be infinite at fewer than half of them.

    Raises:
        ValueError: No pixel is valid, or the median depth is not finite and positive.
    """
    z, z_true = depth[valid].double(), truth[valid].double()
    if not z.numel():
        raise ValueError('no pixel is valid, so there is nothing to scale to')
    median = float(np.median(z.cpu().numpy()))
    if not 0 < median < float('inf'):
        raise ValueError(f'the median depth is {median}, which no factor makes a true one')
    return float(np.median(z_true.cpu().numpy())) / median


def aligned_depth(
    prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None
) -> torch.Tensor:
    """Return depth (H, W) float64 [m] of a relative prediction fitted to the true depth.

    The fit is affine in inverse depth over the valid pixels. Nothing is judged farther than the
    farthest true depth: inverse depth is clamped from below there, so that a fit that passes
    zero costs what it is worth and does not make the mean infinite.
    """
    require_same_shape(prediction, truth)
    mask = truth_mask(truth, valid)
    inverse_truth = truth.double().reciprocal()
    fit = align_affine(prediction, inverse_truth, mask)
    floor = float(inverse_truth[mask].min())
    inverse = (prediction.double() * fit.scale + fit.shift).clamp(min=floor)
    return inverse.reciprocal()


def truth_mask(truth: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Return (H, W) bool: where the truth is finite, positive and not excluded by `valid`."""
    mask = truth.isfinite() & (truth > 0)
    return mask if valid is None else mask & valid


def constant_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32, the guess of one who knows nothing."""
    return torch.ones(height, width)


def row_gradient_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32, the guess of one who knows that floors are near below."""
    return torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)


def require_same_shape(one: torch.Tensor, two: torch.Tensor) -> None:
    """Raise ValueError if the shapes differ."""
    if one.shape != two.shape:
        raise ValueError(f'shapes {tuple(one.shape)} and {tuple(two.shape)} differ')

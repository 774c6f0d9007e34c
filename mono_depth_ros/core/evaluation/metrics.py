"""Errors of a depth image against the truth, the fits that precede them, and baselines."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..types import AffineScale

_EDGE_RATIOS = torch.linspace(1.05, 1.25, 10, dtype=torch.float64)  # Bochkovskii et al. 2024


@dataclass(frozen=True)
class DepthMetrics:
    """Errors of a depth image over its `n` evaluated pixels (Eigen et al. 2014).

    Attributes:
        abs_rel: Mean of |z - z*| / z*.
        sq_rel: Mean of (z - z*)^2 / z* [m].
        rmse: Root of the mean of (z - z*)^2 [m].
        rmse_log: Root of the mean of (ln z - ln z*)^2.
        log10: Mean of |log10 z - log10 z*|.
        delta1: Share of pixels with max(z / z*, z* / z) < 1.25; delta2 below 1.25^2, delta3 below
            1.25^3.
        silog: 100 times the standard deviation of ln z - ln z*.
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

    Evaluated are the pixels in `valid` (H, W) bool whose truth and depth are finite and positive;
    `n` is their number.

    Raises:
        ValueError: The shapes differ, or no pixel is left.
    """
    require_same_shape(depth, truth)
    evaluated = truth_mask(truth, valid) & depth.isfinite() & (depth > 0)
    z, z_true = depth[evaluated].double(), truth[evaluated].double()
    if not z.numel():
        raise ValueError('no pixel has both a valid depth and a valid truth')
    error = z - z_true
    log_error = z.log() - z_true.log()
    ratio = torch.maximum(z / z_true, z_true / z)
    delta1, delta2, delta3 = (float((ratio < 1.25**k).double().mean()) for k in (1, 2, 3))
    return DepthMetrics(
        abs_rel=float((error.abs() / z_true).mean()),
        sq_rel=float((error.square() / z_true).mean()),
        rmse=float(error.square().mean().sqrt()),
        rmse_log=float(log_error.square().mean().sqrt()),
        log10=float(log_error.abs().mean()) / math.log(10),
        delta1=delta1,
        delta2=delta2,
        delta3=delta3,
        silog=100 * float(log_error.var(correction=0).sqrt()),
        n=z.numel(),
    )


def align_affine(prediction: torch.Tensor, true: torch.Tensor, valid: torch.Tensor) -> AffineScale:
    """Return scale and shift by least squares to true inverse depth, or depth, where valid.

    All are (H, W). A constant prediction gets scale 0 and the mean as shift, one that falls where
    that rises a negative scale.

    Raises:
        ValueError: No pixel is valid, or a valid one is not finite.
    """
    p, q = prediction[valid].double(), true[valid].double()
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


def truth_mask(truth: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Return (H, W) bool: where the truth is finite, positive and not excluded by `valid`."""
    mask = truth.isfinite() & (truth > 0)
    return mask if valid is None else mask & valid


def require_same_shape(one: torch.Tensor, two: torch.Tensor) -> None:
    """Raise ValueError if the shapes differ."""
    if one.shape != two.shape:
        raise ValueError(f'shapes {tuple(one.shape)} and {tuple(two.shape)} differ')


def edge_f_score(
    depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None
) -> float:
    """Return the F-score, 0..1, of the depth edges of `depth` against `truth`, both (H, W) [m].

    An edge lies between two neighbors, left and right or above and below, whose depths have a
    ratio above t; it is hit if the other map has an edge of at least t there that falls the same
    way. F = 2 hits / (edges of one + edges of the other) is averaged over ten t from 1.05 to
    1.25, weighted by t (the scale-invariant boundary F1 of Bochkovskii et al., Depth Pro, 2024;
    there precision and recall are averaged over four directions, here all pairs are pooled).

    Evaluated are pairs whose true depths are both known and in `valid`. Unknown depth makes no
    edge, so it lowers recall. NaN if the truth has no edge.

    Raises:
        ValueError: The shapes differ.
    """
    require_same_shape(depth, truth)
    known = truth_mask(truth, valid)
    step, true_step = (_log_steps(map_, known).nan_to_num(0, 0, 0) for map_ in (depth, truth))
    score = weight = 0.0
    for t in _EDGE_RATIOS.tolist():
        edge, true_edge = step.abs() > math.log(t), true_step.abs() > math.log(t)
        if not bool(true_edge.any()):
            continue
        hits = int((edge & true_edge & (step.sign() == true_step.sign())).sum())
        score += t * 2 * hits / int(edge.sum() + true_edge.sum())
        weight += t
    return score / weight if weight else math.nan


def _log_steps(depth: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the logarithms of the ratios of neighbors that are both known, along both axes."""
    log = depth.double().log()
    across, down = known[:, 1:] & known[:, :-1], known[1:] & known[:-1]
    return torch.cat((log.diff(dim=0)[down], log.diff(dim=1)[across]))


def constant_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32 relative inverse depth that is constant: made without an image."""
    return torch.ones(height, width)


def row_gradient_baseline(height: int, width: int) -> torch.Tensor:
    """Return (H, W) float32 relative inverse depth that grows with the row, as on a floor."""
    return torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)

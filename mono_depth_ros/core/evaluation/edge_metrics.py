"""Depth edges: how many of the true ones a prediction has, and how many of its own are true."""

import math

import torch

from .metrics import require_same_shape, truth_mask

_THRESHOLDS = torch.linspace(1.05, 1.25, 10, dtype=torch.float64)


def edge_f_score(
    depth: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor | None = None
) -> float:
    """Return the F-score, 0..1, of the depth edges of `depth` against `truth`, both (H, W) [m].

    An edge lies between two neighbors, left and right or above and below, whose depths have a
    ratio above t; it is hit if the other map has an edge of at least t there that falls the same
    way. F = 2 hits / (edges of one + edges of the other) is averaged over ten t from 1.05 to
    1.25, weighted by t (the scale-invariant boundary F1 of Bochkovskii et al., Depth Pro, 2024;
    there precision and recall are averaged over four directions, here all pairs are pooled).

    Judged are pairs whose true depths both are known and in `valid`. A depth that is not known
    makes no edge, so that leaving edges out costs recall. NaN if the truth has no edge.

    Raises:
        ValueError: The shapes differ.
    """
    require_same_shape(depth, truth)
    known = truth_mask(truth, valid)
    steps, true_steps = [], []
    for axis in (0, 1):
        pairs = _both(known, axis)
        true_steps.append(_log_steps(truth, axis)[pairs])
        steps.append(_log_steps(depth, axis)[pairs].nan_to_num(0, 0, 0))
    step, true_step = torch.cat(steps), torch.cat(true_steps)
    score = weight = 0.0
    for t in _THRESHOLDS.tolist():
        edge, true_edge = step.abs() > math.log(t), true_step.abs() > math.log(t)
        if not bool(true_edge.any()):
            continue
        hits = int((edge & true_edge & (step.sign() == true_step.sign())).sum())
        score += t * 2 * hits / int(edge.sum() + true_edge.sum())
        weight += t
    return score / weight if weight else math.nan


def _log_steps(depth: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the logarithm of the ratio of each depth to the one before it along an axis."""
    return depth.double().log().diff(dim=axis)


def _both(known: torch.Tensor, axis: int) -> torch.Tensor:
    before, behind = (
        known.narrow(axis, 0, known.shape[axis] - 1),
        known.narrow(axis, 1, known.shape[axis] - 1),
    )
    return before & behind

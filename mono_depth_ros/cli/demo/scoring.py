"""Frames judged by the truth, beside what predictors that know nothing score on them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...core.metrics import (
    DepthMetrics,
    aligned_depth,
    constant_guess,
    depth_metrics,
    row_gradient_guess,
    truth_mask,
)

Depth = npt.NDArray[np.float32]

PUBLISHED = 'as published'
ALIGNED = 'affine-aligned per frame'
CONSTANT = 'constant, aligned'
ROW_GRADIENT = 'row gradient, aligned'

_NOTHING = DepthMetrics(*(math.nan,) * 9, 0)


@dataclass(frozen=True)
class FrameScore:
    """What one frame scored.

    Attributes:
        metrics: By predictor; the network's own under `PUBLISHED` and `ALIGNED`.
        coverage: Share of the pixels with a truth for which depth was published.
    """

    metrics: dict[str, DepthMetrics]
    coverage: float


@dataclass(frozen=True)
class Score:
    """Mean over frames of one predictor; see `DepthMetrics`.

    Attributes:
        abs_rel: Mean relative error.
        delta1: Share of pixels within a factor of 1.25.
        rmse: [m].
        coverage: Share of the pixels with a truth that were judged.
    """

    abs_rel: float
    delta1: float
    rmse: float
    coverage: float


def score_frame(depth: Depth, prediction: Depth, truth: Depth) -> FrameScore:
    """Judge a frame.

    Args:
        depth: (H, W) [m] as published, NaN unknown; judged where it is known.
        prediction: (H, W) relative inverse depth; judged everywhere, as the guesses are.
        truth: (H, W) [m], NaN unknown.

    Raises:
        ValueError: The truth is nowhere known.
    """
    z, z_true = torch.from_numpy(depth), torch.from_numpy(truth)
    guesses = {
        ALIGNED: torch.from_numpy(prediction),
        CONSTANT: constant_guess(*depth.shape),
        ROW_GRADIENT: row_gradient_guess(*depth.shape),
    }
    judged = {
        name: depth_metrics(aligned_depth(guess, z_true), z_true)
        for name, guess in guesses.items()
    }
    known = z.isfinite() & truth_mask(z_true)
    published = depth_metrics(z, z_true) if bool(known.any()) else _NOTHING
    coverage = float(known.sum() / truth_mask(z_true).sum())
    return FrameScore({PUBLISHED: published} | judged, coverage)


def mean_scores(frames: Sequence[FrameScore]) -> dict[str, Score]:
    """Return the mean of every predictor over frames, of which there is one at least."""
    coverage = _mean([frame.coverage for frame in frames])
    return {
        name: Score(
            abs_rel=_mean([frame.metrics[name].abs_rel for frame in frames]),
            delta1=_mean([frame.metrics[name].delta1 for frame in frames]),
            rmse=_mean([frame.metrics[name].rmse for frame in frames]),
            coverage=coverage if name == PUBLISHED else 1.0,
        )
        for name in frames[0].metrics
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)

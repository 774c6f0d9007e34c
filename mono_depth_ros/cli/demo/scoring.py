"""Frames judged by the truth, beside what predictors that know nothing score on them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...core.evaluation.metrics import (
    DepthMetrics,
    aligned_depth,
    constant_baseline,
    depth_metrics,
    row_gradient_baseline,
    truth_mask,
)

Depth = npt.NDArray[np.float32]

FITTED = 'network, best fit'
CONSTANT = 'constant, best fit'
ROW_GRADIENT = 'row gradient, best fit'


@dataclass(frozen=True)
class Score:
    """Mean over frames; see `DepthMetrics`. NaN if depth is known in no frame.

    Attributes:
        abs_rel: Mean relative error where depth is known.
        delta1: Share of those pixels within a factor of 1.25.
        rmse: [m].
        pixels: Share of the pixels with a truth for which there is depth, over all frames.
        known: Number of frames with any depth.
        frames: Number of all frames.
    """

    abs_rel: float
    delta1: float
    rmse: float
    pixels: float
    known: int
    frames: int


def published_score(depths: Sequence[Depth], truths: Sequence[Depth]) -> Score:
    """Judge depth (H, W) [m] as published, NaN unknown, where it is known.

    Raises:
        ValueError: There is no frame, or one whose truth is nowhere known.
    """
    judged, pixels = [], []
    for depth, truth in zip(depths, truths, strict=True):
        z, z_true = torch.from_numpy(depth), torch.from_numpy(truth)
        known = z.isfinite() & truth_mask(z_true)
        pixels.append(float(known.sum() / truth_mask(z_true).sum()))
        if pixels[-1] > 0:
            judged.append(depth_metrics(z, z_true))
    return _mean_score(judged, pixels)


def reference_scores(predictions: Sequence[Depth], truths: Sequence[Depth]) -> dict[str, Score]:
    """Judge predictions and blind guesses after the best affine fit to the truth of each frame.

    Args:
        predictions: (H, W) relative inverse depth.
        truths: (H, W) [m], NaN unknown.

    Raises:
        ValueError: There is no frame, or one whose truth is nowhere known.
    """
    judged: dict[str, list[DepthMetrics]] = {FITTED: [], CONSTANT: [], ROW_GRADIENT: []}
    for prediction, truth in zip(predictions, truths, strict=True):
        guesses = {
            FITTED: torch.from_numpy(prediction),
            CONSTANT: constant_baseline(*prediction.shape),
            ROW_GRADIENT: row_gradient_baseline(*prediction.shape),
        }
        z_true = torch.from_numpy(truth)
        for name, guess in guesses.items():
            judged[name].append(depth_metrics(aligned_depth(guess, z_true), z_true))
    return {name: _mean_score(found, [1.0] * len(found)) for name, found in judged.items()}


def _mean_score(judged: Sequence[DepthMetrics], pixels: Sequence[float]) -> Score:
    return Score(
        abs_rel=_mean([found.abs_rel for found in judged]),
        delta1=_mean([found.delta1 for found in judged]),
        rmse=_mean([found.rmse for found in judged]),
        pixels=_mean(pixels),
        known=len(judged),
        frames=len(pixels),
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan

"""Numbers of frames and their means, beside what predictors that know nothing score."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ...core.evaluation.baselines import constant_baseline, row_gradient_baseline
from ...core.evaluation.depth_evaluation import (
    AlignmentKind,
    EvaluationResult,
    EvaluationSettings,
    evaluate,
    resized_to,
)
from ...core.types import PredictionKind

Numbers = dict[str, float]

GUESSES = {'constant': constant_baseline, 'row gradient': row_gradient_baseline}
"""Judged after scale and shift: whatever a network says must beat them."""


@dataclass(frozen=True, eq=False)
class FrameScore:
    """What a frame scored.

    Attributes:
        name: Its own.
        numbers: By kind of alignment or by guess: each of `DepthMetrics`, and edge_f, coverage,
            and the scale and shift that were applied.
    """

    name: str
    numbers: dict[str, Numbers]


def judge_frame(
    prediction: torch.Tensor,
    quantity: PredictionKind,
    truth: torch.Tensor,
    kinds: Sequence[AlignmentKind],
    settings: EvaluationSettings,
) -> dict[str, EvaluationResult]:
    """Return the judgments of a prediction (h, w) by kind, and those of the guesses.

    Raises:
        EvaluationError: See `evaluate` and `resized_to`.
    """
    height, width = truth.shape
    fitted = resized_to(prediction, (height, width))
    judged = {kind.value: evaluate(fitted, quantity, truth, kind, settings) for kind in kinds}
    for name, guess in GUESSES.items():
        judged[name] = evaluate(
            guess(height, width),
            PredictionKind.RELATIVE_INVERSE_DEPTH,
            truth,
            AlignmentKind.SCALE_SHIFT,
            settings,
        )
    return judged


def numbers(judgment: EvaluationResult) -> Numbers:
    """Return the numbers of a judgment by name."""
    return {
        **dataclasses.asdict(judgment.metrics),
        'edge_f': judgment.edge_f,
        'coverage': judgment.coverage,
        'scale': judgment.alignment.scale,
        'shift': judgment.alignment.shift,
    }


def mean_numbers(frames: Sequence[FrameScore]) -> dict[str, Numbers]:
    """Return the mean over frames of every number; an edge score that is NaN is left out."""
    return {
        column: {
            name: _mean([frame.numbers[column][name] for frame in frames])
            for name in frames[0].numbers[column]
        }
        for column in frames[0].numbers
    }


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan

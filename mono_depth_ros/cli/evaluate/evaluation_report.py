"""Scores of frames and their means: as a table for people, as JSON for programs."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...core.evaluation.depth_evaluation import (
    AlignmentKind,
    EvaluationResult,
    EvaluationSettings,
    evaluate,
    resized_to,
)
from ...core.evaluation.metrics import constant_baseline, row_gradient_baseline
from ...core.types import PredictionKind

Numbers = dict[str, float]

BASELINES = {'constant': constant_baseline, 'row gradient': row_gradient_baseline}
"""Evaluated after scale and shift; a network must beat them."""
_ROWS = {
    'abs_rel': ('AbsRel', '.4f'),
    'sq_rel': ('SqRel [m]', '.4f'),
    'rmse': ('RMSE [m]', '.3f'),
    'rmse_log': ('RMSE log', '.4f'),
    'log10': ('log10', '.4f'),
    'delta1': ('delta1', '.3f'),
    'delta2': ('delta2', '.3f'),
    'delta3': ('delta3', '.3f'),
    'silog': ('SILog', '.2f'),
    'edge_f': ('edge F', '.3f'),
    'coverage': ('pixels judged', '.1%'),
}
_HEADINGS = {
    'none': 'as it is',
    'scale': 'scale',
    'scale_shift': 'scale+shift',
    'constant': 'constant',
    'row gradient': 'row gradient',
}


@dataclass(frozen=True, eq=False)
class FrameScore:
    """The numbers of a frame by kind of alignment or by baseline: each of `DepthMetrics`, and
    edge_f, coverage, and the scale and shift that were applied.
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
    """Return the judgments of a prediction (h, w) by kind, and those of the baselines.

    Raises:
        EvaluationError: See `evaluate` and `resized_to`.
    """
    height, width = truth.shape
    fitted = resized_to(prediction, (height, width))
    judged = {kind.value: evaluate(fitted, quantity, truth, kind, settings) for kind in kinds}
    for name, baseline in BASELINES.items():
        judged[name] = evaluate(
            baseline(height, width),
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


def print_means(console: Console, frames: Sequence[FrameScore]) -> None:
    """Print a row for each measure and a column for each alignment."""
    means = mean_numbers(frames)
    every = f'mean of {len(frames)} frames' if len(frames) > 1 else 'one frame'
    table = Table('', *(_HEADINGS[column] for column in means), title=every)
    for column in table.columns[1:]:
        column.justify = 'right'
    for name, (heading, style) in _ROWS.items():
        table.add_row(heading, *(_cell(column[name], style) for column in means.values()))
    console.print(table)
    console.print('constant and row gradient: what knows nothing scores after scale+shift')
    backwards = [f.name for f in frames if f.numbers.get('scale_shift', _FORWARDS)['scale'] <= 0]
    if backwards:
        console.print(
            f'the fitted scale is not positive in {len(backwards)} frames ({backwards[0]} ...): '
            'is --quantity right?'
        )


def print_frames(console: Console, frames: Sequence[FrameScore]) -> None:
    """Print AbsRel of each frame."""
    columns = list(frames[0].numbers)
    table = Table(title='AbsRel', box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column('frame', overflow='fold')
    for column in columns:
        table.add_column(_HEADINGS[column], justify='right', no_wrap=True)
    for frame in frames:
        table.add_row(
            frame.name, *(f'{frame.numbers[column]["abs_rel"]:.4f}' for column in columns)
        )
    console.print(table)


def write_json(path: Path, question: dict[str, Any], frames: Sequence[FrameScore]) -> None:
    """Write what was asked, the means and each frame; a number that is not finite is null."""
    content = {
        **question,
        'mean': _finite(mean_numbers(frames)),
        'frames': [{'name': frame.name, **_finite(frame.numbers)} for frame in frames],
    }
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + '\n')


_FORWARDS = {'scale': 1.0}


def _cell(value: float, style: str) -> str:
    return '-' if math.isnan(value) else format(value, style)


def _finite(columns: dict[str, Numbers]) -> dict[str, dict[str, float | None]]:
    return {
        column: {name: value if math.isfinite(value) else None for name, value in row.items()}
        for column, row in columns.items()
    }


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan

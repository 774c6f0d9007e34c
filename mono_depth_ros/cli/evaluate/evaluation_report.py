"""Scores of frames and their means: as a table for people, as JSON for programs."""

import dataclasses
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
from ...core.files.depth_files import Map
from ...core.types import PredictionKind
from ..batch import write_json

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
    'median_error_0_2': ('error 0-2 m [m]', '.3f'),
    'median_error_2_5': ('error 2-5 m [m]', '.3f'),
    'median_error_5_10': ('error 5-10 m [m]', '.3f'),
    'f_score_10cm': ('F-score 0.1 m', '.3f'),
    'f_score_20cm': ('F-score 0.2 m', '.3f'),
    'obstacles_found': ('obstacles found', '.1%'),
    'false_cells': ('false cells [1/m²]', '.2f'),
    'costmap_precision': ('lethal cells right', '.1%'),
    'costmap_recall': ('true cells found', '.1%'),
}
_HEADINGS = {'none': 'as it is', 'scale_shift': 'scale+shift'}


@dataclass(frozen=True, eq=False)
class FrameScore:
    """The numbers of a frame by kind of alignment or by baseline: each of `DepthMetrics`, and
    edge_f, coverage, the scale and shift that were applied, and those of `RobotMeasures`.
    """

    name: str
    numbers: dict[str, Numbers]


def judge_frame(
    prediction: Map,
    quantity: PredictionKind,
    truth: Map,
    kinds: Sequence[AlignmentKind],
    settings: EvaluationSettings,
) -> dict[str, EvaluationResult]:
    """Return the judgments of a prediction (h, w) by kind, and those of the baselines."""
    height, width = truth.shape
    known = torch.from_numpy(truth)
    fitted = resized_to(torch.from_numpy(prediction), (height, width))
    judged = {kind.value: evaluate(fitted, quantity, known, kind, settings) for kind in kinds}
    relative, fit = PredictionKind.RELATIVE_INVERSE_DEPTH, AlignmentKind.SCALE_SHIFT
    for name, baseline in BASELINES.items():
        judged[name] = evaluate(baseline(height, width), relative, known, fit, settings)
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


def mean_numbers(
    frames: Sequence[FrameScore], overall: dict[str, Numbers]
) -> dict[str, dict[str, float]]:
    """Return the mean of every number over the frames that have it, and what is `overall`."""
    means = {}
    for column in frames[0].numbers:
        rows = [frame.numbers[column] for frame in frames]
        names = dict.fromkeys(name for row in rows for name in row)
        mean = {name: _mean([row[name] for row in rows if name in row]) for name in names}
        means[column] = mean | overall.get(column, {})
    return means


def print_means(console: Console, frames: Sequence[FrameScore], means: dict[str, Numbers]) -> None:
    """Print a row for each measure and a column for each alignment."""
    every = f'mean of {len(frames)} frames' if len(frames) > 1 else 'one frame'
    table = Table('', *(_HEADINGS.get(column, column) for column in means), title=every)
    for column in table.columns[1:]:
        column.justify = 'right'
    for name, (heading, style) in _ROWS.items():
        if any(name in column for column in means.values()):
            cells = (_cell(column.get(name, math.nan), style) for column in means.values())
            table.add_row(heading, *cells)
    console.print(table)
    console.print('constant and row gradient: what knows nothing scores after scale+shift')
    backwards = [
        f.name for f in frames if f.numbers.get('scale_shift', {'scale': 1})['scale'] <= 0
    ]
    if backwards:
        console.print(
            f'the fitted scale is not positive in {len(backwards)} frames ({backwards[0]} ...): '
            'is --quantity right?'
        )


def print_absent(console: Console, reasons: dict[str, str]) -> None:
    """Print why measures are missing, a line for each reason."""
    for reason in dict.fromkeys(reasons.values()):
        names = ', '.join(_ROWS[name][0] for name, why in reasons.items() if why == reason)
        console.print(f'not measured: {names}: {reason}', soft_wrap=True)


def print_frames(console: Console, frames: Sequence[FrameScore]) -> None:
    """Print AbsRel of each frame."""
    columns = list(frames[0].numbers)
    table = Table(title='AbsRel', box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column('frame', overflow='fold')
    for column in columns:
        table.add_column(_HEADINGS.get(column, column), justify='right', no_wrap=True)
    for frame in frames:
        table.add_row(frame.name, *(f'{frame.numbers[c]["abs_rel"]:.4f}' for c in columns))
    console.print(table)


def write_scores(
    path: Path,
    question: dict[str, Any],
    frames: Sequence[FrameScore],
    means: dict[str, Numbers],
) -> None:
    """Write what was asked, the means and each frame as JSON."""
    rows = [{'name': frame.name, **frame.numbers} for frame in frames]
    write_json(path, {**question, 'mean': means, 'frames': rows})


def _cell(value: float, style: str) -> str:
    return '-' if math.isnan(value) else format(value, style)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan

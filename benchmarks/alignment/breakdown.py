"""Depth error against the share of gross outliers."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale.correspondences import Correspondences, area_weights
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

from ..outliers import NOISE, SEEDS, Pairs, draw_pairs
from .rivals import Method, others, ours
from .table import percent, table

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7)
REQUIRED_SHARE = 0.4
KINDS = {'plane': 'one wrong plane in space', 'line': 'one wrong alignment'}
NOISE_SHARE = 0.02
"""Of the median inverse depth: what the fits are told about the constant part of the noise."""
WORST = 1.0
"""What a refused fit counts."""


def report(picture: Path) -> str:
    """Return the table at 40 % outliers, and draw the curves over all shares."""
    methods = ours() | others()
    errors = {
        kind: {name: _errors(method, kind) for name, method in methods.items()} for kind in KINDS
    }
    _draw(picture, errors)
    column = SHARES.index(REQUIRED_SHARE)
    rows = []
    for name in methods:
        numbers = [errors[kind][name][:, column] for kind in KINDS]
        rows.append([name, *(percent(f(n)) for n in numbers for f in (np.median, np.max))])
    head = ['method', *(f'{kind}, {f}' for kind in KINDS for f in ('median', 'worst'))]
    return (
        f'\n## Gross outliers\n\nMedian depth error with {REQUIRED_SHARE:.0%} outliers, half of '
        f'them uniform and half coherent (plane: {KINDS["plane"]}; line: {KINDS["line"]}), '
        f'{NOISE:.0%} noise, {len(SEEDS)} simulated views. Required of `robust`: worst of plane '
        f'<= 1 %. All shares: {picture.name}.\n\n' + table(head, rows)
    )


def _errors(method: Method, kind: str) -> np.ndarray:
    """Return (seeds, shares): the median relative depth error."""
    return np.array(
        [[_error(method, draw_pairs(seed, share, kind)) for share in SHARES] for seed in SEEDS]
    )


def _error(method: Method, pairs: Pairs) -> float:
    try:
        return min(pairs.depth_error(method(points_of(pairs))), WORST)
    except AlignmentError:
        return WORST


def points_of(pairs: Pairs) -> Correspondences:
    """Return the pairs as the fits take them."""
    position = pairs.position.numpy().astype(np.float64)
    observation = DepthMeasurement(pairs.measured, NOISE_SHARE * float(pairs.truth.median()))
    return Correspondences(
        pairs.prediction.to(torch.float64).numpy(),
        observation.inverse_depth.to(torch.float64).numpy(),
        position,
        observation.noise,
        area_weights(position),
    )


def _draw(picture: Path, errors: dict[str, dict[str, np.ndarray]]) -> None:
    figure = Figure(figsize=(11, 4.5), layout='constrained')
    for axes, (kind, text) in zip(figure.subplots(1, 2, sharey=True), KINDS.items(), strict=True):
        for name, values in errors[kind].items():
            (line,) = axes.plot(SHARES, np.median(values, axis=0), label=name, marker='.')
            axes.plot(SHARES, values.max(axis=0), color=line.get_color(), linestyle=':')
        axes.axhline(0.01, color='0.6', linewidth=0.8)
        axes.set(
            title=f'half uniform, half {text}',
            xlabel='share of outliers',
            yscale='log',
            ylim=(3e-4, 1.2),
        )
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel('relative depth error: median, worst (dotted)')
    lines, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc='outside lower center', ncols=len(names))
    figure.savefig(picture, dpi=110)

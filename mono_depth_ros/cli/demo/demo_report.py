"""What the demo found out: scores by the truth, a table, and whether it is a success."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from ...core.evaluation.depth_evaluation import evaluate_best_fit
from ...core.evaluation.metrics import (
    constant_baseline,
    depth_metrics,
    row_gradient_baseline,
    truth_mask,
)
from .recorder import Depth, Recorder
from .trial import ROBUST, Trial

FITTED = 'network, best fit'
CONSTANT = 'constant, best fit'
ROW_GRADIENT = 'row gradient, best fit'
_LEAST_KNOWN = 0.9  # share of the frames
_LEGEND = (
    "none: the network's own meters; min_max to robust + fused: stereo; best fit: to the truth of "
    'each frame'
)


@dataclass(frozen=True)
class Score:
    """Means over the frames with depth; NaN if there is none. See `DepthMetrics`."""

    abs_rel: float
    delta1: float
    rmse: float
    pixels: float  # share of those with a truth for which there is depth, over all frames
    known: int  # frames with any depth
    frames: int


@dataclass(frozen=True)
class Run:
    """The numbers of a drive."""

    title: str
    frames: int  # different images that were answered
    judged: str  # the method that has to be good
    scores: dict[str, Score]  # of each method, then of what is fitted to the truth of each frame
    rate_hz: float  # depth images per second
    camera_hz: float
    latency_ms: dict[str, float]  # percentile -> from an image's arrival here to its depth's


def published_score(depths: Iterable[Depth], truths: Iterable[Depth]) -> Score:
    """Judge depth (H, W) [m], NaN unknown, where it is known; some of each truth must be known."""
    judged, pixels = [], []
    for depth, truth in zip(depths, truths, strict=True):
        z, z_true = torch.from_numpy(depth), torch.from_numpy(truth)
        counted = truth_mask(z_true)
        pixels.append(float((z.isfinite() & counted).sum() / counted.sum()))
        if pixels[-1] > 0:
            judged.append(depth_metrics(z, z_true))
    rows = [(found.abs_rel, found.delta1, found.rmse) for found in judged] or [(math.nan,) * 3]
    abs_rel, delta1, rmse = np.mean(rows, axis=0).tolist()
    share = math.fsum(pixels) / max(1, len(pixels))
    return Score(abs_rel, delta1, rmse, share, len(judged), len(pixels))


def reference_scores(depths: Sequence[Depth], truths: Sequence[Depth]) -> dict[str, Score]:
    """Judge the network's own depth (H, W), and baselines, fitted to the truth of each frame."""
    height, width = truths[0].shape
    compared = {
        FITTED: [1 / depth for depth in depths],
        CONSTANT: [constant_baseline(height, width).numpy()] * len(truths),
        ROW_GRADIENT: [row_gradient_baseline(height, width).numpy()] * len(truths),
    }
    return {
        name: published_score(map(_best_fit, found, truths), truths)
        for name, found in compared.items()
    }


def summarize(title: str, trials: Sequence[Trial], recorder: Recorder, camera_hz: float) -> Run:
    """Return the numbers of all trials."""
    truths = [[sample.truth for sample in trial.samples] for trial in trials]
    scores = {
        trial.method: published_score([sample.depth for sample in trial.samples], known)
        for trial, known in zip(trials, truths, strict=True)
    }
    scores |= reference_scores([sample.depth for sample in trials[0].samples], truths[0])
    seconds = np.ptp(recorder.arrivals_s)
    p50, p95 = 1e3 * np.percentile(recorder.latencies_s or [np.nan], (50, 95))
    return Run(
        title=title,
        frames=len(truths[0]),
        judged=ROBUST,
        scores=scores,
        rate_hz=(len(recorder.arrivals_s) - 1) / seconds if seconds else math.nan,
        camera_hz=camera_hz,
        latency_ms={'p50': float(p50), 'p95': float(p95)},
    )


def shortcomings(run: Run) -> list[str]:
    """Return what keeps a run from being a success, each as a sentence."""
    judged, baseline = run.scores[run.judged], run.scores[CONSTANT].abs_rel
    found = []
    if judged.known < _LEAST_KNOWN * judged.frames:
        frames = f'only {judged.known} of {judged.frames} frames have depth'
        found.append(f'{run.title}: with {run.judged} {frames}')
    for name in (run.judged, FITTED):
        error = run.scores[name].abs_rel
        if not error < baseline:  # nor is NaN
            guess = f'no better than the {baseline:.3f} of {CONSTANT}'
            found.append(f'{run.title}: AbsRel of {name} is {error:.3f}, {guess}')
    return found


def print_run(console: Console, run: Run) -> None:
    """Print a table of the scores and the speed."""
    table = Table(title=f'{run.title}: errors of metric depth')
    table.add_column('alignment', no_wrap=True)
    for heading in ('AbsRel', 'delta1', 'RMSE [m]', 'pixels', 'frames'):
        table.add_column(heading, justify='right')
    for name, score in run.scores.items():
        if name == FITTED:
            table.add_section()
        errors = f'{score.abs_rel:.3f}', f'{score.delta1:.3f}', f'{score.rmse:.2f}'
        table.add_row(name, *errors, f'{score.pixels:.0%}', f'{score.known}/{score.frames}')
    p50, p95 = run.latency_ms.values()
    speed = (
        f'{run.rate_hz:.1f} depth images per second, of {run.camera_hz:.0f} images; '
        f'image in to depth out p50 {p50:.0f} ms, p95 {p95:.0f} ms'
    )
    for part in (table, _LEGEND, speed):
        console.print(part, soft_wrap=isinstance(part, str))


def _best_fit(prediction: Depth, truth: Depth) -> Depth:
    """Return depth (H, W) [m] of inverse depth (H, W), fitted where it is known."""
    if not np.isfinite(prediction).any():
        return np.full_like(truth, np.nan)
    return evaluate_best_fit(torch.from_numpy(prediction), torch.from_numpy(truth)).depth.numpy()

"""What halving or doubling a constant of the fusion does, on scenes that it was chosen on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.scale import correction_field, diffusion, fusion, merging
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

from ..alignment.constants import times_factor
from ..alignment.table import percent, table
from .methods import FUSED, LOCAL, MODELS, RANGE, abs_rel, metric_depth
from .near_columns import shares_right
from .patterns import PATTERNS
from .scenes import (
    CHOSEN_REAL,
    CHOSEN_VIEWS,
    DISTORTED,
    TINY,
    Scene,
    real_scenes,
    simulated_pairs,
    simulated_views,
)

SHOWN = ('dense', '64 beams, 60 % outliers', '16 beams', 'ToF 8x8', '500 points')
PAIRS = range(50, 53), 3
CONSTANTS: list[tuple[ModuleType, str]] = [
    (fusion, '_CELLS'),
    (fusion, '_COLORS_PER_CELL'),
    (fusion, '_MAX_SAMPLES'),
    (fusion, '_MISMATCH'),
    (fusion, '_FADE'),
    (fusion, '_MIN_DENSE'),
    (fusion, '_MIN_LATTICE'),
    (correction_field, '_PASSES'),
    (correction_field, '_CONVERGED'),
    (correction_field, '_ENDLESS_PASSES'),
    (correction_field, 'TUKEY'),
    (correction_field, '_FIRST'),
    (correction_field, '_DIFFERENT'),
    (correction_field, '_MANY_OUTLIERS'),
    (correction_field, '_MOST_BELIEF'),
    (correction_field, '_MATCHED_BELIEF'),
    (correction_field, '_INLIER'),
    (correction_field, '_LEAST_SPREAD'),
    (correction_field, '_SPREAD_RANGE'),
    (correction_field, '_MOST_PRECISION'),
    (merging, '_AGREEMENT'),
    (merging, '_BLOCK'),
    (merging, '_LIKE'),
    (merging, '_TRUSTED'),
    (diffusion, '_EDGE_LOG_DEPTH'),
    (diffusion, '_EDGE_GRAY'),
    (diffusion, '_STIFFNESS'),
    (diffusion, '_LEAK'),
    (diffusion, '_SWEEPS'),
]


@dataclass(frozen=True, eq=False)
class Case:
    """What is fused.

    Attributes:
        group: Network and pattern.
        scene: With its truth.
        aligned: (H, W) inverse depth before fusion [1/m].
        measurement: What was measured.
        scored: (H, W) bool.
    """

    group: str
    scene: Scene
    aligned: torch.Tensor
    measurement: DepthMeasurement
    scored: torch.Tensor


def report(estimator: Estimator) -> str:
    """Return the table of errors with each constant halved and doubled."""
    scenes = real_scenes(estimator)[CHOSEN_REAL] + simulated_views(estimator, CHOSEN_VIEWS)
    pairs = list(simulated_pairs(estimator, *PAIRS))
    cases = list(_cases(scenes, SHOWN, at_given=False)) + list(
        _cases(pairs, ('SGBM',), at_given=True)
    )
    groups = list(dict.fromkeys(case.group for case in cases))
    rows = [['**the package**', *_scores(cases, groups, pairs)]]
    for module, name in CONSTANTS:
        for factor in (0.5, 2.0):
            with _changed(module, name, factor) as value:
                rows.append([f'`{name}` {value}', *_scores(cases, groups, pairs)])
    return (
        f'\n## Constants\n\nHalved and doubled, one at a time. Mean AbsRel of fused on the '
        f'{len(scenes)} scenes that they were chosen on, at pixels that were not given; for SGBM '
        f'of {len(pairs)} pairs at given ones, and the near columns that are right.\n\n'
        + table(['constant', *groups, 'near columns'], rows)
    )


def _cases(scenes: list[Scene], names: tuple[str, ...], at_given: bool) -> Iterator[Case]:
    for seed, scene in enumerate(scenes):
        for network in (TINY, DISTORTED):
            for name in names:
                pattern = PATTERNS[name]
                measured, placed = pattern.measure(scene, seed)
                metric, refusal = metric_depth(
                    MODELS[LOCAL], pattern.source, scene, network, measured
                )
                given = placed.isfinite()
                scored = scene.truth.isfinite() & (given if at_given else ~given)
                if not refusal:
                    yield Case(f'{name}, {network}', scene, metric.inverse_depth, measured, scored)


def _scores(cases: list[Case], groups: list[str], pairs: list[Scene]) -> list[str]:
    errors: dict[str, list[float]] = {group: [] for group in groups}
    for case in cases:
        fused = fusion.fuse(case.aligned, case.scene.color, case.measurement, RANGE)
        errors[case.group].append(abs_rel(fused.inverse_depth, case.scene, case.scored))
    shares, _, _ = shares_right(pairs, (FUSED,))
    return [*(percent(float(np.mean(errors[g]))) for g in groups), f'{shares[FUSED]:.1%}']


@contextmanager
def _changed(module: ModuleType, name: str, factor: float) -> Iterator[Any]:
    """Multiply a constant, and yield its value."""
    before = getattr(module, name)
    value = times_factor(before, factor)
    setattr(module, name, value)
    try:
        yield value
    finally:
        setattr(module, name, before)

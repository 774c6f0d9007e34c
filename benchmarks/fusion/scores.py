"""Errors of every method with every pattern, at pixels that were not given and at those given."""

from dataclasses import dataclass, field

import numpy as np
import torch

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

from ..alignment.table import percent, table
from .methods import (
    FUSED,
    MODELS,
    ORACLE,
    ROBUST,
    WITHOUT_NETWORK,
    abs_rel,
    interpolated,
    metric_depth,
    oracle_line,
    rival_lines,
)
from .patterns import PATTERNS, Pattern
from .scenes import Scene

MEASUREMENT = 'measurement'
REASONS = {
    'is flat': 'flat scene',
    'leave the median depth uncertain': 'uncertain',
    'alignment.min_points': 'too few points',
    'misses by': 'residual',
    'positive': 'no positive scale',
}
"""Part of the text of a refusal -> its class."""


@dataclass
class Scores:
    """Of one pattern and one network: by method the AbsRel of each scene that was not refused.

    Attributes:
        not_given: At pixels that were not measured.
        given: At those that were.
        refusals: Texts.
    """

    not_given: dict[str, list[float]] = field(default_factory=dict)
    given: dict[str, list[float]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    @property
    def refused(self) -> float:
        """Share of scenes that were refused."""
        return len(self.refusals) / max(1, len(self.refusals) + len(self.not_given.get(FUSED, [])))

    def ratio(self, over: str, at_given: bool = False) -> tuple[float, float] | None:
        """Return mean AbsRel of fused over that of another method, and the worst of a scene."""
        errors = self.given if at_given else self.not_given
        if over not in errors or FUSED not in errors:
            return None
        ours, theirs = np.array(errors[FUSED]), np.array(errors[over])
        return float(ours.mean() / theirs.mean()), float((ours / theirs).max())


def score(scenes: list[Scene], networks: tuple[str, ...]) -> dict[tuple[str, str], Scores]:
    """Return the scores by (network, pattern)."""
    found = {(network, name): Scores() for network in networks for name in PATTERNS}
    for seed, scene in enumerate(scenes):
        for network in networks:
            oracle = oracle_line(scene, network)
            for name, pattern in PATTERNS.items():
                measured = pattern.measure(scene, seed)
                if measured is not None:
                    _add(found[network, name], pattern, scene, network, measured, oracle)
    return found


def _add(
    scores: Scores,
    pattern: Pattern,
    scene: Scene,
    network: str,
    measured: tuple[DepthMeasurement, torch.Tensor],
    oracle: torch.Tensor,
) -> None:
    """Add one scene."""
    measurement, placed = measured
    depths = {}
    for name, model in MODELS.items():
        metric, refusal = metric_depth(model, pattern.source, scene, network, measurement)
        if refusal:
            scores.refusals.append(refusal)
            return
        depths[name] = metric.inverse_depth
    depths[ORACLE] = oracle
    depths |= rival_lines(pattern.source, scene, network, measurement)
    # `metric` is that of fused.
    trusted = metric.is_measured
    alone = None if trusted is None else interpolated(placed, trusted)
    if alone is not None:
        depths[WITHOUT_NETWORK] = alone
    known, given = scene.truth.isfinite(), placed.isfinite()
    for name, depth in depths.items():
        scores.not_given.setdefault(name, []).append(abs_rel(depth, scene, known & ~given))
    at_given = {MEASUREMENT: placed, ROBUST: depths[ROBUST], FUSED: depths[FUSED]}
    for name, depth in at_given.items():
        scores.given.setdefault(name, []).append(abs_rel(depth, scene, known & given))


def tables(found: dict[tuple[str, str], Scores]) -> str:
    """Return the tables of errors and refusals."""
    text = ''
    for network in dict.fromkeys(network for network, _ in found):
        text += (
            f'\n### {network}\n\nMean AbsRel at pixels that were not given, over the scenes that '
            'were not refused:\n\n' + _errors(found, network, 'not_given')
        )
        text += '\nAt given pixels:\n\n' + _errors(found, network, 'given')
    return text + '\n### Refused\n\n' + _refusals(found)


def _errors(found: dict[tuple[str, str], Scores], network: str, where: str) -> str:
    by_pattern = {name: getattr(found[network, name], where) for name in PATTERNS}
    methods = dict.fromkeys(method for errors in by_pattern.values() for method in errors)
    rows = [
        [
            f'{pattern} ({len(errors.get(FUSED, []))})',
            *(percent(float(np.mean(errors[m]))) if m in errors else '-' for m in methods),
        ]
        for pattern, errors in by_pattern.items()
    ]
    return table(['pattern (scenes)', *methods], rows)


def _refusals(found: dict[tuple[str, str], Scores]) -> str:
    rows = []
    for (network, pattern), scores in found.items():
        if scores.refusals:
            classes = [_reason(text) for text in scores.refusals]
            counts = {name: classes.count(name) for name in dict.fromkeys(classes)}
            why = ', '.join(f'{count} {name}' for name, count in counts.items())
            rows.append([f'{pattern}, {network}', f'{scores.refused:.0%}', why])
    return table(['pattern', 'share', 'why'], rows)


def _reason(refusal: str) -> str:
    return next((name for part, name in REASONS.items() if part in refusal), refusal)

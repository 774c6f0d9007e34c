"""Measurements that see a room behind a pane: what a limit of uncertainty makes unknown."""

from dataclasses import replace

import numpy as np
import torch

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.reflections import behind_the_network
from mono_depth_ros.core.scale.uncertainty import Uncertainty, remove_uncertain

from ..alignment.table import table
from .methods import FUSED, MODELS, RANGE, estimator_of, prediction_of
from .patterns import PATTERNS, Pattern
from .scenes import DISTORTED, TINY, Scene

SHOWN = ('dense', 'SGBM', '64 beams', '16 beams', 'ToF 8x8', '500 points', '100 points')
FACTORS = (1.6, 2.0, 3.0)
LIMIT = 0.2
PANE = (0.4, 0.25)
"""Height and width of a pane, in shares of the image's."""


def report(scenes: list[Scene]) -> str:
    """Return the table of what is unknown in panes and elsewhere."""
    rows = []
    for name in SHOWN:
        for network in (TINY, DISTORTED):
            found = [
                shares
                for seed, scene in enumerate(scenes)
                if (shares := _shares(PATTERNS[name], scene, network, seed)) is not None
            ]
            doubted, unknown, *panes = np.array(found).T
            means = (f'{values.mean():.1%}' for values in (doubted, unknown, *panes))
            cells = (cell.replace('%', ' %') for cell in means)
            rows.append([f'{name}, {network}', *cells, f'{doubted.max():.1%}'.replace('%', ' %')])
    head = ['pattern, network', 'ordinary scene: in doubt', f'beyond {LIMIT:.0%}']
    head += [f'pane, {factor:g} times as far: beyond {LIMIT:.0%}' for factor in FACTORS]
    return (
        '\n### Reflections\n\nA pane of '
        f'{PANE[0]:.0%} of the height and {PANE[1]:.0%} of the width lies anywhere in the image; '
        'what is measured there is so many times as far as the network sees, as through glass or '
        'in a mirror. Mean share of the pixels of the pane whose stated uncertainty exceeds '
        f'{LIMIT:.0%}; before that, of the same scenes without a pane, of all pixels those that '
        'are taken for a reflection, and those beyond the limit.\n\n'
        + table([*head, 'in doubt, worst scene'], rows)
    )


def _shares(pattern: Pattern, scene: Scene, network: str, seed: int) -> tuple[float, ...] | None:
    """Return the shares of one scene, None if it cannot be measured or is refused."""
    measured = pattern.measure(scene, seed)
    if measured is None:
        return None
    measurement, _ = measured
    height, width = scene.truth.shape
    rng = np.random.default_rng(seed)
    rows, columns = (
        slice(first, first + round(share * side))
        for share, side in zip(PANE, (height, width), strict=True)
        for first in [int(rng.integers(side - round(share * side)))]
    )
    ordinary = _unknown(pattern, scene, network, measurement)
    if ordinary is None:
        return None
    panes = []
    for factor in FACTORS:
        inverse_depth = measurement.inverse_depth.clone()
        inverse_depth[rows, columns] /= factor
        behind = replace(measurement, inverse_depth=inverse_depth)
        found = _unknown(pattern, scene, network, behind)
        if found is None:
            return None
        panes.append(float(found[1][rows, columns].float().mean()))
    return ordinary[0], float(ordinary[1].float().mean()), *panes


def _unknown(
    pattern: Pattern, scene: Scene, network: str, measurement: DepthMeasurement
) -> tuple[float, torch.Tensor] | None:
    """Return the share taken for reflections, and (H, W) bool: what exceeds the limit."""
    prediction = prediction_of(scene, network)
    scale = estimator_of(MODELS[FUSED], pattern.source).update(
        1, prediction, RANGE, lambda: {pattern.source: measurement}
    )
    metric = scale.metric(prediction, RANGE)
    if metric.residuals is None:
        return None
    uncertainty = Uncertainty(metric, prediction, scale)
    known = remove_uncertain(metric.inverse_depth, uncertainty, LIMIT)
    return float((behind_the_network(metric.residuals) > 0).mean()), known.isnan()

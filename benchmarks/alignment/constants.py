"""What halving or doubling a tuned constant of the alignment does, on seeds of the tuning."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale import (
    correspondences,
    fitting,
    image_texture,
    least_squares,
    local_correction,
)
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement

from ..distortions import StereoScene, load_scenes, predict
from ..outliers import Pairs, draw_pairs
from .breakdown import WORST, points_of
from .noise import OUTLIER_SEEDS, OUTLIERS, SEEDS
from .real_stereo import NEAR_FAR, abs_rel, matched
from .table import percent, table

Case = tuple[StereoScene, DepthMeasurement, torch.Tensor]

CONSTANTS: list[tuple[ModuleType, str]] = [
    (fitting, '_TRUNCATED'),
    (fitting, '_CAUCHY_STEPS'),
    (least_squares, 'NEAR'),
    (least_squares, 'TUKEY'),
    (least_squares, '_CAUCHY'),
    (least_squares, '_END'),
    (least_squares, '_SPREAD_RANGE'),
    (correspondences, '_EDGE_RADIUS_PX'),
    (correspondences, '_MAX_BEND'),
    (image_texture, '_TEXTURE_RADIUS_PX'),
    (image_texture, '_MIN_TEXTURE'),
    (correspondences, '_MAX_DISTANCE_CELLS'),
    (correspondences, '_MAX_WEIGHT'),
    (local_correction, '_STIFFNESS'),
    (local_correction, '_RIDGE'),
    (local_correction, '_TILES'),
    (local_correction, '_MIN_GAIN'),
]


def report(stereo: Path) -> str:
    """Return the table of errors with each constant halved and doubled."""
    if not stereo.is_dir():
        return ''
    cases = [
        (scene, measurement, predict(scene.inverse_depth, seed))
        for scene in load_scenes(stereo)
        for measurement in [matched(scene)]
        for seed in SEEDS
    ]
    pairs = [
        draw_pairs(seed, OUTLIERS, kind) for kind in ('plane', 'line') for seed in OUTLIER_SEEDS
    ]
    rows = [['**the package**', *_scores(cases, pairs)]]
    for module, name in CONSTANTS:
        for factor in (0.5, 2.0):
            with _changed(module, name, factor) as value:
                rows.append([f'`{name}` {value}', *_scores(cases, pairs)])
    head = ['constant', 'robust', 'worst', '+ local', 'worst', 'plane, worst', 'line, median']
    return (
        f'\n## Tuned constants\n\nHalved and doubled, one at a time. AbsRel of `robust` and of '
        f'`robust + local` on real stereo ({len(SEEDS)} seeds a scene), and the depth error with '
        f'{OUTLIERS:.0%} outliers ({len(OUTLIER_SEEDS)} views); other seeds than above.\n\n'
        + table(head, rows)
    )


@contextmanager
def _changed(module: ModuleType, name: str, factor: float) -> Iterator[Any]:
    """Multiply a constant wherever it was imported to, and yield its value."""
    before = getattr(module, name)
    value = times_factor(before, factor)
    holders = [m for m in (module, fitting, local_correction) if hasattr(m, name)]
    for holder in holders:
        setattr(holder, name, value)
    local_correction._PENALTY = local_correction._penalty()
    try:
        yield value
    finally:
        for holder in holders:
            setattr(holder, name, before)
        local_correction._PENALTY = local_correction._penalty()


def times_factor(value: Any, factor: float) -> Any:
    """Return a number, or each number of a tuple, multiplied; whole numbers stay whole."""
    if isinstance(value, tuple):
        return tuple(times_factor(item, factor) for item in value)
    return max(1, round(value * factor)) if isinstance(value, int) else value * factor


def _scores(cases: list[Case], pairs: list[Pairs]) -> list[str]:
    plain, local = np.array([_errors(*case) for case in cases]).T
    plane, line = np.split(np.array([_gross(pair) for pair in pairs]), 2)
    shares = plain.mean(), plain.max(), local.mean(), local.max(), plane.max(), np.median(line)
    return [percent(float(share)) for share in shares]


def _errors(
    scene: StereoScene, measurement: DepthMeasurement, prediction: torch.Tensor
) -> tuple[float, float]:
    """Return AbsRel of robust, and of robust with the local correction."""
    random = np.random.default_rng(0)
    points = correspondences.select_correspondences(
        prediction, measurement, NEAR_FAR, random, scene.left
    )
    alignment = fitting.fit_robust(points, random).alignment
    inverse_depth = alignment.inverse_depth(prediction)
    correction = local_correction.fit_local_correction(points, alignment)
    if correction is None:
        return (abs_rel(scene, inverse_depth),) * 2
    factor = correction.factor((prediction.shape[0], prediction.shape[1]))
    return abs_rel(scene, inverse_depth), abs_rel(scene, inverse_depth * factor)


def _gross(pairs: Pairs) -> float:
    try:
        fit = fitting.fit_robust(points_of(pairs), np.random.default_rng(0))
    except AlignmentError:
        return WORST
    return min(pairs.depth_error(fit.alignment), WORST)

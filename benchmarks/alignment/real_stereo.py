"""Distorted truth of real pairs, aligned to their matched disparity, judged by the truth."""

from pathlib import Path

import numpy as np
import torch

from mono_depth_ros.core.local_correction import fit_local_correction
from mono_depth_ros.core.matching import MatchingSettings, match_disparity
from mono_depth_ros.core.points import Points, select_points
from mono_depth_ros.core.stereo import StereoObservation, observe_disparity
from mono_depth_ros.core.types import Alignment

from ..distortions import SEEDS, StereoScene, load_scenes, predict
from .rivals import others, ours
from .table import percent, table

NEAR_FAR = (0.1, 80.0)
LOCAL = 'robust + local'
WITHIN = 1.02


def report(stereo: Path) -> str:
    """Return the table of AbsRel per method and scene."""
    if not stereo.is_dir():
        return f'\n## Real stereo\n\nNot measured: {stereo.name} is not beside the checkout.\n'
    scenes = load_scenes(stereo)
    errors: dict[str, list[float]] = {}
    used = 0
    for scene in scenes:
        observation = matched(scene)
        for seed in SEEDS:
            prediction = predict(scene.inverse_depth, seed)
            points = select_points(
                prediction, observation, NEAR_FAR, np.random.default_rng(0), scene.left
            )
            for name, method in (ours() | others()).items():
                alignment = method(points)
                error = abs_rel(scene, alignment.scale * prediction + alignment.shift)
                errors.setdefault(name, []).append(error)
            corrected, helps = _corrected(points, prediction, ours()['robust'](points))
            errors.setdefault(LOCAL, []).append(abs_rel(scene, corrected))
            used += helps
    return _text(scenes, {name: np.array(values) for name, values in errors.items()}, used)


def matched(scene: StereoScene) -> StereoObservation:
    """Return the scene's disparity by semi-global matching, as inverse depth."""
    settings = MatchingSettings(num_disparities=scene.search_px)
    return observe_disparity(
        match_disparity(scene.left, scene.right, settings),
        scene.focal_px,
        scene.baseline_m,
        doffs_px=scene.doffs_px,
    )


def abs_rel(scene: StereoScene, inverse_depth: torch.Tensor) -> float:
    """Return the mean relative depth error; nothing counts as farther than the farthest truth."""
    known = scene.inverse_depth.isfinite()
    truth = scene.inverse_depth[known]
    return float((truth / inverse_depth[known].clamp(min=float(truth.min())) - 1).abs().mean())


def _corrected(
    points: Points, prediction: torch.Tensor, alignment: Alignment
) -> tuple[torch.Tensor, bool]:
    inverse_depth = alignment.scale * prediction + alignment.shift
    correction = fit_local_correction(points, alignment)
    if correction is None:
        return inverse_depth, False
    return inverse_depth * correction.factor(tuple(prediction.shape)), True


def _text(scenes: list[StereoScene], errors: dict[str, np.ndarray], used: int) -> str:
    lines = {name: values for name, values in errors.items() if name != LOCAL}
    best = np.min(np.stack(list(lines.values())), axis=0)
    rows = []
    for name, values in errors.items():
        ratio = values / best
        rows.append(
            [
                name,
                *(percent(part.mean()) for part in np.split(values, len(scenes))),
                percent(values.mean()),
                f'{ratio.max():.3f}',
                f'{np.mean(ratio <= WITHIN):.0%}',
            ]
        )
    head = ['method', *(s.name for s in scenes), 'mean', 'worst / best', 'within 2 % of the best']
    regression = float((errors[LOCAL] / errors['robust']).max()) - 1
    return (
        '\n## Real stereo\n\nAbsRel of depth against ground truth; the prediction is ground truth '
        f'distorted as in distortions.py, {len(SEEDS)} seeds a scene, aligned to SGBM. The last '
        'columns compare with the best line on the same case.\n\n'
        + table(head, rows)
        + f'\nLocal correction used in {used / len(best):.0%} of the cases; its worst effect on '
        f'one case: {regression:+.1%} of the error of `robust` alone.\n'
    )

"""Distorted truth of real pairs, aligned to matched disparity and evaluated against the truth."""

from pathlib import Path

import numpy as np
import torch

from mono_depth_ros.core.scale.correspondences import (
    Correspondences,
    select_correspondences,
)
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.fitting import METHODS
from mono_depth_ros.core.scale.local_correction import fit_local_correction
from mono_depth_ros.core.scale.stereo_matching import (
    MatchingSettings,
    match_disparity,
)
from mono_depth_ros.core.types import AffineScale

from ..distortions import FURTHER_SEEDS, SEEDS, StereoScene, load_scenes, predict
from .rivals import least_error_line, others, ours
from .table import percent, table

NEAR_FAR = (0.1, 80.0)
LOCAL = 'robust + local'
INFORMED = 'truth at the points'
WITHIN = 1.02


def report(stereo: Path) -> str:
    """Return the table of AbsRel per method and scene."""
    if not stereo.is_dir():
        return f'\n## Real stereo\n\nNot measured: {stereo.name} is not beside the checkout.\n'
    scenes = load_scenes(stereo)
    return _text(scenes, _errors(scenes, SEEDS)) + _further(_errors(scenes, FURTHER_SEEDS))


def _errors(scenes: list[StereoScene], seeds: range) -> dict[str, np.ndarray]:
    """Return AbsRel of every case, by method."""
    errors: dict[str, list[float]] = {}
    methods = ours() | others()
    for scene in scenes:
        observation = matched(scene)
        for seed in seeds:
            prediction = predict(scene.inverse_depth, seed)
            points = select_correspondences(
                prediction, observation, NEAR_FAR, np.random.default_rng(0), scene.left
            )
            lines = {name: method(points) for name, method in methods.items()}
            lines[INFORMED] = _informed(scene, points)
            for name, line in lines.items():
                error = abs_rel(scene, line.scale * prediction + line.shift)
                errors.setdefault(name, []).append(error)
            corrected = _corrected(points, prediction, lines['robust'])
            errors.setdefault(LOCAL, []).append(abs_rel(scene, corrected))
    return {name: np.array(values) for name, values in errors.items()}


def matched(scene: StereoScene) -> DepthMeasurement:
    """Return the scene's disparity by semi-global matching, as inverse depth."""
    settings = MatchingSettings(num_disparities=scene.search_px)
    return measure_disparity(
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


def _informed(scene: StereoScene, points: Correspondences) -> AffineScale:
    """Return the line with the least AbsRel at the points, given the truth there.

    No fit to these points can know more, so what it misses is due to where there are points and
    where there is truth.
    """
    height, width = scene.inverse_depth.shape
    u, v = (points.position * (width, height)).astype(int).T
    truth = scene.inverse_depth.numpy()[v, u].astype(float)
    known = np.isfinite(truth)
    return least_error_line(points.prediction[known], truth[known], points.weight[known])


def _corrected(
    points: Correspondences, prediction: torch.Tensor, alignment: AffineScale
) -> torch.Tensor:
    """Return inverse depth (H, W) [1/m] after the local correction, if it is used."""
    inverse_depth = alignment.scale * prediction + alignment.shift
    correction = fit_local_correction(points, alignment)
    if correction is None:
        return inverse_depth
    return inverse_depth * correction.factor(tuple(prediction.shape))


def _to_the_best(errors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the errors as multiples of the best fit's in each case."""
    fits = [values for name, values in errors.items() if name not in (LOCAL, INFORMED)]
    best = np.min(fits, axis=0)
    return {name: values / best for name, values in errors.items()}


def _among_ours(errors: dict[str, np.ndarray]) -> np.ndarray:
    """Return robust's errors as multiples of those of the best method of the package."""
    ratio: np.ndarray = errors['robust'] / np.min([errors[name] for name in METHODS], axis=0)
    return ratio


def _text(scenes: list[StereoScene], errors: dict[str, np.ndarray]) -> str:
    rows = []
    for name, ratio in _to_the_best(errors).items():
        rows.append(
            [
                name,
                *(percent(part.mean()) for part in np.split(errors[name], len(scenes))),
                percent(errors[name].mean()),
                *_closeness(ratio),
            ]
        )
    head = ['method', *(s.name for s in scenes), 'mean', 'worst / best', 'within 2 % of the best']
    change = errors[LOCAL] / errors['robust']
    worst, count = _closeness(_among_ours(errors))
    return (
        '\n## Real stereo\n\nAbsRel of depth against ground truth; the prediction is ground truth '
        f'distorted as in distortions.py, {len(SEEDS)} seeds a scene, aligned to SGBM. The last '
        'columns compare with the best fit of the same case, whichever it was. '
        f'"{INFORMED}" is no fit: it knows the truth where there are points, and minimizes the '
        'very score there.\n\n'
        + table(head, rows)
        + f'\nAmong the methods of the package alone, {", ".join(METHODS)}, `robust` is '
        f'{worst} times the best of a case at most, and within 2 % of it in {count}.\n\n'
        f'Local correction used in {np.mean(change != 1):.0%} of the cases; its worst effect '
        f'on one case: {change.max() - 1:+.1%} of the error of `robust` alone.\n'
    )


def _further(errors: dict[str, np.ndarray]) -> str:
    """Return how close to the best robust can be at all, on more cases."""
    ratios = _to_the_best(errors)
    rows = [
        [name, percent(errors[name].mean()), *_closeness(ratios[name])]
        for name in ('robust', INFORMED)
    ]
    return (
        f'\nOn {len(FURTHER_SEEDS)} further seeds a scene, a part of the cases is out of reach '
        'even of the truth at the points, because other pixels are evaluated:\n\n'
        + table(['method', 'mean', 'worst / best', 'within 2 % of the best'], rows)
    )


def _closeness(ratio: np.ndarray) -> list[str]:
    return [f'{ratio.max():.3f}', f'{np.sum(ratio <= WITHIN)} of {len(ratio)}']

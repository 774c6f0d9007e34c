"""Measurements that arrive when their image has long been published."""

import numpy as np

from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.simulation.drive import Drive

from ..alignment.table import percent, table
from .methods import MODELS, RANGE, ROBUST, abs_rel, estimator_of, prediction_of
from .scenes import TINY, Scene, drive_scenes

DRIVES = range(70, 74)
RATE_HZ, FRAMES = 10, 40
EVERY, LATE = 3, 3  # frames
WORSE = 1.02  # is worse
FIRST = 6
"""Frame from which errors count: all models have a fit by then."""


def errors(estimator: Estimator) -> dict[str, np.ndarray]:
    """Return (drives, frames) AbsRel of tiny by model."""
    found: dict[str, list[list[float]]] = {name: [] for name in MODELS}
    for seed in DRIVES:
        drive = Drive(seed)
        scenes = list(drive_scenes(estimator, drive, (k / RATE_HZ for k in range(FRAMES))))
        for name, model in MODELS.items():
            found[name].append(_errors(scenes, model))
    return {name: np.array(values) for name, values in found.items()}


def _errors(scenes: list[Scene], model: str) -> list[float]:
    """Return AbsRel of each frame from `FIRST` on."""
    estimator, errors = estimator_of(model, 'disparity'), []
    for k, scene in enumerate(scenes):
        measured = k - LATE
        if measured >= 0 and measured % EVERY == 0:
            evidence = {'disparity': scenes[measured].stereo}
            estimator.observe(_stamp(measured), evidence, RANGE)
        prediction = prediction_of(scene, TINY)
        scale = estimator.update(_stamp(k), prediction, RANGE)
        if k >= FIRST:
            depth = scale.metric(prediction, RANGE).inverse_depth
            errors.append(abs_rel(depth, scene, scene.truth.isfinite()))
    return errors


def _stamp(frame: int) -> int:
    return round(frame / RATE_HZ * 1e9) + 1


def report(found: dict[str, np.ndarray]) -> str:
    """Return the table."""
    rows = []
    for name, values in found.items():
        by_drive = np.nanmean(values, axis=1) / np.nanmean(found[ROBUST], axis=1)
        by_frame = values / found[ROBUST]
        mean, share = float(np.nanmean(values)), float(np.nanmean(by_frame > WORSE))
        worst = f'{by_drive.max():.3f}', f'{np.nanmax(by_frame):.3f}'
        rows.append([name, percent(mean), *worst, f'{share:.0%}'])
    return (
        f'\n## Late measurements\n\n{len(DRIVES)} simulated drives of {FRAMES / RATE_HZ:g} s at '
        f'{RATE_HZ} Hz with {TINY}; SGBM of every {EVERY}rd frame arrives {LATE / RATE_HZ:g} s '
        'late, so no frame is fused with its own. Over `robust`:\n\n'
        + table(['model', 'AbsRel', 'worst drive', 'worst frame', f'frames above {WORSE}'], rows)
    )

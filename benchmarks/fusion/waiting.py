"""Fits that wait until their image is published: which do, and what it costs."""

from dataclasses import replace

import numpy as np

from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.simulation.drive import Drive

from ..alignment.table import percent, table
from .methods import FUSED, MODELS, RANGE, abs_rel, estimator_of, prediction_of
from .patterns import PATTERNS
from .scenes import TINY, Scene, drive_scenes

RATE_HZ, FRAMES = 5, 40
DRIVES = range(80, 84)
"""Others than 70 to 73, on which it was chosen how much a fit may be off and wait."""
WATCHED = 'SGBM', 'dense', '64 beams', '16 beams', '500 points', 'laser row'


def report(estimator: Estimator) -> str:
    """Return the table."""
    drives = [
        list(drive_scenes(estimator, Drive(seed), (k / RATE_HZ for k in range(FRAMES))))
        for seed in DRIVES
    ]
    rows = []
    for name in WATCHED:
        at_once, waited, shares, uncertain = [], [], [], []
        for scenes in drives:
            shown, source = _measured(scenes, name), PATTERNS[name].source
            errors, _, _ = _run(scenes, shown, source, may_wait=False)
            later, share, uncertainty = _run(scenes, shown, source, may_wait=True)
            at_once.append(errors)
            waited.append(later)
            shares.append(share)
            uncertain.append(uncertainty)
        one, two = float(np.nanmean(at_once)), float(np.nanmean(waited))
        worst = max(np.nanmean(b) / np.nanmean(a) for a, b in zip(at_once, waited, strict=True))
        row = [name, percent(np.median(uncertain)), f'{np.mean(shares):.0%}', percent(one)]
        rows.append([*row, percent(two), f'{worst:.3f}'])
    head = ['measured', 'uncertainty', 'wait', 'all at once', 'some wait', 'worst drive']
    return (
        f'\n## Which fits wait\n\n{len(DRIVES)} simulated drives, {FRAMES} images at {RATE_HZ} Hz '
        f'with {TINY}, each measured. AbsRel of the fused depth if every image is fitted to '
        'before it is published, and if a fit waits where the one in force explains the image, '
        'too; the median uncertainty of a fit, the share that waits, and the ratio of the two '
        f'errors in the worst drive:\n\n{table(head, rows)}'
    )


def _measured(scenes: list[Scene], pattern: str) -> list[DepthMeasurement]:
    """Return what a sensor measures of each."""
    found = []
    for k, scene in enumerate(scenes):
        shown = scene if PATTERNS[pattern].mask is None else replace(scene, stereo=None)
        measured = PATTERNS[pattern].measure(shown, k)
        assert measured is not None
        found.append(measured[0])
    return found


def _run(
    scenes: list[Scene], measured: list[DepthMeasurement], source: str, *, may_wait: bool
) -> tuple[list[float], float, float]:
    """Return AbsRel of each image, the share of fits that waited, and their uncertainty."""
    scale = estimator_of(MODELS[FUSED], source, may_wait=may_wait)
    errors, waited, uncertain = [], [], []
    for k, (scene, measurement) in enumerate(zip(scenes, measured, strict=True)):
        prediction, stamp_ns = prediction_of(scene, TINY), round(k / RATE_HZ * 1e9) + 1
        evidence = {source: measurement}
        found = scale.update(stamp_ns, prediction, RANGE, lambda e=evidence: e)
        waited.append(not found.was_measured)
        scale.catch_up()
        if found.applied is None:
            errors.append(float('nan'))
            continue
        assert found.state is not None
        uncertain.append(found.state.uncertainty)
        depth = found.metric(prediction, RANGE).inverse_depth
        errors.append(abs_rel(depth, scene, scene.truth.isfinite()))
    return errors, float(np.mean(waited)), float(np.median(uncertain))

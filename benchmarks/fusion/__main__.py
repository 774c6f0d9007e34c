"""Fused depth measured: by pattern of the measurement, near obstacles, late, time, constants.

python -m benchmarks.fusion writes results/fusion.md and its picture beside this folder. It uses
the real frames and pairs in ../shared, scikit-learn's RANSAC and Huber, and SciPy's triangles.
"""

import argparse
import datetime
import time
from pathlib import Path

import cv2
import torch

from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings

from ..measuring import machine
from . import (
    bars,
    few_points,
    fuse_time,
    halved_doubled,
    late,
    near_columns,
    panes,
    required,
    scores,
    stated_deviation,
    waiting,
)
from .patterns import NOISE, OUTLIERS
from .scenes import (
    DISTORTED,
    DISTORTION,
    JUDGED_DRIVES,
    JUDGED_VIEWS,
    PAIRS_PER_DRIVE,
    SHARED,
    SIZE,
    TINY,
    real_pairs,
    real_scenes,
    simulated_pairs,
    simulated_views,
)

RESULTS = Path(__file__).resolve().parents[1] / 'results'


def main() -> None:
    """Run every part and write the report."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    RESULTS.mkdir(exist_ok=True)
    estimator = load_estimator(EstimatorSettings('tiny', 'relative', device='cpu'))
    real = real_scenes(estimator)
    pairs = list(simulated_pairs(estimator, JUDGED_DRIVES, PAIRS_PER_DRIVE))
    singles = [*real, *simulated_views(estimator, JUDGED_VIEWS)]
    scenes = [*singles, *pairs, *real_pairs(estimator)]
    found = scores.score(scenes, (TINY, DISTORTED))
    bars.draw(RESULTS / 'fusion.png', found)
    stated = stated_deviation.measure(scenes)
    stated_deviation.draw(RESULTS / 'fusion_uncertainty.png', stated)
    near = near_columns.shares_right(pairs)
    lateness, times = late.errors(estimator), fuse_time.measure()
    rows = [*required.of_scores(found), *required.of_others(near[0], lateness, times)]
    text = (
        _head(len(real))
        + required.report(rows)
        + scores.tables(found)
        + stated_deviation.report(stated)
        + panes.report(scenes)
        + few_points.report(singles)
        + near_columns.report(*near)
        + late.report(lateness)
        + waiting.report(estimator)
        + fuse_time.report(times)
        + halved_doubled.report(estimator)
        + f'\nAll of it took {time.process_time():.0f} s of CPU.\n'
    )
    print(text)
    (RESULTS / 'fusion.md').write_text(text)


def _head(real: int) -> str:
    views = f'{JUDGED_VIEWS.start} to {JUDGED_VIEWS.stop - 1}'
    drives = f'{JUDGED_DRIVES.start} to {JUDGED_DRIVES.stop - 1}'
    frames = (
        f'{real} real frames' if SHARED.is_dir() else '(the real ones of ../shared are missing)'
    )
    return (
        f'# Fusion\n\n`OMP_NUM_THREADS=1 python -m benchmarks.fusion`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'Scenes are brought to {SIZE[0]} px of width, to save time: {frames} and simulated views '
        f'{views}; for SGBM simulated pairs of drives {drives}, and real pairs at full size. The '
        'constants of the fusion were chosen on every third of the same real '
        'frames and of other views (90000 to 90015), so the real frames are not all unseen, the '
        f'simulated ones are. Measurements have {NOISE:.0%} noise and {OUTLIERS:.0%} outliers '
        f'unless a pattern says otherwise. Predictions: {TINY}, the embedded network, and '
        f'{DISTORTED}: true inverse depth with a smooth error of {DISTORTION:.0%} and blurred '
        'edges, scaled and shifted. `robust`, `robust + local` and `fused` are what the node '
        'makes of a single image at its default settings but for the model. `without network`: '
        'the measured pixels that fusion trusts, linear between them and nearest outside. '
        '`oracle line`: the scale and shift with the least AbsRel to the truth.\n\n'
        '![AbsRel by pattern](fusion.png)\n'
    )


if __name__ == '__main__':
    main()

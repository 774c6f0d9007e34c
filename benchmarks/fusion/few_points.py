"""How uncertain a fit to few points says it is, and how wrong it is."""

from unittest.mock import patch

import numpy as np

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale import correspondences
from mono_depth_ros.core.scale.correspondences import select_correspondences
from mono_depth_ros.core.scale.fitting import fit_robust

from ..alignment.table import percent, table
from .methods import RANGE, oracle_line
from .patterns import PATTERNS
from .scenes import TINY, Scene

SHOWN = ('64 beams', '16 beams', 'laser row', 'ToF 8x8', '500 points', '100 points', '30 points')
REGIONS = ((6, 5), correspondences._REGIONS, (24, 18))


def report(scenes: list[Scene]) -> str:
    """Return the table of errors and of the stated uncertainty, by number of regions."""
    oracles = [oracle_line(scene, TINY).median() for scene in scenes]
    rows = []
    for name in SHOWN:
        row = [name]
        for regions in REGIONS:
            errors, stated = np.array(_fits(name, scenes, oracles, regions)).T
            if len(row) == 1:
                row.append(percent(float(np.median(np.abs(errors)))))
            within = np.mean(np.abs(errors) < stated)
            row += [percent(float(np.median(stated))), f'{within:.0%}']
        rows.append(row)
    sizes = [f'{columns}x{rows_}' for columns, rows_ in REGIONS]
    head = ['pattern', 'error', *(f'{s}: {w}' for s in sizes for w in ('stated', 'within'))]
    return (
        '\n### Few points\n\nDepth of the median pixel by `robust` with tiny, against that by the '
        'oracle line: the median error, and by regions of the image, within which points count as '
        'one, the median of the stated standard deviation and the share of scenes whose error is '
        f'within it. {len(scenes)} scenes; the package has {sizes[1]} regions.\n\n'
        + table(head, rows)
    )


def _fits(
    name: str, scenes: list[Scene], oracles: list[float], regions: tuple[int, int]
) -> list[tuple[float, float]]:
    """Return error and stated uncertainty of each fit."""
    found = []
    with patch.object(correspondences, '_REGIONS', regions):
        for seed, (scene, oracle) in enumerate(zip(scenes, oracles, strict=True)):
            measured, _ = PATTERNS[name].measure(scene, seed)
            prediction = scene.predictions[TINY]
            random = np.random.default_rng(0)
            try:
                points = select_correspondences(prediction, measured, RANGE, random)
                fit = fit_robust(points, random)
            except AlignmentError:
                continue
            level = fit.alignment.inverse_depth(prediction).median()
            found.append((float(oracle / level - 1), fit.uncertainty))
    return found

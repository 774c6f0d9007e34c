"""How the noise model was chosen: on other seeds than those that are reported."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.scale.correspondences import (
    Correspondences,
    FloatArray,
    select_correspondences,
)
from mono_depth_ros.core.scale.fitting import fit_robust
from mono_depth_ros.core.types import AffineScale

from ..distortions import load_scenes, predict
from ..outliers import Pairs, draw_pairs
from .breakdown import WORST, points_of
from .real_stereo import NEAR_FAR, abs_rel, matched
from .table import percent, table

SEEDS = range(1000, 1020)
OUTLIER_SEEDS = range(100, 140)
OUTLIERS = 0.4
MODEL_ERRORS = (0.0, 0.02, 0.05, 0.1)
NOISES_PX = (0.0, 0.25, 0.5, 1.0)
ASSUMED = (0.05, 0.25)
"""What the package takes."""


@dataclass(frozen=True, eq=False)
class Modeled(Correspondences):
    """Points under another noise model.

    Attributes:
        model_error: The share of inverse depth by which a network errs.
    """

    model_error: float = ASSUMED[0]

    def subset(self, chosen: npt.NDArray[np.bool_]) -> 'Modeled':
        """Return the chosen points only."""
        columns = ('prediction', 'inverse_depth', 'position', 'weight')
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def variance(self, inverse_depth: FloatArray) -> FloatArray:
        """Return the expected variance of prediction minus measurement [1/m^2]."""
        return np.asarray((self.model_error * inverse_depth) ** 2 + self.noise**2)


def report(stereo: Path) -> str:
    """Return the table of AbsRel and of the error with outliers per model."""
    if not stereo.is_dir():
        return ''
    cases = []
    for scene in load_scenes(stereo):
        observation = matched(scene)
        for seed in SEEDS:
            prediction = predict(scene.inverse_depth, seed)
            random = np.random.default_rng(0)
            points = select_correspondences(prediction, observation, NEAR_FAR, random, scene.left)
            cases.append((scene, prediction, points))
    pairs = [draw_pairs(seed, OUTLIERS) for seed in OUTLIER_SEEDS]
    rows = []
    for model_error in MODEL_ERRORS:
        for noise_px in NOISES_PX:
            if not model_error and not noise_px:
                continue
            errors = []
            for scene, prediction, points in cases:
                line = _fitted(points, model_error, noise_px)
                errors.append(abs_rel(scene, line.scale * prediction + line.shift))
            gross = np.array([_gross(pair, model_error, noise_px) for pair in pairs])
            name = f'{model_error:.0%}, {noise_px} px'
            if (model_error, noise_px) == ASSUMED:
                name = f'**{name}**'
            shares = float(np.mean(errors)), float(np.median(gross)), float(gross.max())
            rows.append([name, *map(percent, shares)])
    head = ['model error, noise', 'real stereo, AbsRel', 'outliers, median', 'outliers, worst']
    return (
        '\n## Noise model\n\nWhat `robust` makes of other assumptions about the deviation of '
        'inverse depth, which is a share of it (the network) and a constant (the matcher). '
        f'{len(SEEDS)} seeds a scene of real stereo, and {len(OUTLIER_SEEDS)} views with '
        f'{OUTLIERS:.0%} outliers (plane), other ones than above; bold: the package.\n\n'
        + table(head, rows)
    )


def _fitted(points: Correspondences, model_error: float, noise_px: float) -> AffineScale:
    other = Modeled(
        points.prediction,
        points.inverse_depth,
        points.position,
        points.noise * noise_px / ASSUMED[1],
        points.weight,
        model_error,
    )
    return fit_robust(other, np.random.default_rng(0)).alignment


def _gross(pairs: Pairs, model_error: float, noise_px: float) -> float:
    try:
        return min(pairs.depth_error(_fitted(points_of(pairs), model_error, noise_px)), WORST)
    except AlignmentError:
        return WORST

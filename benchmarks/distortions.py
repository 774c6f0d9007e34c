"""True inverse depth as a network would predict it: the exam of the alignment, fixed beforehand.

The ranges and `SEEDS` were committed before any constant of the alignment was chosen. Constants
are chosen on seeds from 1000 on; what is reported of the methods is measured on `SEEDS`.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

SEEDS = range(20)
FURTHER_SEEDS = range(3000, 3100)

BEND = 0.5
SWING = 0.4
BLUR_PX = (1.0, 3.0)
BLUR_AT_WIDTH = 640
BIAS = (0.03, 0.1)
BIAS_CELLS = (3, 4)
GAIN = (1.0, 20.0)
OFFSET = 5.0


@dataclass(frozen=True, eq=False)
class StereoScene:
    """A real pair with its truth.

    Attributes:
        name: Of the folder.
        left: (H, W, 3) uint8 RGB.
        right: (H, W, 3) uint8 RGB.
        inverse_depth: (H, W) float32 [1/m], truth, NaN unknown.
        focal_px: Focal length [px].
        baseline_m: Distance of the cameras [m].
        doffs_px: cx of the right camera minus cx of the left one [px].
        search_px: Disparities that a matcher has to search.
    """

    name: str
    left: torch.Tensor
    right: torch.Tensor
    inverse_depth: torch.Tensor
    focal_px: float
    baseline_m: float
    doffs_px: float
    search_px: int


def load_scenes(stereo: Path) -> list[StereoScene]:
    """Return the pairs of `../shared/data/stereo` that have ground truth.

    Cones has no published calibration; f and t are set so that it spans 1 to 10 m. Every
    score is relative, so this choice cancels.
    """
    motorcycle = np.load(stereo / 'motorcycle' / 'disp.npz')['arr_0'].astype(np.float32)
    quarters = cv2.imread(str(stereo / 'cones' / 'disp_left.png'), cv2.IMREAD_UNCHANGED)
    cones = np.where(quarters > 0, quarters / 4, np.nan).astype(np.float32)
    return [
        _scene(stereo / 'motorcycle', motorcycle, 994.978, 0.193001, 31.086, 80),
        _scene(stereo / 'cones', cones, 400.0, 0.1375, 0.0, 64),
    ]


def predict(inverse_depth: torch.Tensor, seed: int) -> torch.Tensor:
    """Return (H, W) float32, no unit: the truth bent, biased, blurred, scaled and shifted.

    Bent: n + b n (1 - n) + a sin(2 pi n) / (2 pi), n being inverse depth on 0..1; monotone, since
    |a| + |b| < 1. Biased: times a smooth random field. Blurred: by a Gaussian. Holes of the truth
    are filled from the nearest known pixel, since a network knows no holes.
    """
    rng = np.random.default_rng(seed)
    truth = filled(inverse_depth.numpy())
    height, width = truth.shape
    low, high = truth.min(), truth.max()
    n = (truth - low) / (high - low)
    bend, swing = rng.uniform(-BEND, BEND), rng.uniform(-SWING, SWING)
    bent = n + bend * n * (1 - n) + swing * np.sin(2 * math.pi * n) / (2 * math.pi)
    cells = rng.standard_normal(BIAS_CELLS).astype(np.float32)
    field = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    biased = (low + (high - low) * bent) * (1 + rng.uniform(*BIAS) * field)
    blur_px = rng.uniform(*BLUR_PX) * width / BLUR_AT_WIDTH
    blurred = cv2.GaussianBlur(biased.astype(np.float32), (0, 0), blur_px)
    gain = math.exp(rng.uniform(*np.log(GAIN)))
    return torch.from_numpy((gain * blurred / high + rng.uniform(0, OFFSET)).astype(np.float32))


def _scene(
    folder: Path,
    disparity: np.ndarray,
    focal_px: float,
    baseline_m: float,
    doffs_px: float,
    search_px: int,
) -> StereoScene:
    left, right = (
        torch.from_numpy(cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB))
        for name in ('left.png', 'right.png')
    )
    known = np.where(np.isfinite(disparity), disparity, np.nan)
    inverse_depth = torch.from_numpy((known + doffs_px) / (focal_px * baseline_m)).float()
    return StereoScene(
        folder.name, left, right, inverse_depth, focal_px, baseline_m, doffs_px, search_px
    )


def filled(values: np.ndarray) -> np.ndarray:
    """Return the values with each hole filled from its nearest known pixel, as float64."""
    known = np.isfinite(values)
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros(nearest.max() + 1)
    lookup[nearest[known]] = values[known]
    return lookup[nearest]

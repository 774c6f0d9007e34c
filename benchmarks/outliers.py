"""Points of a simulated view with a known alignment and a known share of gross outliers."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from mono_depth_ros.core.types import AffineScale
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.views import sample_view

SEEDS = range(20)
FIRST_VIEW = 2**41
POINTS = 4096
NOISE = 0.05
SCALE = (0.02, 0.5)
SHIFT = (-0.5, 0.2)
"""Of the least inverse depth in view."""
SPAN = (0.0, 1.5)
"""Uniform outliers, in units of the greatest inverse depth in view."""
WRONG_SLOPE = (0.3, 3.0)


@dataclass(frozen=True, eq=False)
class Pairs:
    """What a network and a matcher say about the same pixels, and the truth.

    Attributes:
        prediction: (N,) float32, exactly affine in the truth.
        measured: (N,) float32 [1/m], with noise and outliers.
        truth: (N,) float32 [1/m].
        position: (N, 2) float32, u and v as shares of width and height.
        alignment: From prediction to truth.
    """

    prediction: torch.Tensor
    measured: torch.Tensor
    truth: torch.Tensor
    position: torch.Tensor
    alignment: AffineScale

    def depth_error(self, found: AffineScale) -> float:
        """Return the median of |z / z* - 1|; a depth that is not positive counts as infinite."""
        inverse = found.scale * self.prediction + found.shift
        error = (self.truth / inverse - 1).abs().masked_fill(inverse <= 0, math.inf)
        return float(error.median())


def draw_pairs(seed: int, share: float, coherent: str = 'plane') -> Pairs:
    """Return points of which `share` are gross outliers: half uniform, half one wrong surface.

    Args:
        seed: Chooses view, alignment, noise and outliers.
        share: Of outliers among all points.
        coherent: What the second half lies on: 'plane', one in space (inverse depth is linear in
            u and v), or 'line', another alignment with a positive scale, which is the worst that
            can happen to a fit of lines.
    """
    rng = np.random.default_rng(seed)
    shot = sample_view(FIRST_VIEW + seed, 96, 72)
    depth = cast(shot.scene, shot.camera, shot.pose).depth.numpy().astype(np.float64)
    v, u = np.divmod(rng.choice(depth.size, POINTS, replace=False), depth.shape[1])
    position = np.stack(((u + 0.5) / depth.shape[1], (v + 0.5) / depth.shape[0]), axis=1)
    truth = 1 / depth[v, u]
    scale = math.exp(rng.uniform(*np.log(SCALE)))
    shift = rng.uniform(*SHIFT) * truth.min()
    prediction = (truth - shift) / scale
    measured = truth * (1 + NOISE * rng.standard_normal(POINTS))
    gross = rng.permutation(POINTS)[: round(share * POINTS)]
    uniform, wrong = gross[::2], gross[1::2]
    measured[uniform] = rng.uniform(*SPAN, len(uniform)) * truth.max()
    if coherent == 'plane':
        surface = _plane(rng, position, truth)
    else:
        slope = math.exp(rng.uniform(*np.log(WRONG_SLOPE)))
        surface = np.median(truth) + slope * (truth - np.median(truth)) + 0.5 * truth.max()
    measured[wrong] = surface[wrong] * (1 + NOISE * rng.standard_normal(len(wrong)))
    measured = measured.clip(min=1e-3)

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.float32))

    return Pairs(
        tensor(prediction),
        tensor(measured),
        tensor(truth),
        tensor(position),
        AffineScale(scale, shift),
    )


def _plane(rng: np.random.Generator, position: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return inverse depth of a random plane that runs through the scene's range."""
    low, high = np.quantile(truth, (0.05, 0.95))
    corners = rng.uniform(low, high, 3)
    u, v = position.T
    return corners[0] + u * (corners[1] - corners[0]) + v * (corners[2] - corners[0])

"""Which pixels sensors measure, and how wrongly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement, measure_depth

from .scenes import Scene

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Mask = Callable[[tuple[int, int], np.random.Generator], Flags]

NOISE, OUTLIERS = 0.02, 0.1
REMOVED = 0.25  # of a dense measurement
ZONES = 8
POINT_NOISE, POINT_NOISE_M = 0.02, 0.02
"""What source `points` states."""


@dataclass(frozen=True)
class Pattern:
    """How a sensor measures.

    Attributes:
        mask: Returns the pixels of an image (H, W) that it measures; None for matched stereo.
        source: Of measurements, whose noise they state.
        noise: Standard deviation of measured depth, relative to it.
        outliers: Share of measured pixels that have nothing to do with the truth.
        on_wall: Whether outliers lie on one wrong wall instead of anywhere.
        is_image: Whether zones come as an image of that many pixels.
    """

    mask: Mask | None
    source: str = 'depth'
    noise: float = NOISE
    outliers: float = OUTLIERS
    on_wall: bool = False
    is_image: bool = False

    def measure(self, scene: Scene, seed: int) -> tuple[DepthMeasurement, torch.Tensor] | None:
        """Return the measurement, and inverse depth (H, W) at the pixels of the image it is of.

        None if the scene cannot be measured like this.
        """
        if (self.mask is None) != (scene.stereo is not None):
            return None
        if scene.stereo is not None:
            return scene.stereo, scene.stereo.inverse_depth
        rng = np.random.default_rng(seed)
        truth = scene.truth.numpy()
        given = np.isfinite(truth) & self.mask(truth.shape, rng)
        placed = torch.from_numpy(np.where(given, self._disturbed(truth, rng), np.nan))
        placed = placed.float()
        if self.is_image:
            v, u = _zones(truth.shape)
            return self._stated(placed[v][:, u]), placed
        return self._stated(placed), placed

    def _disturbed(self, truth: Floats, rng: np.random.Generator) -> Floats:
        """Return inverse depth with noise and outliers."""
        depth = 1 / truth
        noise = 1 + self.noise * rng.standard_normal(truth.shape)
        low, middle, high = np.nanquantile(depth, (0.02, 0.5, 0.98))
        if self.on_wall:
            wrong = middle * rng.uniform(0.4, 0.8) * noise
        else:
            wrong = rng.uniform(0.5 * low, 1.5 * high, truth.shape)
        return 1 / np.where(rng.random(truth.shape) < self.outliers, wrong, depth * noise)

    def _stated(self, inverse_depth: torch.Tensor) -> DepthMeasurement:
        if self.source == 'points':
            return DepthMeasurement(
                inverse_depth, 0.0, relative_noise=POINT_NOISE, depth_noise_m=POINT_NOISE_M
            )
        return measure_depth(inverse_depth.reciprocal())


def _blocks(size: tuple[int, int], rng: np.random.Generator) -> Flags:
    """Return all pixels but those of random blocks."""
    kept = np.ones(size, np.bool_)
    while kept.mean() > 1 - REMOVED:
        height, width = (int(side * rng.uniform(0.08, 0.25)) for side in size)
        v, u = (rng.integers(a - b) for a, b in zip(size, (height, width), strict=True))
        kept[v : v + height, u : u + width] = False
    return kept


def _rows(low: float, high: float, count: int) -> Mask:
    """Return rows between two shares of the height."""

    def mask(size: tuple[int, int], rng: np.random.Generator) -> Flags:
        flags = np.zeros(size, np.bool_)
        flags[np.linspace(low * size[0], high * size[0], count).astype(int)] = True
        return flags

    return mask


def _points(count: int) -> Mask:
    """Return random pixels."""

    def mask(size: tuple[int, int], rng: np.random.Generator) -> Flags:
        flags = np.zeros(size, np.bool_)
        flags.flat[rng.choice(flags.size, count, replace=False)] = True
        return flags

    return mask


def _zones(size: tuple[int, int]) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Return the rows and the columns at the centers of 8x8 zones."""
    v, u = (((np.arange(ZONES) + 0.5) / ZONES * side).astype(int) for side in size)
    return v, u


def _at_zones(size: tuple[int, int], rng: np.random.Generator) -> Flags:
    flags = np.zeros(size, np.bool_)
    flags[np.ix_(*_zones(size))] = True
    return flags


_BEAMS_64 = _rows(0.1, 0.95, 64)
PATTERNS = {
    'dense': Pattern(_blocks),
    'dense, no outliers': Pattern(_blocks, outliers=0.0),
    'SGBM': Pattern(None, 'disparity'),
    '64 beams': Pattern(_BEAMS_64, 'points'),
    '64 beams, 40 % outliers': Pattern(_BEAMS_64, 'points', outliers=0.4),
    '64 beams, 60 % outliers': Pattern(_BEAMS_64, 'points', outliers=0.6),
    '64 beams, 40 % on a wall': Pattern(_BEAMS_64, 'points', outliers=0.4, on_wall=True),
    '64 beams, 60 % on a wall': Pattern(_BEAMS_64, 'points', outliers=0.6, on_wall=True),
    '16 beams': Pattern(_rows(0.2, 0.9, 16), 'points'),
    'laser row': Pattern(_rows(0.55, 0.55, 1), 'points'),
    'ToF 8x8': Pattern(_at_zones, 'points'),
    'ToF 8x8, as image': Pattern(_at_zones, is_image=True),
    '500 points': Pattern(_points(500), 'points'),
    '100 points': Pattern(_points(100), 'points'),
    '30 points': Pattern(_points(30), 'points'),
    '10 points': Pattern(_points(10), 'points'),
}
DENSE = tuple(name for name in PATTERNS if name.startswith(('dense', 'SGBM', '64', '16')))
"""From 16 beams up."""

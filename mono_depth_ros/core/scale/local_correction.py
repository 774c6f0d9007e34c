"""Correction of what one scale and shift cannot fit: a smooth field of factors."""

from dataclasses import dataclass

import numpy as np
import torch

from ..types import AffineScale
from .correspondences import Correspondences, FloatArray
from .fitting import inliers
from .least_squares import tukey_weights

# Chosen by `Tuned constants` in benchmarks/results/alignment.md, stiffer than the best there: real
# networks err less smoothly.
_COLUMNS, _ROWS = 8, 6
_STIFFNESS = 0.01  # penalty on second differences of the field
_RIDGE = 0.03  # penalty on its distance from 0
_TILES = 16
_MIN_GAIN = 0.1  # share of the error of held-out points that the field must remove
_HALF_LIFE_S = 0.3  # `Late measurements` in benchmarks/results/fusion.md: 1.0 is too slow


@dataclass(frozen=True, eq=False)
class LocalCorrection:
    """Smooth factors on the inverse depth of a global fit.

    Attributes:
        log_factor: (rows, columns) float64, at nodes that span the image from edge to edge.
        gain: Share by which it reduces the error of held-out points.
    """

    log_factor: FloatArray
    gain: float

    def faded(self, age_s: float) -> 'LocalCorrection':
        """Return the field after an age [s]: it fades, since the view changes."""
        return LocalCorrection(self.log_factor * 0.5 ** (abs(age_s) / _HALF_LIFE_S), self.gain)

    def factor(self, size: tuple[int, int], device: torch.device | str = 'cpu') -> torch.Tensor:
        """Return (*size) float32 factors of inverse depth, for a (height, width) [px]."""
        height, width = size
        rows = _hats((np.arange(height) + 0.5) / height, _ROWS)
        columns = _hats((np.arange(width) + 0.5) / width, _COLUMNS)
        left, nodes, right = (
            torch.from_numpy(matrix).to(device=device, dtype=torch.float32)
            for matrix in (rows, self.log_factor, columns.T)
        )
        return (left @ nodes @ right).exp_()


def fit_local_correction(
    points: Correspondences, alignment: AffineScale
) -> LocalCorrection | None:
    """Return the field of the log of measured over aligned inverse depth; None if it is useless.

    Fitted to the inliers, bilinear between nodes, with penalties on second differences and on
    distance from 0. A fixed quarter of the image's tiles is held out; unless their error falls by
    `_MIN_GAIN`, there is no field. Whole tiles, since neighboring points have correlated errors.
    """
    aligned = alignment.inverse_depth(torch.from_numpy(points.prediction)).numpy()
    usable = inliers(points, alignment) & (aligned > 0)
    chosen = points.subset(usable)
    target = np.log(chosen.inverse_depth / aligned[usable])
    tile = (chosen.position * _TILES).astype(np.intp)
    held_out = (tile[:, 0] + 2 * tile[:, 1]) % 4 == 0
    if min(held_out.sum(), (~held_out).sum()) < _COLUMNS * _ROWS:
        return None
    basis = _basis(chosen.position)
    nodes = _fitted_nodes(basis[~held_out], target[~held_out], chosen.weight[~held_out])
    remaining = np.abs(target - basis @ nodes)
    weight = chosen.weight[held_out]
    before, after = weight @ np.abs(target[held_out]), weight @ remaining[held_out]
    if not after < (1 - _MIN_GAIN) * before:
        return None
    return LocalCorrection(nodes.reshape(_ROWS, _COLUMNS), float(1 - after / before))


def _fitted_nodes(basis: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the nodes of the penalized fit, reweighted once against outliers."""
    robust = np.ones(1)
    for _ in range(2):
        w = weight * robust * (_COLUMNS * _ROWS / len(target))
        normal = (basis.T * w) @ basis + _PENALTY
        nodes = np.linalg.solve(normal, basis.T @ (w * target)).astype(np.float64)
        square = (target - basis @ nodes) ** 2
        robust = tukey_weights(square / max(float(np.median(square)), 1e-12))
    return nodes


def _basis(position: FloatArray) -> FloatArray:
    """Return (N, rows * columns): each point's weights of the nodes."""
    u, v = _hats(position[:, 0], _COLUMNS), _hats(position[:, 1], _ROWS)
    return (v[:, :, None] * u[:, None, :]).reshape(len(position), -1)


def _hats(share: FloatArray, count: int) -> FloatArray:
    """Return (N, count): linear interpolation at shares 0..1 of a row of nodes."""
    return (1 - np.abs(share[:, None] * (count - 1) - np.arange(count))).clip(min=0)


def _penalty() -> FloatArray:
    """Return the quadratic form of second differences along u and v and of distance from 0."""
    across, down = (np.diff(np.eye(count), 2, axis=0) for count in (_COLUMNS, _ROWS))
    along_u = np.kron(np.eye(_ROWS), across.T @ across)
    along_v = np.kron(down.T @ down, np.eye(_COLUMNS))
    return _STIFFNESS * (along_u + along_v) + _RIDGE * np.eye(_ROWS * _COLUMNS)


_PENALTY = _penalty()

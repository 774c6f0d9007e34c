"""What one scale and shift leave over: a smooth field of factors on inverse depth."""

from dataclasses import dataclass

import numpy as np
import torch

from ..types import AffineScale
from .correspondences import Correspondences, FloatArray
from .fitting import inliers
from .robust_weights import tukey_weights

_COLUMNS, _ROWS = 8, 6
_STIFFNESS = 0.01
_RIDGE = 0.03
_TILES = 16
_MIN_GAIN = 0.1
_HALF_LIFE_S = 1.0


@dataclass(frozen=True, eq=False)
class LocalCorrection:
    """Factors on the inverse depth of a global fit.

    Attributes:
        log_factor: (rows, columns) float64, at nodes that span the image from edge to edge.
        gain: Share of the error of held-out points that it removes.
    """

    log_factor: FloatArray
    gain: float

    def faded(self, age_s: float) -> 'LocalCorrection':
        """Return what is left of it after an age [s]: the view moves on, the field does not."""
        return LocalCorrection(self.log_factor * 0.5 ** (abs(age_s) / _HALF_LIFE_S), self.gain)

    def factor(self, size: tuple[int, int], device: torch.device | str = 'cpu') -> torch.Tensor:
        """Return (*size) float32 by which to multiply inverse depth, or to divide depth."""
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
    """Return the field that explains what the global fit leaves over, None if it explains nothing.

    Fitted at the inliers is the log of measured over aligned inverse depth, bilinear between
    nodes, penalized for bends and for distance from 0. A fixed quarter of the image's tiles is
    held out, and unless their error falls clearly, the field is not used: points closer than a
    tile err together, and would prove nothing.
    """
    aligned = alignment.scale * points.prediction + alignment.shift
    usable = inliers(points, alignment) & (aligned > 0)
    chosen = points.taken(usable)
    target = np.log(chosen.inverse_depth / aligned[usable])
    tile = (chosen.position * _TILES).astype(np.intp)
    held_out = (tile[:, 0] + 2 * tile[:, 1]) % 4 == 0
    if min(held_out.sum(), (~held_out).sum()) < _COLUMNS * _ROWS:
        return None
    basis = _basis(chosen.position)
    nodes = _solved(basis[~held_out], target[~held_out], chosen.weight[~held_out])
    left_over = np.abs(target - basis @ nodes)
    weight = chosen.weight[held_out]
    before, after = weight @ np.abs(target[held_out]), weight @ left_over[held_out]
    if not after < (1 - _MIN_GAIN) * before:
        return None
    return LocalCorrection(nodes.reshape(_ROWS, _COLUMNS), float(1 - after / before))


def _solved(basis: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the nodes of the penalized fit, reweighted once against what does not fit."""
    nodes = _ridge(basis, target, weight)
    square = (target - basis @ nodes) ** 2
    return _ridge(
        basis, target, weight * tukey_weights(square / max(float(np.median(square)), 1e-12))
    )


def _ridge(basis: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    w = weight * (_COLUMNS * _ROWS / len(target))
    normal = (basis.T * w) @ basis + _PENALTY
    return np.linalg.solve(normal, basis.T @ (w * target)).astype(np.float64)


def _basis(position: FloatArray) -> FloatArray:
    """Return (N, rows * columns): each point's weights of the nodes."""
    u, v = _hats(position[:, 0], _COLUMNS), _hats(position[:, 1], _ROWS)
    return (v[:, :, None] * u[:, None, :]).reshape(len(position), -1)


def _hats(share: FloatArray, count: int) -> FloatArray:
    """Return (N, count): linear interpolation at shares 0..1 of a row of nodes."""
    hats: FloatArray = (1 - np.abs(share[:, None] * (count - 1) - np.arange(count))).clip(min=0)
    return hats


def _penalty() -> FloatArray:
    """Return the quadratic form of bends along u and v, and of distance from 0."""

    def bends(count: int) -> FloatArray:
        difference: FloatArray = np.diff(np.eye(count), 2, axis=0)
        return difference.T @ difference

    stiff = np.kron(np.eye(_ROWS), bends(_COLUMNS)) + np.kron(bends(_ROWS), np.eye(_COLUMNS))
    penalty: FloatArray = _STIFFNESS * stiff + _RIDGE * np.eye(_ROWS * _COLUMNS)
    return penalty


_PENALTY = _penalty()

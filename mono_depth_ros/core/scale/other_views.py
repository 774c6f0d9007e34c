"""Other views than the camera's that measurements may be of: another lens, mirrored, turned."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from .correspondences import Correspondences, FloatArray
from .rank_correlation import correlations, ranks

_GRID = 64  # columns of the prediction that is looked up in
_MOST_POINTS = 600
_FEWEST_POINTS = 30
_MARGIN = 0.02
_ALL = 0.99  # no correlation counts as more
_LEAST_HEIGHT = 0.06  # deviation of v below which points are taken for one row
_SAME_ROW = 0.03  # of the height

Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class OtherView:
    """Where the image would show what was measured, if it was not measured of its view.

    Attributes:
        name: What it is, after 'what is measured would fit the prediction better if'.
        matrix: Takes pixels from the middle of the image to pixels from there.
        shift: Added to it, as shares of the width and the height.
    """

    name: str
    matrix: Matrix = ((1, 0), (0, 1))
    shift: tuple[float, float] = (0, 0)

    def places(self, position: FloatArray, aspect: float) -> FloatArray:
        """Return (N, 2) shares of width and height for such; aspect is width over height."""
        to_pixels = np.array((aspect, 1.0))
        moved = ((position - 0.5) * to_pixels) @ np.array(self.matrix).T / to_pixels
        placed: FloatArray = moved + 0.5 + self.shift
        return placed


def _zoomed(factor: float) -> OtherView:
    name = f'the focal length were about {factor:g} times that of camera_info'
    return OtherView(name, ((factor, 0), (0, factor)))


def _moved(right: float) -> OtherView:
    side = 'right' if right > 0 else 'left'
    return OtherView(f'it lay {abs(right):.0%} of the width farther {side}', shift=(right, 0))


OTHER_VIEWS = (
    *map(_zoomed, (0.5, 0.7, 0.8, 1.25, 1.4, 2.0)),
    OtherView('the image were mirrored left to right', ((-1, 0), (0, 1))),
    OtherView('the image were mirrored top to bottom', ((1, 0), (0, -1))),
    OtherView('the image were upside down', ((-1, 0), (0, -1))),
    OtherView('the image were turned by 90 degrees', ((0, -1), (1, 0))),
    OtherView('the image were turned by 90 degrees', ((0, 1), (-1, 0))),
    *map(_moved, (-0.25, -0.12, 0.12, 0.25)),
)
"""None lies higher or lower: where a network sees little, it still has what is below near."""


def view_grid(prediction: torch.Tensor) -> FloatArray:
    """Return the prediction (H, W) at about `_GRID` columns, as (h, w) on the CPU."""
    step = max(1, prediction.shape[1] // (2 * _GRID))
    some = prediction[::step, ::step].float().cpu().numpy()
    height, width = some.shape
    columns = min(_GRID, width)
    size = columns, max(1, round(height * columns / width))
    return np.asarray(cv2.resize(some, size, interpolation=cv2.INTER_AREA), np.float64)


def agreements(grid: FloatArray, points: Correspondences) -> FloatArray:
    """Return (2, K): how well points go with the prediction here, and in each of `OTHER_VIEWS`.

    It is Fisher's z of the correlation of ranks (its artanh, whose error does not depend on it),
    those among all of the image and among all points, of those points that lie within both views;
    NaN where they are few. Of points in a few rows it is left open whether they lie higher or
    lower: one row fits many another one.
    """
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    position, measured = points.position[::step], ranks(points.measured[::step])
    aspect = grid.shape[1] / grid.shape[0]
    places = np.stack([view.places(position, aspect) for view in OTHER_VIEWS])
    seen = np.where(np.isnan(grid), np.nan, ranks(grid.ravel()).reshape(grid.shape))
    here, there = _sampled(seen, position[None])[0], _sampled(seen, places)
    inside = (np.abs(places - 0.5) < 0.5 - _MARGIN).all(axis=2)
    inside &= np.isfinite(here) & np.isfinite(there)
    is_open = inside.sum(axis=1) < _FEWEST_POINTS
    if position[:, 1].std() < _LEAST_HEIGHT:
        is_open |= np.abs(places - position)[..., 1].mean(axis=1) > _SAME_ROW
    pair = [correlations(ranked, measured, inside) for ranked in (here, there)]
    return np.where(is_open, np.nan, np.arctanh(np.clip(pair, -_ALL, _ALL)))


def _sampled(grid: FloatArray, places: FloatArray) -> FloatArray:
    """Return (K, N) of the grid (h, w) at shares of width and height (K, N, 2)."""
    size = np.array(grid.shape[::-1])
    u, v = np.moveaxis((places * size - 0.5).astype(np.float32), 2, 0)
    u, v = np.ascontiguousarray(u), np.ascontiguousarray(v)
    found = cv2.remap(grid, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float64)

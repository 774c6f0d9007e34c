"""Pairs of prediction and measurement for a fit: reliable, and spread over the whole view."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ..errors import AlignmentError
from ..types import PredictionKind
from .depth_measurement import DepthMeasurement
from .image_texture import is_matchable
from .scale_settings import MAX_POINTS

FloatArray = npt.NDArray[np.float64]

_MIN_LATTICE_POINTS = 512  # with fewer measured on the lattice, all measured pixels are searched
_MODEL_ERROR = 0.05
"""Standard deviation of a network's inverse depth, relative to it: `Noise model` in
benchmarks/results/alignment.md."""
# Those below: `Tuned constants` in benchmarks/results/alignment.md.
_EDGE_RADIUS_PX = 2
_MIN_EDGE_WIDTH = 32  # of a measurement whose pixels are close enough to show an edge
_MIN_RELIABLE = 0.05  # share of the pixels of a dense measurement
_MAX_BEND = 2.0  # second difference of inverse depth over `_EDGE_RADIUS_PX`, in deviations
_CELLS = (128, 96)  # columns and rows of the grid on which points get the area around as weight
_MAX_DISTANCE_CELLS = 16
_MAX_WEIGHT = 10.0  # in units of the mean weight
_STEP = 8  # px, of the pixels whose prediction has a median
_FARTHEST = 0.01  # share of those that are farther than the farthest that counts
_REGIONS = (12, 9)
"""Columns and rows of regions: errors of a network are correlated within one, so its points count
as one in the covariance of a fit: `Few points` in benchmarks/results/fusion.md."""


@dataclass(frozen=True, eq=False)
class Correspondences:
    """Pairs of prediction and measurement, so few that the CPU is faster than a GPU.

    Attributes:
        prediction: (N,) float64.
        inverse_depth: (N,) float64 [1/m], measured.
        position: (N, 2) float64, u and v as shares of width and height.
        noise: Standard deviation of the measurement [1/m], of all or (N,) of each.
        weight: (N,) float64, number of points that each represents.
        typical: Median of the prediction over the image, NaN where it is that of the points.
        farthest: The same of the hundredth that is farthest.
        is_common: (N,) bool, whether an error is common to these points; None if to none.
        quantity: What is fitted to the prediction, see `AffineScale`.
        is_absolute: Whether 0 is meant to be infinitely far, as by a network with meters.
    """

    prediction: FloatArray
    inverse_depth: FloatArray
    position: FloatArray
    noise: FloatArray | float
    weight: FloatArray
    typical: float = math.nan
    farthest: float = math.nan
    is_common: npt.NDArray[np.bool_] | None = None
    quantity: PredictionKind = PredictionKind.INVERSE_DEPTH
    is_absolute: bool = False

    def __len__(self) -> int:
        return len(self.prediction)

    def subset(self, chosen: npt.NDArray[np.bool_]) -> 'Correspondences':
        """Return the points where `chosen` (N,) is true."""
        return replace(
            self,
            prediction=self.prediction[chosen],
            inverse_depth=self.inverse_depth[chosen],
            position=self.position[chosen],
            noise=np.broadcast_to(self.noise, chosen.shape)[chosen],
            weight=self.weight[chosen],
            is_common=None if self.is_common is None else self.is_common[chosen],
        )

    @cached_property
    def measured(self) -> FloatArray:
        """(N,) of the quantity."""
        is_depth = self.quantity is PredictionKind.DEPTH
        return 1 / self.inverse_depth if is_depth else self.inverse_depth

    @cached_property
    def middle(self) -> float:
        """Median of what was measured."""
        return float(np.median(self.measured))

    @cached_property
    def regions(self) -> int:
        """Number of regions of the image that hold points, 1 to 108.

        Points with a common error are one region.
        """
        if self.is_common is not None and 0 < self.is_common.sum() < len(self):
            own = replace(self.subset(~self.is_common), is_common=None)
            return own.regions + 1
        region = (self.position * _REGIONS).astype(np.intp).clip(0, np.array(_REGIONS) - 1)
        return len(np.unique(region[:, 0] + _REGIONS[0] * region[:, 1]))

    def variance(self, values: FloatArray) -> FloatArray:
        """Return the expected variance of prediction minus measurement, at predicted values.

        The error of stereo is constant in pixels, hence in inverse depth q, and two depths differ
        by Z1 Z2 (q2 - q1); that of a network is proportional to the quantity.
        """
        is_depth = self.quantity is PredictionKind.DEPTH
        noise = self.noise * self.measured * values if is_depth else self.noise
        variance: FloatArray = (_MODEL_ERROR * values) ** 2 + np.square(noise)
        return variance


def select_correspondences(
    prediction: torch.Tensor,
    measurement: DepthMeasurement,
    depth_range: tuple[float, float],
    random: np.random.Generator,
    image: torch.Tensor | None = None,
    quantity: PredictionKind = PredictionKind.INVERSE_DEPTH,
    *,
    is_absolute: bool = False,
) -> Correspondences:
    """Return pairs at measured pixels, without depth edges and unreliable matches.

    The prediction (H, W) float32 is sampled at the centers of the measured pixels; the measurement
    is never interpolated. At depth edges the two locate the edge differently. Where the image has
    no texture or is saturated, a matcher is unreliable.

    Args:
        prediction: On any device; measurement and image are on the same and show the same view,
            at any resolution.
        measurement: What was measured.
        depth_range: Nearest and farthest depth of the points [m].
        random: Source of the offset of the lattice of pixels.
        image: (h, w) or (h, w, 3) uint8, if the measurement came from matching images.
        quantity: What is affine in the prediction.
        is_absolute: See `Correspondences`.

    Raises:
        AlignmentError: Next to no pixel of a dense measurement is reliable, or it has a fault.
    """
    measured = measurement.inverse_depth
    height, width = measured.shape
    v, u = _measured_pixels(measured, depth_range, random)
    if measurement.fault and len(v):
        raise AlignmentError(measurement.fault)
    value = measured[v, u]
    keep = ~_is_edge(measured, v, u, value, measurement.noise)
    if image is not None:
        keep &= is_matchable(image, (v + 0.5) / height, (u + 0.5) / width)
    _require_reliable(keep)
    v, u, value = v[keep], u[keep], value[keep]
    x, y = (u + 0.5) / width, (v + 0.5) / height
    sampled = F.grid_sample(
        prediction[None, None],
        torch.stack((2 * x - 1, 2 * y - 1), dim=-1)[None, None].to(prediction.dtype),
        align_corners=False,
        padding_mode='border',
    )[0, 0, 0]
    noise = measurement.variance(value).sqrt()
    columns = torch.stack((sampled, value, x, y, noise)).cpu().numpy().astype(np.float64)
    p, q, x_share, y_share, sigma = columns[:, np.isfinite(columns[0])]
    position = np.stack((x_share, y_share), axis=1)
    some = prediction[::_STEP, ::_STEP].flatten()
    far = 1 - _FARTHEST if quantity is PredictionKind.DEPTH else _FARTHEST
    farthest, typical = some.nanquantile(torch.tensor((far, 0.5)).to(some)).tolist()
    of_image = area_weights(position), typical, farthest
    return Correspondences(
        *(p, q, position, sigma, *of_image), quantity=quantity, is_absolute=is_absolute
    )


def area_weights(position: FloatArray) -> FloatArray:
    """Return (N,) weights, of mean 1, by which every image region counts equally.

    Each cell of a grid, measured or not, adds to the weight of the nearest position, unless that
    is far away. The errors of a network are correlated within a region, so more points there add
    no information; and depth is published where nothing was measured, too.
    """
    if not len(position):
        return np.ones(0)
    columns, rows = _CELLS
    u, v = (position * _CELLS).astype(np.intp).T
    u, v = u.clip(0, columns - 1), v.clip(0, rows - 1)
    is_free = np.ones((rows, columns), np.uint8)
    is_free[v, u] = 0
    distance, nearest = cv2.distanceTransformWithLabels(
        is_free, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    own = nearest[v, u]
    area = np.bincount(nearest[distance <= _MAX_DISTANCE_CELLS])
    weight = (area / np.bincount(own).clip(min=1))[own]
    weight = np.minimum(weight, _MAX_WEIGHT * weight.mean())
    normalized: FloatArray = weight / weight.mean()
    return normalized


def _measured_pixels(
    measured: torch.Tensor, depth_range: tuple[float, float], random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return v and u of at most `MAX_POINTS` pixels in range: on a lattice, if it has enough."""
    height, width = measured.shape
    near, far = depth_range
    low, high = 1 / far, 1 / max(near, 1e-6)
    stride = int(np.ceil(np.sqrt(height * width / MAX_POINTS)))
    v0, u0 = (int(random.integers(min(stride, side))) for side in (height, width))
    lattice = measured[v0::stride, u0::stride]
    v, u = ((lattice >= low) & (lattice <= high)).nonzero().unbind(1)
    if len(v) >= _MIN_LATTICE_POINTS or stride == 1:
        v, u = v * stride + v0, u * stride + u0
    else:
        v, u = ((measured >= low) & (measured <= high)).nonzero().unbind(1)
    if len(v) > MAX_POINTS:
        chosen = torch.from_numpy(random.permutation(len(v))[:MAX_POINTS]).to(v.device)
        v, u = v[chosen], u[chosen]
    return v, u


def _require_reliable(keep: torch.Tensor) -> None:
    """Refuse a dense measurement that is noise, of which next to nothing is smooth."""
    count, reliable = len(keep), int(keep.sum())
    if count >= _MIN_LATTICE_POINTS and 0 < reliable < _MIN_RELIABLE * count:
        raise AlignmentError(
            f'{reliable} of {count} measured pixels lie neither at a depth edge nor where the '
            'image has no texture or is saturated',
            'the measurement is noise, or too noisy for what it states',
        )


def _is_edge(
    measured: torch.Tensor, v: torch.Tensor, u: torch.Tensor, value: torch.Tensor, noise: float
) -> torch.Tensor:
    """Return where inverse depth, which is linear on any plane, bends by more than noise."""
    height, width = measured.shape
    if width < _MIN_EDGE_WIDTH:
        return torch.zeros_like(value, dtype=torch.bool)
    limit = _MAX_BEND * ((_MODEL_ERROR * value).square() + noise**2).sqrt()
    bent = torch.zeros_like(value, dtype=torch.bool)
    for dv, du in ((_EDGE_RADIUS_PX, 0), (0, _EDGE_RADIUS_PX)):
        before = measured[(v - dv).clamp(min=0), (u - du).clamp(min=0)]
        behind = measured[(v + dv).clamp(max=height - 1), (u + du).clamp(max=width - 1)]
        bent |= (before + behind - 2 * value).abs() > limit
    return bent

"""True depth smeared as networks smear it: what flies, what is surface, and thin objects."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.network.preprocessing import network_size
from mono_depth_ros.core.windows import over_window
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.views import render_sample, sample_view
from training.real_frames import SHARED, real_frames

from .distortions import filled

TOLERANCE = 0.05
"""A point flies if its depth differs by more than this share from all true depths around."""
AROUND = 2  # pixels of the network
EDGE_STEP = 0.1
BEYOND_PX = 3
"""Surface is judged beyond so many pixels from true edges: jumps by more than `EDGE_STEP`."""
FOUND = 1.3
"""A thin object is found if a pixel says at most that many times its depth."""


@dataclass(frozen=True, eq=False)
class SmearedView:
    """A view as a network would give it at best.

    Attributes:
        inverse_depth: (H, W) float32 [1/m], smeared.
        radius: Pixels of the image that one of the network covers, as the pipeline counts them.
        flies: (H, W) bool.
        is_surface: (H, W) bool, what is to be kept.
    """

    inverse_depth: torch.Tensor
    radius: int
    flies: torch.Tensor
    is_surface: torch.Tensor


def simulated_depths(seeds: range, size: tuple[int, int]) -> Iterator[torch.Tensor]:
    """Yield the true depth (H, W) [m] of rooms, at a size (width, height)."""
    for seed in seeds:
        shot = sample_view(seed, *size)
        yield cast(shot.scene, shot.camera, shot.pose).depth


def real_depths() -> Iterator[torch.Tensor]:
    """Yield the true depth (H, W) [m], holes filled, of real frames; none without ../shared."""
    if SHARED.is_dir():
        for _, _, depth in real_frames():
            known = torch.where(depth > 0, depth, torch.nan)
            yield torch.from_numpy(filled(known.numpy())).float()


def own_predictions(
    estimator: Estimator, seeds: range, size: tuple[int, int]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield a network's inverse depth, fitted to the truth, and the true depth of views."""
    for seed in seeds:
        view = render_sample(seed, *size)
        yield _fitted(estimator, view.rgb, view.depth), view.depth


def own_predictions_of_real(
    estimator: Estimator,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the same of the real frames; none without ../shared."""
    if SHARED.is_dir():
        for _, rgb, depth in real_frames():
            known = torch.where(depth > 0, depth, torch.nan)
            yield _fitted(estimator, rgb, known), known


def smeared_view(depth: torch.Tensor, input_size: int, blur_px: float) -> SmearedView:
    """Return a view that a network of that input smears by a Gaussian of `blur_px` of its pixels.

    The truth is shrunk to the network's resolution, blurred there, and enlarged as a network's
    output is.
    """
    size = depth.shape[0], depth.shape[1]
    at = network_size(*size, input_size)
    q = F.interpolate(depth.reciprocal()[None, None], at, mode='bilinear', antialias=True)
    if blur_px:
        blurred = cv2.GaussianBlur(q[0, 0].numpy(), (0, 0), blur_px)
        q = torch.from_numpy(np.asarray(blurred, np.float32))[None, None]
    q = F.interpolate(q, size, mode='bilinear', align_corners=True)[0, 0]
    radius = kernel_radius(size[0], at[0])
    flies = is_flying(q, depth, AROUND * radius)
    return SmearedView(q, radius, flies, ~flies & is_far_from_edges(depth))


def kernel_radius(height: int, network_height: int) -> int:
    """Return the pixels of the image that one of the network covers."""
    return max(1, round(height / network_height))


def is_flying(inverse_depth: torch.Tensor, depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return which pixels agree with no true depth within `radius` pixels."""
    height, width = depth.shape
    around = F.pad(depth.log()[None, None], (radius,) * 4, value=torch.inf)[0, 0]
    log_inverse = inverse_depth.log()
    best = torch.full_like(depth, torch.inf)
    for dv in range(2 * radius + 1):
        for du in range(2 * radius + 1):
            other = around[dv : dv + height, du : du + width]
            torch.minimum(best, torch.add(log_inverse, other).abs_(), out=best)
    return best > math.log1p(TOLERANCE)


def is_far_from_edges(depth: torch.Tensor, beyond_px: int = BEYOND_PX) -> torch.Tensor:
    """Return which pixels of known depth (H, W) lie beyond so many from all true edges."""
    edges = bent_in_one_pixel(depth.reciprocal(), 1).isnan() & depth.isfinite()
    near = over_window(edges.byte(), torch.maximum, (beyond_px, beyond_px), 0)
    return ~near.bool() & depth.isfinite()


def bent_in_one_pixel(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return inverse depth without pixels that are steep and near a bend: the filter before.

    It looks `radius` pixels around for an inverse depth larger by a tenth, and for a second
    difference of a twentieth over twice as far.
    """
    q = inverse_depth.nan_to_num(0.0)
    nearest = over_window(q, torch.maximum, (radius, radius), 0.0)
    known = inverse_depth.nan_to_num(torch.inf)
    farthest = over_window(known, torch.minimum, (radius, radius), torch.inf).clamp_(min=0.0)
    bent, step = torch.zeros(q.shape, dtype=torch.uint8), 2 * radius
    for axis in (0, 1):
        count = q.shape[axis] - 2 * step
        before, here, after = (q.narrow(axis, k * step, count) for k in range(3))
        exceeds = (before + after - 2 * here).abs() > EDGE_STEP / 2 * here
        bent.narrow(axis, step, count).bitwise_or_(exceeds.byte())
    is_bent = over_window(bent, torch.maximum, (radius, radius), 0).bool()
    is_steep = nearest > farthest * (1 + EDGE_STEP)
    return inverse_depth.masked_fill(is_steep & is_bent, torch.nan)


def poles(width_px: int, blur_px: float) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield inverse depth (48, 96) of a pole before a wall, and which pixels have found it.

    The pole is 1 m away, the wall 1.25 to 5 m; it begins at any quarter of a pixel.
    """
    fine = np.arange(96 * 8) / 8
    for begin in (48.0, 48.25, 48.5, 48.75):
        for wall in (0.2, 0.4, 0.6, 0.8):
            row = np.where((fine >= begin) & (fine < begin + width_px), 1.0, wall)
            q = np.tile(row.reshape(96, 8).mean(1).astype(np.float32), (48, 1))
            if blur_px:
                q = np.asarray(cv2.GaussianBlur(q, (0, 0), blur_px))
            smeared = torch.from_numpy(q)
            yield smeared, (smeared > 1 / FOUND) & (smeared > (1 + EDGE_STEP) * wall)


def _fitted(estimator: Estimator, rgb: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    """Return a relative prediction, scaled and shifted to the true inverse depth [1/m].

    By least squares of the relative error, reweighted against outliers (Cauchy).
    """
    size = (depth.shape[0], depth.shape[1])
    predicted = estimator.predict([rgb], size, [None])[0].values
    known = depth.isfinite()
    x, z = predicted[known].double(), depth[known].double()
    columns = torch.stack((x * z, z), dim=1)
    weight = torch.ones_like(x)
    for _ in range(20):
        fit = torch.linalg.lstsq(columns * weight[:, None], weight[:, None]).solution[:, 0]
        weight = (1 + ((columns @ fit - 1) / TOLERANCE).square()).rsqrt()
    return (fit[0] * predicted + fit[1]).float()

"""The ground plane fitted to depth itself, for a camera whose place on the robot is not known."""

import math

import numpy as np
import numpy.typing as npt
import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CalibrationError
from .ground_plane import GroundPlane

Array = npt.NDArray[np.float64]

_SAMPLES = 3000
_TRIPLES = 200
_LEAST_COSINE = math.cos(math.radians(35.0))
"""Of the tilt: a camera that is tilted more has to be told so."""
_HEIGHTS_M = (0.05, 5.0)
_BAND = 0.04
"""Inliers are as near to the plane as this share of the camera's height: an error of depth by
that share."""
_MIN_SHARE = 0.15
"""Of the known points, that must lie on the plane."""
_MAX_BELOW = 0.1
"""Share of the points on it that may lie below it: under the ground there is nothing to see."""
_FARTHEST = 15.0
"""Camera heights up to which points count; farther, the band is less than the noise."""


def fit_ground(depth: torch.Tensor, camera: PinholeCamera) -> GroundPlane:
    """Return the lowest large plane that is about level, the same one for the same depth.

    Planes through three points (RANSAC: Fischler and Bolles, 1981) are tried; the best has the
    most points on it less those below it, and is then fitted to its inliers.

    Args:
        depth: (H, W) float32 [m], NaN unknown.
        camera: Of that size.

    Raises:
        CalibrationError: No plane has enough points.
    """
    points = _sampled(depth, camera)
    random = np.random.default_rng(0)
    found = None
    if len(points) >= 3:
        triples = points[random.integers(len(points), size=(_TRIPLES, 3))]
        found = _best(points, *_planes(triples))
    for _ in range(3):
        if found is not None:
            found = _refitted(points, *found)
    if found is None:
        raise CalibrationError(
            'no ground is seen: no level plane below the camera has '
            f'{_MIN_SHARE:.0%} of the points and hardly any below it',
            'have TF connect base_frame to the frame of the images, or set '
            'alignment.camera_height and alignment.camera_pitch',
        )
    (x, y, z), height_m = found[0].tolist(), found[1]
    return GroundPlane((x, y, z), height_m, 'depth')


def _sampled(depth: torch.Tensor, camera: PinholeCamera) -> Array:
    """Return (N, 3) points [m] spread over the image."""
    step = max(1, round(math.sqrt(depth.numel() / _SAMPLES)))
    z = depth[step // 2 :: step, step // 2 :: step].cpu().double().numpy()
    v, u = np.mgrid[: z.shape[0], : z.shape[1]] * step + step // 2
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    points = np.stack((x * z, y * z, z), axis=-1)
    known: Array = points[np.isfinite(z)]
    return known


def _planes(triples: Array) -> tuple[Array, Array]:
    """Return (M, 3) down and (M,) heights [m] of those planes through (N, 3, 3) that can be."""
    first, second, third = triples.transpose(1, 0, 2)
    normal = np.cross(second - first, third - first)
    normal /= np.linalg.norm(normal, axis=1).clip(min=1e-12)[:, None]
    normal *= np.sign(normal[:, 1])[:, None]
    heights = (normal * first).sum(axis=1)
    usable = normal[:, 1] > _LEAST_COSINE
    usable &= (heights > _HEIGHTS_M[0]) & (heights < _HEIGHTS_M[1])
    return normal[usable], heights[usable]


def _best(points: Array, down: Array, heights: Array) -> tuple[Array, float] | None:
    if not len(down):
        return None
    below = (points @ down.T - heights) / heights
    on_plane = np.abs(below) < _BAND
    score = on_plane.sum(axis=0) - 2.0 * (below > 2 * _BAND).sum(axis=0)
    best = int(score.argmax())
    return down[best], float(heights[best])


def _refitted(points: Array, down: Array, height_m: float) -> tuple[Array, float] | None:
    """Return the plane through the points near one; None if they are too few or it cannot be.

    A point at p is at the share 1 - p d / h of the height h. With n = d / h that is 1 - p n, which
    least squares bring to 0.
    """
    below = points @ down / height_m - 1
    on_plane = (np.abs(below) < _BAND) & (np.linalg.norm(points, axis=1) < _FARTHEST * height_m)
    is_below = int((below > 2 * _BAND).sum())
    if on_plane.sum() < max(3.0, _MIN_SHARE * len(points)):
        return None
    if is_below > _MAX_BELOW * on_plane.sum():
        return None
    normal = np.linalg.lstsq(points[on_plane], np.ones(int(on_plane.sum())), rcond=None)[0]
    length = float(np.linalg.norm(normal))
    if not length > 0:
        return None
    down = normal / length
    return (down, 1 / length) if down[1] > _LEAST_COSINE else None

"""Depth of one camera as another camera at the same place would see it."""

import numpy as np
import numpy.typing as npt

from ...core.camera.pinhole import PinholeCamera
from ...offline.splats import nearest_points

Depth = npt.NDArray[np.float32]


def register_depth(depth: Depth, camera: PinholeCamera, target: PinholeCamera) -> Depth:
    """Return depth (H', W') [m] in the pixels of `target`, NaN where nothing was measured.

    The nearest measurement of each pixel counts. The two optical centers are taken as one.

    Args:
        depth: (H, W) [m], NaN unknown.
        camera: Of that depth.
        target: Of the result.
    """
    known = np.isfinite(depth) & (depth > 0)
    x, y = camera.rays().numpy()[:, known]
    z = depth[known]
    # A pixel of a shorter focal length covers several of a longer one.
    edge = np.ceil(max(target.fx / camera.fx, target.fy / camera.fy) - 1e-6)
    u, v = target.fx * x + target.cx, target.fy * y + target.cy
    size = np.full(z.shape, max(edge, 1.0))
    seen = nearest_points(u, v, z, size, target.width, target.height)
    registered = np.full(seen.shape, np.nan, np.float32)
    registered[seen >= 0] = z[seen[seen >= 0]]
    return registered

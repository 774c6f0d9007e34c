"""What a step answers."""

from dataclasses import dataclass

import numpy as np

from .camera.pinhole import PinholeCamera
from .scale.scale_estimator import FrameScale
from .types import AffineScale


@dataclass(frozen=True, eq=False)
class Result:
    """What a step made; what was not asked for, or cannot be known, is None.

    Attributes:
        camera: Intrinsics of all outputs.
        quality: The scale of the image: what was applied, and the fit behind it.
        reason_unknown: Why no pixel's depth is known, '' if one is.
        known_share: Share of pixels with known depth, 0..1; None if the network did not run.
        depth: (H, W) float32 [m], NaN unknown; see `depth_invalid` for infinities.
        points: (N, 3 or 4) or (H, W, 3 or 4) float32, see `pack_cloud`.
        points_clearing: (N, 3) float32, see `clearing_points`.
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 BGR.
        relative_inverse_depth: (H, W) float32.
        inference_s: Time in the network, resizing included [s]; None if it did not run.
    """

    camera: PinholeCamera | None
    quality: FrameScale
    reason_unknown: str = ''
    known_share: float | None = None
    depth: np.ndarray | None = None
    points: np.ndarray | None = None
    points_clearing: np.ndarray | None = None
    color: np.ndarray | None = None
    colormap: np.ndarray | None = None
    relative_inverse_depth: np.ndarray | None = None
    inference_s: float | None = None

    @property
    def alignment(self) -> AffineScale | None:
        """The fitted or set scale and shift of inverse depth; None for a network's own meters."""
        return self.quality.alignment

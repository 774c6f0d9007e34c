"""What a step can be asked for, and what it answers."""

from dataclasses import dataclass
from enum import Flag, auto

import numpy as np

from .camera.pinhole import PinholeCamera


class Output(Flag):
    """What a step may be asked for."""

    DEPTH = auto()
    POINTS = auto()
    POINTS_CLEARING = auto()
    COLOR = auto()
    COLORMAP = auto()
    RELATIVE_INVERSE_DEPTH = auto()


CLOUDS = Output.POINTS | Output.POINTS_CLEARING
"""What needs a camera and a live scale, or else is not made at all."""


@dataclass(frozen=True, eq=False)
class Result:
    """What a step made; what was not asked for, or cannot be known, is None.

    Attributes:
        camera: Intrinsics of all outputs.
        depth: (H, W) float32 [m], NaN unknown; see `depth_invalid` for infinities.
        points: (N, 3 or 4) or (H, W, 3 or 4) float32, see `pack_cloud`.
        points_clearing: (N, 3) float32, see `clearing_points`.
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 BGR.
        relative_inverse_depth: (H, W) float32.
        unknown: Why depth is not known, '' if it is.
        inference_s: How long the network took, resizing included [s]; None if it did not run.
    """

    camera: PinholeCamera | None
    depth: np.ndarray | None = None
    points: np.ndarray | None = None
    points_clearing: np.ndarray | None = None
    color: np.ndarray | None = None
    colormap: np.ndarray | None = None
    relative_inverse_depth: np.ndarray | None = None
    unknown: str = ''
    inference_s: float | None = None

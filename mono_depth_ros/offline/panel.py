"""The panel: an image and its depth side by side, with what the colors mean."""

import math

import cv2
import numpy as np

from ..core.files.encodings import Pixels
from ..core.outputs.colormap import ColormapSettings

_BAR_SHARE = 0.02
_TEXT_SHARE = 0.11
_TICKS_M = (0.3, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 80)
_TEXT_HEIGHT_PX = 22.0
"""Of OpenCV's plain font at size 1."""


def draw_panel(rgb: Pixels, colormap: Pixels, meters: ColormapSettings | None) -> Pixels:
    """Return (H, W', 3) uint8 RGB: image, depth, legend.

    Args:
        rgb: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 BGR, as `Colormap` paints it.
        meters: What its colors mean; None where they are relative, which has no legend.
    """
    parts = [rgb, colormap[..., ::-1]]
    if meters is not None:
        parts.append(_legend(rgb.shape[0], rgb.shape[1], meters))
    return np.ascontiguousarray(np.hstack(parts))


def _legend(height: int, width: int, meters: ColormapSettings) -> Pixels:
    """Return a bar with the depths that its colors stand for."""
    bar, text = max(4, round(_BAR_SHARE * width)), max(12, round(_TEXT_SHARE * width))
    level = np.linspace(255, 1, height).astype(np.uint8)[:, None]
    ramp = cv2.applyColorMap(np.repeat(level, bar, axis=1), cv2.COLORMAP_TURBO)[..., ::-1]
    labels = np.full((height, text, 3), 255, np.uint8)
    size = 0.22 * text / _TEXT_HEIGHT_PX
    near, far = math.log(meters.near), math.log(meters.far)
    for tick in (t for t in _TICKS_M if meters.near <= t <= meters.far):
        v = (math.log(tick) - near) / (far - near) * (height - 1)
        base = min(max(round(v + 0.1 * text), round(0.22 * text)), height - 2)
        place = (round(0.1 * text), base)
        style = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(
            labels, f'{tick:g} m', place, style, size, (0,), max(1, round(size)), cv2.LINE_AA
        )
    return np.hstack((ramp, labels))

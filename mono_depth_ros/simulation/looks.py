"""Families of materials: which textures, colors and sizes belong together."""

import colorsys
from dataclasses import dataclass

Color = tuple[float, float, float]
"""Linear RGB."""


@dataclass(frozen=True)
class Look:
    """A family of materials.

    Attributes:
        patterns: Texture groups to choose from.
        period_m: Range of the tile's edge.
        value: Range of brightness (HSV).
        saturation: Range of colorfulness (HSV).
        contrast: Largest relative difference between the first two colors.
        hue: Range of hue (HSV), may wrap.
    """

    patterns: tuple[str, ...]
    period_m: tuple[float, float]
    value: tuple[float, float]
    saturation: tuple[float, float]
    contrast: float
    hue: tuple[float, float] = (0.0, 1.0)


LOOKS = {
    'plain': Look(('noise', 'fine'), (0.5, 3.0), (0.2, 0.95), (0.0, 0.5), 0.12),
    'wall': Look(
        ('noise', 'fine', 'noise', 'stripes', 'bricks', 'tiles', 'dots', 'marble', 'planks'),
        (0.8, 4.0),
        (0.45, 0.98),
        (0.0, 0.35),
        0.35,
    ),
    'floor': Look(
        ('planks', 'planks', 'tiles', 'fine', 'noise', 'cells', 'checker', 'grain', 'plaid'),
        (0.8, 3.5),
        (0.2, 0.85),
        (0.0, 0.5),
        0.5,
        (0.02, 0.15),
    ),
    'ceiling': Look(('noise', 'fine', 'tiles'), (1.0, 5.0), (0.6, 1.0), (0.0, 0.1), 0.12),
    'wood': Look(('grain', 'planks'), (0.4, 1.5), (0.25, 0.85), (0.25, 0.65), 0.6, (0.04, 0.12)),
    'cloth': Look(
        ('fine', 'noise', 'stripes', 'plaid', 'dots', 'blobs'),
        (0.2, 1.2),
        (0.1, 0.95),
        (0.0, 0.8),
        0.6,
    ),
    'print': Look(('poster', 'script', 'books'), (0.3, 1.2), (0.1, 1.0), (0.0, 0.9), 1.0),
    'paint': Look(
        ('fine', 'noise', 'stripes', 'poster', 'blobs', 'grain'),
        (0.3, 2.0),
        (0.05, 1.0),
        (0.0, 0.95),
        0.3,
    ),
    'loud': Look(
        ('checker', 'bricks', 'stripes', 'cells', 'blobs', 'poster', 'marble', 'script', 'dots'),
        (0.2, 1.5),
        (0.05, 1.0),
        (0.0, 0.95),
        1.0,
    ),
    'metal': Look(('noise', 'fine', 'stripes'), (0.3, 2.0), (0.05, 0.8), (0.0, 0.1), 0.4),
    'leaf': Look(('cells', 'blobs'), (0.1, 0.5), (0.15, 0.6), (0.4, 0.9), 0.8, (0.2, 0.4)),
}


def linear_color(hue: float, saturation: float, value: float) -> Color:
    """Return linear RGB of an HSV color of the screen (gamma 2.2)."""
    rgb = colorsys.hsv_to_rgb(hue % 1.0, min(saturation, 1.0), min(value, 1.0))
    r, g, b = (channel**2.2 for channel in rgb)
    return r, g, b


def hex_color(text: str) -> Color:
    """Return linear RGB of '#rrggbb' of the screen (gamma 2.2)."""
    r, g, b = (channel / 255 for channel in bytes.fromhex(text.removeprefix('#')))
    return r**2.2, g**2.2, b**2.2

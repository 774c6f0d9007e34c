"""What the rasterizer draws: models, flat surfaces, lights and a sky."""

import math
from dataclasses import dataclass, field

import numpy as np

VERTEX = np.dtype(
    [
        ('position', np.float32, 3),
        ('normal', np.uint8, 4),
        ('uv', np.float32, 2),
        ('color', np.uint8, 4),
        ('look', np.float32, 2),
    ]
)
"""A corner: position [m], normal (1..255 for -1..1), uv [tiles], square root of the linear color
and gloss (255 = 1), and the texture's layer (-1 for none) with the glow."""


@dataclass(frozen=True)
class Instance:
    """A model in the scene.

    Attributes:
        model: Its index in the pack.
        position: Where its bottom center stands [m].
        yaw: Turn about the vertical; 0 looks along +y [rad].
        scale: Factor on its size.
        tint: Factors on its color.
        cover: Texture layer for parts that have no texture; -1 for none.
        cover_scale: Tiles of that texture per meter.
    """

    model: int
    position: tuple[float, float, float]
    yaw: float = 0.0
    scale: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    cover: int = -1
    cover_scale: float = 1.0

    def matrix(self) -> np.ndarray:
        """Return the (4, 4) transform from the model's axes to the world's."""
        c, s = self.scale * math.cos(self.yaw), self.scale * math.sin(self.yaw)
        x, y, z = self.position
        return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, self.scale, z], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Lamp:
    """A point light without shadow: position [m] and linear color."""

    position: tuple[float, float, float]
    color: tuple[float, float, float]


@dataclass(frozen=True)
class Daylight:
    """The sky and what shines from it, linear colors.

    Attributes:
        zenith: Color of the sky above.
        horizon: Color of the sky at the horizon.
        clouds: Their share of the sky, 0..1.
        seed: Their form.
    """

    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    clouds: float
    seed: int


@dataclass
class FurnishedScene:
    """Everything that is drawn.

    Attributes:
        kind: What sort of place it is.
        bounds: (2, 3) low and high corner of what can be walked in [m].
        daylight: The sky.
        ambient: Linear color of light from above and from below.
        sun: Whether the main light is far away, along `main_light`; else it is at that place.
        main_light: (3,) unit vector toward the sun, or position of the lamp [m].
        main_color: Linear color of the main light, the one with shadows.
        enclosed: Whether walls and a ceiling darken the corners.
        instances: Models.
        lamps: At most four.
        surfaces: Parts of the building, triangles of `VERTEX`.
        targets: Points worth a look, with their distance from the floor [m].
    """

    kind: str
    bounds: np.ndarray
    daylight: Daylight
    ambient: tuple[tuple[float, float, float], tuple[float, float, float]]
    sun: bool
    main_light: tuple[float, float, float]
    main_color: tuple[float, float, float]
    enclosed: bool
    instances: list[Instance] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    surfaces: list[np.ndarray] = field(default_factory=list)
    targets: list[tuple[float, float, float]] = field(default_factory=list)


def quad(
    corners: np.ndarray,
    layer: int,
    tile: float,
    color: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gloss: float = 0.05,
    glow: float = 0.0,
) -> np.ndarray:
    """Return the six corners of a rectangle.

    Args:
        corners: (4, 3) around it [m].
        layer: Texture, -1 for the color alone.
        tile: Size of the texture [m]; 0 stretches it over the rectangle once.
        color: Linear color; with a texture, a factor is not applied.
        gloss: Strength of highlights, 0..1.
        glow: Strength of its own light, 0..1.
    """
    corners = np.asarray(corners, np.float64)
    along, up = corners[1] - corners[0], corners[3] - corners[0]
    width, height = np.linalg.norm(along), np.linalg.norm(up)
    normal = np.cross(along, up) / max(width * height, 1e-12)
    reach = np.array([1.0, 1.0]) if tile <= 0 else np.array([width, height]) / tile
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]) * reach
    vertices = np.zeros(6, VERTEX)
    order = [0, 1, 2, 0, 2, 3]
    vertices['position'] = corners[order]
    vertices['normal'][:, :3] = np.rint(127 * normal + 128)
    vertices['uv'] = uv[order]
    vertices['color'][:, :3] = np.rint(255 * np.sqrt(np.clip(color, 0, 1)))
    vertices['color'][:, 3] = round(255 * gloss)
    vertices['look'] = layer, glow
    return vertices


def box(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    layer: int,
    tile: float,
    color: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gloss: float = 0.05,
) -> np.ndarray:
    """Return the six sides of an upright box as triangles."""
    (a, b, c), (d, e, f) = low, high
    sides = (
        [(a, b, c), (d, b, c), (d, b, f), (a, b, f)],
        [(d, e, c), (a, e, c), (a, e, f), (d, e, f)],
        [(a, e, c), (a, b, c), (a, b, f), (a, e, f)],
        [(d, b, c), (d, e, c), (d, e, f), (d, b, f)],
        [(a, b, f), (d, b, f), (d, e, f), (a, e, f)],
        [(a, e, c), (d, e, c), (d, b, c), (a, b, c)],
    )
    return np.concatenate([quad(np.array(s), layer, tile, color, gloss) for s in sides])

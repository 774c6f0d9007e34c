"""Textures made by formulas: tileable, of one kind each, as many variants as wanted."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from .furniture_pack import TEXTURE_SIZE as SIZE

Painter = Callable[[np.random.Generator], np.ndarray]
"""Returns a picture (256, 256, 3) float32 RGB, 0..1 in sRGB."""


def noise(
    rng: np.random.Generator, slope: float = 1.5, stretch: tuple[float, float] = (1, 1)
) -> np.ndarray:
    """Return periodic noise (256, 256) of zero mean and unit deviation, amplitude 1 / f^slope."""
    v, u = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE), indexing='ij')
    frequency = np.hypot(u * stretch[0], v * stretch[1]) * SIZE
    frequency[0, 0] = np.inf
    phase = np.exp(2j * np.pi * rng.random((SIZE, SIZE)))
    field = np.fft.ifft2(phase / frequency**slope).real
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _color(rng: np.random.Generator, hue: tuple[float, float], s: float, v: float) -> np.ndarray:
    h = rng.uniform(*hue)
    hsv = np.float32([[[360 * (h % 1), np.clip(s, 0, 1), np.clip(v, 0, 1)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def _shade(base: np.ndarray, field: np.ndarray, strength: float) -> np.ndarray:
    return base * (1 + strength * field[..., None])


def _grid(rows: int, columns: int, shift: float, joint: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for each pixel's brick (256, 256), and 0 in its joints, else 1."""
    v, u = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    row = np.floor(v * rows)
    across = u * columns + shift * (row % 2)
    column = np.floor(across) % columns
    in_v, in_u = v * rows % 1, across % 1
    edge_v, edge_u = joint * rows, joint * columns
    inside = (in_v > edge_v) & (in_u > edge_u)
    return (row * columns + column).astype(int), inside.astype(np.float32)


def paint(rng: np.random.Generator) -> np.ndarray:
    """Painted plaster."""
    hue = (0.06, 0.15) if rng.random() < 0.6 else (0.0, 1.0)
    saturation = rng.uniform(0, 0.5) ** (1 if rng.random() < 0.25 else 2.5)
    base = _color(rng, hue, saturation, rng.uniform(0.6, 0.97))
    return _shade(base, noise(rng, rng.uniform(0.4, 1.6)), rng.uniform(0.005, 0.05))


def wallpaper(rng: np.random.Generator) -> np.ndarray:
    """Stripes, checks or dots."""
    base = _color(rng, (0, 1), rng.uniform(0.1, 0.6) ** 2, rng.uniform(0.5, 0.95))
    other = _color(rng, (0, 1), rng.uniform(0.1, 0.7) ** 2, rng.uniform(0.4, 0.95))
    v, u = np.mgrid[0:SIZE, 0:SIZE] / SIZE * 2 * math.pi
    count = rng.integers(2, 9)
    waves = (np.sin(count * u), np.sin(count * u) * np.sin(count * v), np.cos(count * (u + v)))
    mask = (waves[rng.integers(3)] > rng.uniform(-0.3, 0.6)).astype(np.float32)[..., None]
    return _shade(base * (1 - mask) + other * mask, noise(rng, 0.8), 0.02)


def brick(rng: np.random.Generator) -> np.ndarray:
    """Bricks or blocks with mortar."""
    rows = 2 * rng.integers(3, 8)
    number, inside = _grid(rows, max(2, rows // 3), 0.5, rng.uniform(0.006, 0.016))
    base = _color(rng, (0.0, 0.11), rng.uniform(0.05, 0.6), rng.uniform(0.4, 0.85))
    tone = 1 + 0.15 * rng.standard_normal(number.max() + 1)
    face = base * tone[number][..., None] * (1 + 0.08 * noise(rng, 0.9))[..., None]
    mortar = np.float32([0.7, 0.68, 0.65]) * rng.uniform(0.6, 1.2)
    return np.where(inside[..., None] > 0, face, mortar)


def planks(rng: np.random.Generator) -> np.ndarray:
    """Floor boards or parquet."""
    number, inside = _grid(rng.integers(4, 10), rng.integers(1, 4), rng.uniform(0.3, 0.5), 0.003)
    base = _color(rng, (0.04, 0.11), rng.uniform(0.2, 0.65), rng.uniform(0.25, 0.85))
    tone = 1 + 0.12 * rng.standard_normal(number.max() + 1)
    grain = noise(rng, 1.1, (6, 0.7))
    face = base * (tone[number] * (1 + 0.1 * grain))[..., None]
    return face * (0.5 + 0.5 * inside)[..., None]


def tiles(rng: np.random.Generator) -> np.ndarray:
    """Ceramic tiles, plain or as a chessboard."""
    count = int(rng.integers(2, 7))
    number, inside = _grid(count, count, 0.0, rng.uniform(0.004, 0.012))
    base = _color(rng, (0, 1), rng.uniform(0, 0.6) ** 2, rng.uniform(0.3, 0.95))
    tone = 1 + rng.uniform(0, 0.08) * rng.standard_normal(number.max() + 1)
    if rng.random() < 0.3 and count % 2 == 0:
        tone = np.where((np.arange(count**2) // count + np.arange(count**2)) % 2, 0.4, 1.0)
    face = base * (tone[number] * (1 + 0.03 * noise(rng, 1.3)))[..., None]
    return np.where(inside[..., None] > 0, face, rng.uniform(0.3, 0.8))


def fabric(rng: np.random.Generator) -> np.ndarray:
    """Carpet or cloth."""
    base = _color(rng, (0, 1), rng.uniform(0, 0.6), rng.uniform(0.2, 0.85))
    cloth = _shade(base, noise(rng, 0.2), rng.uniform(0.05, 0.15))
    if rng.random() < 0.4:
        v, u = np.mgrid[0:SIZE, 0:SIZE] / SIZE * 2 * math.pi
        count = rng.integers(1, 7)
        mask = (np.sin(count * u) * np.sin(count * v + 1) > 0.2)[..., None]
        cloth = np.where(mask, cloth * rng.uniform(0.5, 1.5, 3), cloth)
    return cloth


def concrete(rng: np.random.Generator) -> np.ndarray:
    """Concrete, stone or worn paint."""
    base = _color(rng, (0.05, 0.6), rng.uniform(0, 0.1), rng.uniform(0.3, 0.8))
    return _shade(_shade(base, noise(rng, 1.4), rng.uniform(0.05, 0.15)), noise(rng, 0.3), 0.05)


def marble(rng: np.random.Generator) -> np.ndarray:
    """Stone with veins."""
    base = _color(rng, (0, 1), rng.uniform(0, 0.5) ** 2, rng.uniform(0.2, 0.95))
    veins = np.abs(noise(rng, 1.8))
    return _shade(base, np.exp(-veins * rng.uniform(2, 8)), rng.uniform(-0.5, 0.5))


def grass(rng: np.random.Generator) -> np.ndarray:
    """Lawn, dry or green."""
    base = _color(rng, (0.16, 0.3), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.6))
    return _shade(_shade(base, noise(rng, 0.3), 0.25), noise(rng, 1.5), 0.12)


def asphalt(rng: np.random.Generator) -> np.ndarray:
    """Road."""
    base = _color(rng, (0, 1), rng.uniform(0, 0.06), rng.uniform(0.2, 0.5))
    return _shade(_shade(base, noise(rng, 0.0), 0.12), noise(rng, 1.5), 0.08)


def pavement(rng: np.random.Generator) -> np.ndarray:
    """Paving slabs."""
    rows = int(rng.integers(2, 7))
    number, inside = _grid(rows, rows, rng.choice((0.0, 0.5)) if rows % 2 == 0 else 0.0, 0.008)
    tone = 1 + 0.06 * rng.standard_normal(number.max() + 1)
    face = concrete(rng) * tone[number][..., None]
    return face * (0.55 + 0.45 * inside)[..., None]


def picture(rng: np.random.Generator) -> np.ndarray:
    """Poster, painting or notice: areas, strokes and lines of writing."""
    image = np.zeros((SIZE, SIZE, 3), np.float32)
    image[:] = _color(rng, (0, 1), rng.uniform(0, 0.6), rng.uniform(0.4, 1.0))
    for _ in range(rng.integers(3, 18)):
        color = _color(rng, (0, 1), rng.uniform(0, 0.9), rng.uniform(0.1, 1.0)).tolist()
        a, b = rng.integers(0, SIZE, (2, 2)).tolist()
        if rng.random() < 0.4:
            cv2.circle(image, a, int(rng.integers(8, 80)), color, -1, cv2.LINE_AA)
        elif rng.random() < 0.5:
            cv2.rectangle(image, a, b, color, -1)
        else:
            cv2.line(image, a, b, color, int(rng.integers(1, 16)), cv2.LINE_AA)
    for line in range(rng.integers(0, 9)):
        y = int(20 + 26 * line)
        cv2.line(image, (30, y), (int(rng.integers(60, 230)), y), (0.1, 0.1, 0.1), 3)
    return _shade(image, noise(rng, 1.2), 0.05)


def facade(rng: np.random.Generator) -> np.ndarray:
    """Front of a house: windows in a wall; one tile is a story high and two windows wide."""
    wall = (paint, brick, concrete)[rng.integers(3)](rng)
    glass = _color(rng, (0.5, 0.65), rng.uniform(0.1, 0.4), rng.uniform(0.15, 0.5))
    frame = _color(rng, (0, 1), rng.uniform(0, 0.2), rng.uniform(0.3, 1.0))
    width, height = int(rng.integers(45, 95)), int(rng.integers(90, 170))
    top = int(rng.integers(30, 60))
    for middle in (64, 192):
        left = middle - width // 2
        wall[top - 6 : top + height + 6, left - 6 : left + width + 6] = frame
        pane = wall[top : top + height, left : left + width]
        pane[:] = glass * np.linspace(1.5, 0.7, pane.shape[0])[:, None, None]
        pane[:, width // 2 - 2 : width // 2 + 2] = frame
    return wall


_WALLS_AND_FLOORS = (paint, wallpaper, brick, planks, tiles, fabric, concrete, marble)
_OTHERS = (grass, asphalt, pavement, picture, facade)
PAINTERS: dict[str, Painter] = {p.__name__: p for p in (*_WALLS_AND_FLOORS, *_OTHERS)}
TRAINING_VARIANTS = 16
EXAM_VARIANTS = 5


def paint_all() -> tuple[np.ndarray, dict[str, tuple[list[int], list[int]]]]:
    """Return all textures (T, 256, 256, 4) uint8 RGBA and, by kind, those of training and exam."""
    images, numbers = [], {}
    for kind, painter in PAINTERS.items():
        first = len(images)
        for variant in range(TRAINING_VARIANTS + EXAM_VARIANTS):
            rng = np.random.default_rng([ord(letter) for letter in kind] + [variant])
            image = np.full((SIZE, SIZE, 4), 255, np.uint8)
            image[..., :3] = np.rint(255 * painter(rng).clip(0, 1))
            images.append(image)
        middle = first + TRAINING_VARIANTS
        numbers[kind] = list(range(first, middle)), list(range(middle, len(images)))
    return np.stack(images), numbers

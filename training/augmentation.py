"""What cameras and their surroundings do to a picture: light, lens, sensor, processing."""

import cv2
import numpy as np

_GRAY = np.array([0.299, 0.587, 0.114], np.float32)


def distort_color(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Return a copy of (H, W, 3) uint8 as another camera might have seen it."""
    image = rgb.astype(np.float32) / 255
    if rng.random() < 0.4:
        image *= _uneven_light(rng, image.shape[:2])
    if rng.random() < 0.3:
        image *= 1 + rng.uniform(0.02, 0.12) * _pattern(rng, image.shape[:2])
    if rng.random() < 0.8:
        image = np.power(image, rng.uniform(0.6, 1.6), dtype=np.float32)
        image *= rng.uniform(0.6, 1.4) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    if rng.random() < 0.25:
        image = _overexposed(rng, image)
    gray = (image @ _GRAY)[..., None]
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.4, 1.5)
    image = gray + saturation * (image - gray)
    if rng.random() < 0.3:
        mean = image.mean()
        image = mean + rng.uniform(0.5, 1.5) * (image - mean)
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.6:
        image = image + _noise(rng, image.shape)
    if rng.random() < 0.25:
        blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.5))
        image = image + rng.uniform(0.3, 1.5) * (image - blurred)
    small = np.rint(255 * image.clip(0, 1)).astype(np.uint8)
    return _compressed(rng, small) if rng.random() < 0.3 else small


def _uneven_light(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a smooth factor (H, W, 3), here and there with the edge of a shadow."""
    grid = rng.standard_normal((*rng.integers(2, 5, 2), 1)) + 0.2 * rng.standard_normal(3)
    field = cv2.resize(grid.astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    light = np.exp(rng.uniform(0.05, 0.4) * field)
    if rng.random() < 0.5:
        v, u = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j].astype(np.float32)
        angle = rng.uniform(0, 2 * np.pi)
        side = u * np.cos(angle) + v * np.sin(angle) - rng.uniform(-0.7, 0.7)
        share = 1 / (1 + np.exp(-side.clip(-2, 2) * 10 ** rng.uniform(0.5, 1.7)))
        light *= (1 - rng.uniform(0.2, 0.7) * share)[..., None]
    return light.astype(np.float32)


def _pattern(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return noise (H, W, 1) of one grain, in some direction: what surfaces are made of."""
    grain = 2 ** rng.uniform(0, 4, 2)
    cells = [max(2, round(length / g)) for length, g in zip(size, grain, strict=True)]
    field = rng.standard_normal(cells, dtype=np.float32)
    return cv2.resize(field, size[::-1], interpolation=cv2.INTER_LINEAR)[..., None]


def _overexposed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Return the picture with a part of it white, and a glow around that."""
    level = np.quantile(image[::4, ::4], rng.uniform(0.6, 0.98))
    bright = image / max(float(level), 0.05)
    glow = cv2.GaussianBlur((bright - 1).clip(0, 2), (0, 0), rng.uniform(2, 12))
    return bright.clip(0, 1) + rng.uniform(0, 0.6) * glow


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return noise of a sensor, (H, W, 3); that of demosaiced colors has a grain."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.5:
        noise = 1.8 * cv2.GaussianBlur(noise, (0, 0), 0.7)
    return np.float32(rng.uniform(0.0, 0.05)) * noise


def _compressed(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    quality = (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92)))
    return cv2.imdecode(cv2.imencode('.jpg', rgb, quality)[1], cv2.IMREAD_COLOR)

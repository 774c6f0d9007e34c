"""From light to a picture: sky, lens, exposure, motion, noise and compression."""

import math

import cv2
import numpy as np

from .furnished_scene import Daylight
from .procedural_textures import noise
from .rasterizer import Drawing
from .world_camera import WorldCamera


class Sky:
    """Colors of the sky by direction, with clouds from one field of noise."""

    def __init__(self) -> None:
        fields = [noise(np.random.default_rng(number), 1.6) for number in range(4)]
        self._clouds = [np.tile(field, (1, 1)) for field in fields]

    def light(self, daylight: Daylight, rays: np.ndarray) -> np.ndarray:
        """Return linear colors (..., 3) along unit vectors (..., 3)."""
        up = rays[..., 2].clip(0, 1)
        blend = np.sqrt(up)[..., None]
        clear = (1 - blend) * np.array(daylight.horizon) + blend * np.array(daylight.zenith)
        field = self._clouds[daylight.seed % len(self._clouds)]
        reach = 60.0 / (up + 0.12)
        shift = daylight.seed % 251
        u = (rays[..., 0] * reach + shift).astype(int) % field.shape[1]
        v = (rays[..., 1] * reach + shift).astype(int) % field.shape[0]
        share = 1 / (1 + np.exp(-3 * (field[v, u] + 3 * daylight.clouds - 2)))
        white = np.array(daylight.horizon).mean() * 1.05
        return clear + (share * np.minimum(1, 4 * up))[..., None] * (white - clear)


def expose(
    rng: np.random.Generator, sky: Sky, daylight: Daylight, camera: WorldCamera, drawing: Drawing
) -> np.ndarray:
    """Return the picture (H, W, 3) uint8 RGB that a real camera might have taken."""
    light = drawing.light
    if drawing.cover.min() < 1:
        behind = sky.light(daylight, camera.rays()).astype(np.float32)
        light = light + (1 - drawing.cover[..., None]) * behind
    light = _haze(rng, light, daylight, drawing)
    light = _lens(rng, light)
    light = light * _gain(rng, light)
    balance = rng.uniform(0.85, 1.15, 3) if rng.random() < 0.5 else rng.uniform(0.95, 1.05, 3)
    light = light * balance.astype(np.float32)
    picture = _tone(rng, light)
    picture = picture + _grain(rng, picture)
    return np.rint(255 * picture.clip(0, 1)).astype(np.uint8)


def encode(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Return a picture as JPEG bytes, sometimes compressed hard."""
    quality = int(rng.integers(45, 80)) if rng.random() < 0.3 else int(rng.integers(80, 97))
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].ravel()


def _haze(
    rng: np.random.Generator, light: np.ndarray, daylight: Daylight, drawing: Drawing
) -> np.ndarray:
    """Mix far surfaces outdoors with the color of the horizon."""
    if drawing.cover.min() >= 1:
        return light
    far = np.where(np.isfinite(drawing.depth), drawing.depth, 0)
    share = 1 - np.exp(-far / rng.uniform(100, 1500))
    return light + share[..., None].astype(np.float32) * (np.float32(daylight.horizon) - light)


def _lens(rng: np.random.Generator, light: np.ndarray) -> np.ndarray:
    height, width = light.shape[:2]
    if rng.random() < 0.18:
        light = cv2.filter2D(light, -1, _streak(rng.uniform(2, 8), rng.uniform(0, math.pi)))
    if rng.random() < 0.35:
        light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 0.8))
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = np.hypot(u - width / 2, v - height / 2) / math.hypot(width / 2, height / 2)
    strength = rng.uniform(0, 0.6) if rng.random() < 0.5 else 0.0
    return light * (1 - strength * radius**2)[..., None]


def _streak(length: float, angle: float) -> np.ndarray:
    """Return the kernel of a camera that moves evenly by `length` pixels."""
    size = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    for t in np.linspace(-length / 2, length / 2, 33):
        kernel[round(middle + t * math.sin(angle)), round(middle + t * math.cos(angle))] += 1
    return kernel / kernel.sum()


def _gain(rng: np.random.Generator, light: np.ndarray) -> float:
    """Return the factor of an automatic exposure, which is off by up to a stop or so."""
    mean = float(np.exp(np.log(light.mean(axis=2) + 1e-3).mean()))
    return 0.25 / mean * 2 ** rng.normal(0, 0.5)


def _tone(rng: np.random.Generator, light: np.ndarray) -> np.ndarray:
    """Return sRGB values: hard or soft clipping of the lights, then the transfer curve."""
    light = light.clip(0, 50)
    if rng.random() < 0.6:
        white = rng.uniform(1.5, 6)
        light = light * (1 + light / white**2) / (1 + light) * rng.uniform(1.2, 1.6)
    light = light.clip(0, 1)
    curve = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return curve if rng.random() < 0.5 else curve ** rng.uniform(0.8, 1.3)


def _grain(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    strength = rng.uniform(0.0, 0.025) if rng.random() < 0.7 else 0.0
    white = rng.standard_normal(picture.shape, dtype=np.float32)
    return strength * white * np.sqrt(0.15 + picture)

"""What cameras do to colors: exposure, gamma, white balance, saturation, blur and noise."""

import cv2
import numpy as np


def distort_color(rng: np.random.Generator, rgb: np.ndarray) -> np.ndarray:
    """Return a copy of (H, W, 3) uint8 as another camera might have seen it."""
    image = rgb.astype(np.float32) / 255
    if rng.random() < 0.8:
        image = np.power(image, rng.uniform(0.6, 1.6), dtype=np.float32)
        image *= rng.uniform(0.6, 1.4) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    gray = image.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.4, 1.5)
    image = gray + saturation * (image - gray)
    if rng.random() < 0.3:
        mean = image.mean()
        image = mean + rng.uniform(0.5, 1.5) * (image - mean)
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.6:
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        image = image + rng.uniform(0.0, 0.05) * noise
    return np.rint(255 * image.clip(0, 1)).astype(np.uint8)

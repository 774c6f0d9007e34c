"""Whether an image shows anything that depth could follow from."""

import math

import cv2
import numpy as np

_CELLS = 24
"""Per side; in dark frames with noise of 2 gray levels their averages span 1."""
_LEAST_CELL_PX = 4
_SAMPLED_ROWS = 240
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Its response to normal noise of deviation 1 is 6 sqrt(2 / pi) in the mean, and 0 to any slope
(Immerkaer, 1996)."""
_DARK = 64  # gray levels below which it is asked whether all of it is noise
_SPAN = 4.65  # deviations between the quantiles 0.01 and 0.99, if normal
_LEAST_RATIO = 2.0
"""Of what cells span to what noise makes them span: 0.9 to 1.1 of noise alone, 9 and more of dark
views with noise, 340 and more of simulated and real views."""


def missing_content(rgb: np.ndarray, min_contrast: float) -> str:
    """Return that an image (H, W, 3) shows next to nothing, '' if it shows something."""
    if not min_contrast or min(rgb.shape[:2]) < _LEAST_CELL_PX:
        return ''
    # Averages of cells keep what the scene shows and lose the noise of the sensor.
    step = max(1, min(rgb.shape[:2]) // _SAMPLED_ROWS)
    sampled = rgb[::step, ::step].astype(np.float32)
    size = [max(1, min(_CELLS, n // _LEAST_CELL_PX)) for n in sampled.shape[1::-1]]
    cells = cv2.resize(sampled, size, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(cells, (1, 99), axis=(0, 1))
    channel = int((high - low).argmax())
    contrast = float((high - low)[channel])
    if contrast < min_contrast:
        return (
            f'the image has next to no content: its gray levels span {contrast:.1f} of 255, '
            f'min_contrast is {min_contrast:g}; uncover the lens or light the scene'
        )
    if high.max() > _DARK:
        return ''
    gray = np.ascontiguousarray(sampled[..., channel])
    noise = _noise(gray, size)
    by_noise = _SPAN * noise / math.sqrt(gray.size / (size[0] * size[1]))
    if contrast < _LEAST_RATIO * by_noise:
        return (
            f'the image is dark and shows white noise of {noise:.0f} gray levels and nothing '
            'else; uncover the lens or light the scene'
        )
    return ''


def _noise(gray: np.ndarray, cells: list[int]) -> float:
    """Return the deviation of the noise of an image (H, W), by its least textured cells."""
    response = np.abs(cv2.filter2D(gray, -1, _NOISE_KERNEL))
    means = cv2.resize(response, cells, interpolation=cv2.INTER_AREA)
    return float(np.quantile(means, 0.25)) * math.sqrt(math.pi / 2) / 6

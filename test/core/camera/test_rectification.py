"""Rectification against lenses computed here, by inverting the published lens formulas."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.rectification import (
    Rectifier,
    rectification_maps,
    sample,
    sampling_grid,
)
from mono_depth_ros.core.errors import CalibrationError, ImageError

WIDTH, HEIGHT = 200, 150
K = ((120.0, 0.0, 101.3), (0.0, 125.0, 73.8), (0.0, 0.0, 1.0))
P = ((105.0, 0.0, 97.0, -11.0), (0.0, 105.0, 76.0, 0.0), (0.0, 0.0, 1.0, 0.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
LENSES = {
    'plumb_bob': (-0.3, 0.1, 0.002, -0.003, -0.01),
    'rational_polynomial': (0.2, 0.05, 0.001, -0.002, 0.01, 0.5, 0.05, 0.01),
    'equidistant': (0.04, -0.02, 0.005, -0.001),
}

Rays = np.ndarray  # (2, H, W): x/z and y/z


def brown(ray: Rays, d: tuple[float, ...]) -> Rays:
    """Distort by the Brown-Conrady model, radial part a quotient (OpenCV's calib3d)."""
    k1, k2, p1, p2, k3, k4, k5, k6 = (*d, 0, 0, 0)[:8]
    x, y = ray
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ]
    )


def equidistant(ray: Rays, d: tuple[float, ...]) -> Rays:
    """Distort by a polynomial in the ray's angle (Kannala and Brandt 2006)."""
    radius = np.hypot(*ray)
    angle = np.arctan(radius)
    bent = angle * (1 + sum(k * angle ** (2 * i + 2) for i, k in enumerate(d)))
    return ray * bent / np.maximum(radius, 1e-12)


MODELS: dict[str, Callable[[Rays, tuple[float, ...]], Rays]] = {
    'plumb_bob': brown,
    'rational_polynomial': brown,
    'equidistant': equidistant,
}


def rotation(yaw: float, pitch: float) -> np.ndarray:
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array(
        [[1, 0, 0], [0, cp, -sp], [0, sp, cp]]
    )


def rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))


def calibration(
    model: str, turn: np.ndarray, d: tuple[float, ...] | None = None
) -> CameraCalibration:
    return CameraCalibration(
        WIDTH, HEIGHT, K, LENSES[model] if d is None else d, model, rows(turn), P
    )


def grid_lines(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return a picture of soft horizontal and vertical lines, different in each channel."""
    across, down = np.sin(u * 2 * np.pi / 25), np.sin(v * 2 * np.pi / 21)
    return np.stack([128 + 100 * across, 128 + 100 * down, 128 + 60 * (across + down)], axis=-1)


def raw_picture(lens: CameraCalibration) -> np.ndarray:
    """Return what the lens makes of `grid_lines`: every raw pixel traced to its rectified one."""
    (fx, _, cx), (_, fy, cy), _ = lens.K
    v, u = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    distort = MODELS[lens.distortion_model]
    bent = np.stack([(u - cx) / fx, (v - cy) / fy])
    ray = bent.copy()
    for _ in range(60):
        ray += bent - distort(ray, lens.D)
    assert np.abs(bent - distort(ray, lens.D)).max() < 1e-6
    x, y, z = np.tensordot(np.array(lens.R), np.stack([*ray, np.ones_like(u)]), axes=1)
    (fx, _, cx, _), (_, fy, cy, _), _ = lens.P
    return np.rint(grid_lines(fx * x / z + cx, fy * y / z + cy)).astype(np.uint8)


@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('turn', [np.eye(3), rotation(0.03, -0.05)], ids=['level', 'turned'])
def test_bent_grid_becomes_straight(model: str, turn: np.ndarray) -> None:
    lens = calibration(model, turn)
    raw = raw_picture(lens)
    rectified = Rectifier(lens).rectify(torch.from_numpy(raw)).numpy()
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    straight = grid_lines(u, v)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[35:-35, 35:-35] = True
    assert np.abs(raw - straight)[inside].mean() > 40
    # Bilinear between samples of a wave of 21 px is off by up to 100 (pi / 21)^2 / 2 = 1.1 a axis.
    assert np.abs(rectified - straight)[inside].max() < 3
    assert np.abs(rectified - straight)[inside].mean() < 0.6
    columns = rectified[35:-35, 35:-35, 0].astype(int)
    assert np.ptp(columns, axis=0).max() < 4, 'vertical lines are straight'


@pytest.mark.parametrize('model', MODELS)
def test_both_ways_agree_within_rounding_also_on_noise(model: str) -> None:
    lens = calibration(model, rotation(-0.1, 0.2))
    noise = torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    )
    by_opencv = Rectifier(lens).rectify(noise)
    by_torch = sample(noise, sampling_grid(rectification_maps(lens)))
    assert by_opencv.dtype == by_torch.dtype == torch.uint8
    assert by_opencv.shape == by_torch.shape == (HEIGHT, WIDTH, 3)
    assert (by_opencv == 0).all(dim=-1).any(), 'part of the view lies outside the raw image'
    difference = (by_opencv.int() - by_torch.int()).abs()
    assert difference.max() <= 1
    assert (difference > 0).float().mean() < 0.01


@pytest.mark.parametrize('device', ['cuda', 'mps'])
def test_device_agrees_with_the_cpu(device: str) -> None:
    if not getattr(torch, device).is_available():
        pytest.skip(f'needs a {device} device')
    lens = calibration('plumb_bob', np.eye(3))
    raw = torch.from_numpy(raw_picture(lens))
    rectified = Rectifier(lens, device).rectify(raw.to(device))
    assert rectified.device.type == device
    assert (rectified.cpu().int() - Rectifier(lens).rectify(raw).int()).abs().max() <= 1


@pytest.mark.parametrize('model', ['plumb_bob', 'equidistant', '', 'unheard_of'])
def test_without_distortion_only_the_camera_changes(model: str) -> None:
    (fx, _, cx), (_, fy, cy), _ = K
    moved = ((fx, 0.0, cx - 3, 0.0), (0.0, fy, cy + 2, 0.0), (0.0, 0.0, 1.0, 0.0))
    lens = CameraCalibration(WIDTH, HEIGHT, K, (), model, EYE, moved)
    raw = torch.arange(HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3).to(torch.uint8)
    rectified = Rectifier(lens).rectify(raw)
    assert torch.equal(rectified[2:, :-3], raw[:-2, 3:])
    assert (rectified[:2] == 0).all()
    assert (rectified[:, -3:] == 0).all()


def test_shorter_lenses_are_the_longer_ones_with_zeros() -> None:
    four = (-0.3, 0.1, 0.002, -0.003)
    noise = torch.randint(256, (HEIGHT, WIDTH, 3), generator=torch.manual_seed(0))
    pictures = [
        Rectifier(calibration(model, np.eye(3), four + (0.0,) * more)).rectify(noise.byte())
        for model, more in (('plumb_bob', 0), ('plumb_bob', 1), ('rational_polynomial', 10))
    ]
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], pictures[2])


@pytest.mark.parametrize('model', LENSES)
def test_zeros_beyond_the_coefficients_of_a_model_change_nothing(model: str) -> None:
    noise = torch.randint(256, (HEIGHT, WIDTH, 3), generator=torch.manual_seed(0)).byte()
    lens, longer = (
        calibration(model, np.eye(3), LENSES[model] + (0.0,) * more) for more in (0, 1)
    )
    assert torch.equal(Rectifier(lens).rectify(noise), Rectifier(longer).rectify(noise))


def test_rows_with_padding_are_read() -> None:
    lens = calibration('plumb_bob', np.eye(3))
    raw = torch.from_numpy(raw_picture(lens))
    wide = torch.zeros((HEIGHT, WIDTH + 9, 3), dtype=torch.uint8)
    wide[:, :WIDTH] = raw
    rectify = Rectifier(lens).rectify
    assert torch.equal(rectify(wide[:, :WIDTH]), rectify(raw))


@pytest.mark.parametrize(
    ('model', 'd', 'complaint'),
    [
        ('thin_lens', (0.1,) * 5, "'thin_lens'; .* plumb_bob, rational_polynomial, equidistant"),
        ('', (0.1,) * 5, "distortion model is ''"),
        ('plumb_bob', (0.1,) * 3, 'D has 3 coefficients; .* plumb_bob takes 4 or 5 or 8'),
        ('rational_polynomial', (0.1,) * 6, 'rational_polynomial takes .* 8 or 12 or 14'),
        ('equidistant', (0.1,) * 5, 'D has 5 coefficients; .* equidistant takes 4'),
        ('equidistant', (0.1, 0, 0, 0, -0.02), 'number 5 is -0.02, and .* equidistant takes 4'),
        ('plumb_bob', (0.1,) * 5 + (0.3, 0.0), 'D has 7 .* number 6 is 0.3, and'),
    ],
)
def test_unknown_lens(model: str, d: tuple[float, ...], complaint: str) -> None:
    with pytest.raises(CalibrationError, match=complaint):
        Rectifier(calibration(model, np.eye(3), d))


def test_image_of_another_size() -> None:
    rectifier = Rectifier(calibration('plumb_bob', np.eye(3)))
    with pytest.raises(ImageError, match=r'image is 150x200 px; .* for 200x150 px'):
        rectifier.rectify(torch.zeros((200, 150, 3), dtype=torch.uint8))


def test_where_the_lens_formula_folds_back_there_is_nothing() -> None:
    """The bent radius r (1 - 0.3 r^2) grows up to r = 1.054; beyond it would mirror the view."""
    wide = ((25.0, 0.0, 99.5, 0.0), (0.0, 25.0, 74.5, 0.0), (0.0, 0.0, 1.0, 0.0))
    k = ((140.0, 0.0, 99.5), (0.0, 140.0, 74.5), (0.0, 0.0, 1.0))
    lens = CameraCalibration(WIDTH, HEIGHT, k, (-0.3, 0.0, 0.0, 0.0), 'plumb_bob', EYE, wide)
    white = torch.full((HEIGHT, WIDTH, 3), 255, dtype=torch.uint8)
    rectifier = Rectifier(lens)
    rectified = rectifier.rectify(white)[..., 0]
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    x, y = (u - 99.5) / 25, (v - 74.5) / 25
    r = np.hypot(x, y)
    bent = r * (1 - 0.3 * r * r)
    inside = (np.abs(bent * x / r) < 99 / 140) & (np.abs(bent * y / r) < 74 / 140)
    beyond = r > 1 / np.sqrt(0.9)
    assert (beyond & inside).sum() > 1000, 'the formula alone would show something there'
    # One pixel of rectified image is 0.04 of r.
    assert (rectified.numpy()[r > 1.054 + 0.04] == 0).all()
    assert (rectified.numpy()[inside & (r < 1.054 - 0.08)] == 255).all()
    seen = rectifier.valid_mask(torch.ones(HEIGHT, WIDTH, dtype=torch.bool))
    assert torch.equal(seen, rectified == 255)

import numpy as np
import pytest
import torch

from mono_depth_ros.core.scale.depth_measurement import measure_depth
from mono_depth_ros.core.scale.image_texture import image_noise, is_textured, without_guesses


def gray(image: torch.Tensor, noise: float, seed: int = 0) -> np.ndarray:
    random = torch.Generator().manual_seed(seed)
    noisy = image + noise * torch.randn(image.shape, generator=random)
    return noisy.round().clamp(0, 255).to(torch.uint8).numpy()


def wave(amplitude: float, period_px: float = 16) -> torch.Tensor:
    """Return (240, 320) levels that change along the row."""
    phase = 2 * torch.pi * torch.arange(320) / period_px
    return (120 + amplitude * phase.sin()).expand(240, 320)


@pytest.mark.parametrize(('noise', 'stated'), [(0.0, 0.3), (1.0, 1.0), (2.0, 2.0), (9.0, 4.0)])
def test_noise_is_measured_within_bounds(noise: float, stated: float) -> None:
    assert image_noise(gray(wave(0), noise)) == pytest.approx(stated, rel=0.1)
    assert image_noise(gray(wave(40, 64), noise)) == pytest.approx(stated, rel=0.15)


def test_noise_is_that_of_the_smooth_part() -> None:
    image = wave(0).clone()
    image[:, 160:] = torch.randint(0, 256, (240, 160), generator=torch.Generator().manual_seed(1))
    assert image_noise(gray(image, 2.0)) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(('amplitude', 'share'), [(0.0, 0.0), (1.0, 0.0), (12.0, 1.0), (60, 1.0)])
def test_texture_counts_above_the_noise(amplitude: float, share: float) -> None:
    found = is_textured(gray(wave(amplitude), 2.0))
    assert found.shape == (240, 320)
    assert float(found[8:-8, 8:-8].mean()) == pytest.approx(share, abs=0.02)


def test_level_edges_are_no_texture_along_the_row() -> None:
    upright = torch.from_numpy(gray(wave(60), 2.0))
    assert float(is_textured(np.ascontiguousarray(upright[:, :240].T.numpy())).mean()) < 0.02


def test_limit_is_the_deviation_of_a_match() -> None:
    """A wave of amplitude a, period p has mean g^2 = 2 (pi a / p)^2; the block has 100 pixels."""
    period, noise, limit = 32, 2.0, 0.4
    amplitude = period / np.pi * noise / limit / 10

    def share(of: float) -> float:
        return float(is_textured(gray(wave(of * amplitude, period), noise)).mean())

    assert share(0.6) < 0.35
    assert share(1.4) > 0.65


@pytest.mark.parametrize('size', [(320, 240), (160, 120), (640, 480), (300, 200)])
def test_what_is_measured_without_texture_is_dropped(size: tuple[int, int]) -> None:
    width, height = size
    image = torch.from_numpy(gray(wave(60), 2.0))
    image[:, :160] = torch.from_numpy(gray(wave(0), 2.0))[:, :160]
    measured = measure_depth(torch.full((height, width), 2.0))
    kept = without_guesses(measured, image[..., None].expand(-1, -1, 3))
    known = kept.inverse_depth.isfinite()
    assert kept.noise == measured.noise
    assert float(known[:, : round(0.47 * width)].float().mean()) < 0.02
    assert float(known[:, round(0.53 * width) :].float().mean()) > 0.98
    assert kept.inverse_depth[known].unique().tolist() == [0.5]


@pytest.mark.parametrize('shape', [(1, 1), (1, 40), (40, 1), (3, 3)])
def test_tiny_images_are_judged_too(shape: tuple[int, int]) -> None:
    assert is_textured(np.full(shape, 9, np.uint8)).tolist() == np.zeros(shape, bool).tolist()

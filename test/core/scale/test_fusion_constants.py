"""What the constants of the fusion decide, on both sides of the decision.

Those of diffusion.py are in the solutions of test_diffusion.py, by their numbers.
"""

import math

import pytest
import torch

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fusion import MetricDepth, fuse

SIZE = (128, 160)
RANGE = (0.1, 80.0)
FLAT = torch.full(SIZE, 0.5)
GRAY = torch.full((*SIZE, 3), 128, dtype=torch.uint8)


def fused(aligned: torch.Tensor, measured: torch.Tensor) -> MetricDepth:
    """Return the fusion with a measurement of 2 % noise."""
    return fuse(aligned, GRAY, DepthMeasurement(measured, 0.0, relative_noise=0.02), RANGE)


def at_rows(truth: torch.Tensor) -> torch.Tensor:
    measured = torch.full_like(truth, torch.nan)
    measured[4::8] = truth[4::8]
    return measured


@pytest.mark.parametrize(('error', 'agrees'), [(0.06, True), (0.11, False)])
def test_a_pixel_agrees_within_three_deviations(error: float, agrees: bool) -> None:
    # One deviation is that of 2 % noise and of the 2 % that exact surroundings count for.
    measured = at_rows(FLAT)
    measured[60, 80] *= 1 + error
    assert bool(fused(FLAT, measured).is_measured[60, 80]) == agrees


@pytest.mark.parametrize(
    ('height', 'width', 'is_kept'), [(7, 3, True), (3, 7, True), (6, 3, False), (7, 2, False)]
)
def test_a_surface_fills_a_block(height: int, width: int, is_kept: bool) -> None:
    patch = slice(60, 60 + height), slice(80, 80 + width)
    measured = FLAT.clone()
    measured[patch] = 2.0
    result = fused(FLAT, measured)
    assert bool((result.inverse_depth[patch] == 2.0).all()) == is_kept
    assert bool(result.is_measured[patch].any()) == is_kept


@pytest.mark.parametrize(('slope', 'is_kept'), [(0.33, True), (0.39, False)])
def test_a_surface_varies_little(slope: float, is_kept: bool) -> None:
    patch = slice(60, 67), slice(80, 83)
    measured = FLAT.clone()
    measured[patch] = 2.0 * torch.linspace(1, 1 + slope, 7)[:, None]
    assert bool(fused(FLAT, measured).is_measured[patch].any()) == is_kept


@pytest.mark.parametrize(('share', 'is_kept'), [(0.3, True), (0.15, False)])
def test_a_surface_is_seen_in_dense_measurements(share: float, is_kept: bool) -> None:
    patch = slice(60, 67), slice(8, 11)
    measured = FLAT.clone()
    measured[:, round(share * SIZE[1]) :] = torch.nan
    measured[patch] = 2.0
    assert bool(fused(FLAT, measured).is_measured[patch].any()) == is_kept


def test_corrections_fade_from_a_tenth_of_the_median() -> None:
    aligned = FLAT / 1.2
    aligned[:64] = 0.025  # half of the tenth
    measured = at_rows(FLAT)
    measured[:64] = torch.nan
    far = fused(aligned, measured).inverse_depth[:56]
    assert float(far.mean()) == pytest.approx(0.025 * (1 + 0.2 / 2), rel=0.01)


def outliers(share: float) -> torch.Tensor:
    """Return rows of which a share is somewhere else."""
    generator = torch.Generator().manual_seed(0)
    wrong = torch.rand(SIZE, generator=generator) < share
    anywhere = 1 / (1 + 4 * torch.rand(SIZE, generator=generator))
    return at_rows(torch.where(wrong, anywhere, FLAT))


def test_sixty_percent_outliers_are_left_out() -> None:
    wave = 0.1 * torch.linspace(0, 2 * math.pi, SIZE[1]).sin()
    result = fused(FLAT * wave.exp(), outliers(0.6))
    assert float((result.inverse_depth / FLAT - 1).abs().mean()) < 0.022


@pytest.mark.parametrize(
    ('share', 'factor', 'is_corrected'),
    [(0.0, 1.4, True), (0.2, 1.3, True), (0.0, 2.0, False), (0.2, 1.6, False)],
)
def test_with_few_outliers_a_measurement_is_believed(
    share: float, factor: float, is_corrected: bool
) -> None:
    wave = 0.03 * torch.linspace(0, 4 * math.pi, SIZE[1]).sin()
    aligned = FLAT * wave.exp()
    aligned[:, 60:100] *= factor
    result = fused(aligned, outliers(share))
    assert (float((result.inverse_depth / FLAT - 1).abs()[:, 62:98].mean()) < 0.05) == is_corrected


@pytest.mark.parametrize(
    ('is_matched', 'factor', 'is_corrected'),
    [(True, 1.3, True), (True, 1.5, False), (False, 1.6, True)],
)
def test_matches_are_believed_less(is_matched: bool, factor: float, is_corrected: bool) -> None:
    aligned = FLAT.clone()
    aligned[:, 60:100] *= factor
    measurement = DepthMeasurement(at_rows(FLAT), 0.0, relative_noise=0.02, is_matched=is_matched)
    result = fuse(aligned, GRAY, measurement, RANGE)
    assert (float((result.inverse_depth / FLAT - 1).abs()[:, 62:98].mean()) < 0.05) == is_corrected


def test_a_surface_that_the_network_has_wrong_is_corrected() -> None:
    wave = 0.1 * torch.linspace(0, 4 * math.pi, SIZE[1]).sin()
    aligned = FLAT * wave.exp()
    aligned[:, 60:100] *= 1.35
    result = fused(aligned, at_rows(FLAT))
    assert float((result.inverse_depth / FLAT - 1).abs()[:, 62:98].max()) < 0.05

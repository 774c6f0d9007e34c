import math

import pytest
import torch
import torch.nn.functional as F

from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fusion import MetricDepth, fuse

SIZE = (120, 160)
RANGE = (0.1, 80.0)


def floor(size: tuple[int, int] = SIZE) -> torch.Tensor:
    """Return the inverse depth (H, W) of a plane, 0.2 to 0.8 1/m from top to bottom."""
    rows = (torch.arange(size[0]) + 0.5) / size[0]
    return (0.2 + 0.6 * rows)[:, None].repeat(1, size[1])


def bent(truth: torch.Tensor) -> torch.Tensor:
    """Return what a network says of it: up to a tenth wrong, smoothly."""
    columns = torch.linspace(0, math.pi, truth.shape[1]).sin()
    return truth * (1 + 0.1 * columns)


def gray(size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.full((*size, 3), 128, dtype=torch.uint8)


def at_rows(truth: torch.Tensor, step: int = 8) -> torch.Tensor:
    """Return (H, W): every so many rows of it, NaN elsewhere."""
    measured = torch.full_like(truth, torch.nan)
    measured[step // 2 :: step] = truth[step // 2 :: step]
    return measured


def fused(aligned: torch.Tensor, measured: torch.Tensor, noise: float = 0.01) -> MetricDepth:
    measurement = DepthMeasurement(measured, 0.0, relative_noise=noise)
    return fuse(aligned, gray((aligned.shape[0], aligned.shape[1])), measurement, RANGE)


def error(inverse_depth: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (inverse_depth / truth - 1).abs()


def test_a_plane_measured_at_some_rows_is_right_between_them() -> None:
    truth = floor()
    assert float(error(bent(truth), truth).max()) == pytest.approx(0.1, abs=0.001)
    result = fused(bent(truth), at_rows(truth))
    assert float(error(result.inverse_depth, truth).max()) < 0.02
    assert float(error(result.inverse_depth, truth).mean()) < 0.003


def test_measured_pixels_follow_the_measurement_and_are_marked() -> None:
    truth, measured = floor(), at_rows(floor())
    result = fused(bent(truth), measured)
    given = measured.isfinite()
    assert torch.equal(result.is_measured, given)
    assert float(error(result.inverse_depth, truth)[given].max()) < 0.005


def test_a_measured_pixel_is_averaged_with_what_surrounds_it() -> None:
    truth = floor()
    measured = at_rows(truth)
    measured[60, 80] *= 1.03
    result = fused(truth, measured, noise=0.02)
    # The spread of exact measurements is taken for 0.02 as well, so each counts half.
    change = float(result.inverse_depth[60, 80] / truth[60, 80] - 1)
    assert change == pytest.approx(0.015, abs=0.003)
    assert float(error(result.inverse_depth, truth)[60, 78]) < 0.005


@pytest.mark.parametrize('factor', [0.3, 0.7, 1.4, 5.0])
def test_an_outlier_is_left_out(factor: float) -> None:
    truth = floor()
    measured = at_rows(truth)
    measured[60, 80] *= factor
    result = fused(bent(truth), measured)
    assert not result.is_measured[60, 80]
    assert float(error(result.inverse_depth, truth)[50:70, 70:90].max()) < 0.02


@pytest.mark.parametrize('share', [0.1, 0.4])
def test_scattered_outliers_are_left_out(share: float) -> None:
    truth = floor()
    generator = torch.Generator().manual_seed(0)
    wrong = torch.rand(SIZE, generator=generator) < share
    anywhere = 0.1 + torch.rand(SIZE, generator=generator)
    measured = at_rows(torch.where(wrong, anywhere, truth), 4)
    result = fused(bent(truth), measured)
    assert float(error(result.inverse_depth, truth).median()) < 0.005
    taken = result.is_measured & wrong
    assert float(error(result.inverse_depth, truth)[taken].max()) < 0.15


def test_sky_is_unchanged() -> None:
    truth = floor()
    aligned = truth / 1.2
    aligned[:30] = torch.linspace(-0.3, 0.0, 30)[:, None]
    measured = at_rows(truth)
    measured[:30] = torch.nan
    result = fused(aligned, measured)
    assert torch.equal(result.inverse_depth[:30], aligned[:30])
    assert float(error(result.inverse_depth, truth)[40:].max()) < 0.02


def test_a_thin_post_of_dense_disparity_stays() -> None:
    truth = floor()
    post = (slice(20, 110), slice(80, 83))
    measured = truth.clone()
    measured[post] = 1.5
    result = fused(bent(truth), measured)  # the network does not see it
    assert torch.equal(result.inverse_depth[post], measured[post])
    assert bool(result.is_measured[post].all())


def test_a_thin_post_stays_beside_outliers_and_holes() -> None:
    truth = floor()
    generator = torch.Generator().manual_seed(0)
    measured = truth * (1 + 0.01 * torch.randn(SIZE, generator=generator))
    measured[20:110, 80:84] = 1.5
    measured[torch.rand(SIZE, generator=generator) < 0.02] = torch.nan
    wrong = torch.rand(SIZE, generator=generator) < 0.02
    measured[wrong] = 0.1 + torch.rand(SIZE, generator=generator)[wrong]
    result = fused(bent(truth), measured)
    right = (result.inverse_depth[20:110, 80:84] / 1.5 - 1).abs() < 0.1
    assert bool((right.sum(dim=1) > 0).float().mean() > 0.7)


def test_a_wall_beyond_the_network_s_is_followed() -> None:
    truth = floor()
    truth[30:80, 40:120] = 1.1
    result = fused(floor() * 1.05, truth)
    assert float(error(result.inverse_depth, truth).max()) < 0.05


@pytest.mark.parametrize('depth_m', [math.nan, 0.05, 100.0])
def test_nothing_that_is_measured_in_range_changes_nothing(depth_m: float) -> None:
    aligned = bent(floor())
    result = fused(aligned, torch.full(SIZE, 1 / depth_m))
    assert result.inverse_depth is aligned
    assert result.is_measured is None


def test_measured_only_where_the_network_says_sky_changes_nothing() -> None:
    aligned = torch.full(SIZE, -0.1)
    assert fused(aligned, at_rows(floor())).inverse_depth is aligned


@pytest.mark.parametrize('size', [(60, 80), (240, 320), (97, 131), (30, 40), (8, 8)])
def test_a_measurement_may_have_another_resolution(size: tuple[int, int]) -> None:
    truth = floor()
    measured = F.interpolate(truth[None, None], size, mode='bilinear')[0, 0]
    result = fused(bent(truth), measured)
    assert float(error(result.inverse_depth, truth)[8:-8, 8:-8].mean()) < 0.012
    assert result.is_measured is not None
    assert result.is_measured.shape == SIZE


def test_zones_of_a_coarse_sensor_lie_at_their_centers() -> None:
    truth = floor()
    zones = truth[7::15, 10::20].clone()
    zones[2, 3] *= 3
    result = fused(truth, zones)
    expected = torch.zeros(SIZE, dtype=torch.bool)
    expected[7::15, 10::20] = True
    expected[37, 70] = False
    assert torch.equal(result.is_measured, expected)


@pytest.mark.parametrize('size', [(180, 320), (37, 100), (33, 500), (500, 33), (16, 16), (9, 9)])
def test_images_of_any_size_are_corrected(size: tuple[int, int]) -> None:
    truth = floor(size)
    result = fused(bent(truth), at_rows(truth, 4))
    assert result.inverse_depth.shape == size
    assert float(error(result.inverse_depth, truth).mean()) < 0.02
    assert float(error(result.inverse_depth, truth).max()) < 0.05


def test_a_dense_measurement_does_not_fill_what_a_mask_excludes() -> None:
    aligned, measured = bent(floor()), floor()
    aligned[:, :12] = torch.nan
    result = fused(aligned, measured)
    assert bool(result.inverse_depth[:, :12].isnan().all())
    assert not bool(result.is_measured[:, :12].any())
    assert bool(result.inverse_depth[:, 12:].isfinite().all())


def test_where_the_network_says_nothing_depth_stays_unknown() -> None:
    truth = floor()
    aligned = bent(truth)
    aligned[:, :40] = torch.nan
    result = fused(aligned, at_rows(truth))
    assert bool(result.inverse_depth[:, :40].isnan().all())
    assert float(error(result.inverse_depth, truth)[:, 40:].max()) < 0.02
    assert not result.is_measured[:, :40].any()


def test_a_correction_stays_on_its_side_of_an_edge() -> None:
    truth = floor()
    truth[:, 80:] += 1.0
    aligned = truth.clone()
    aligned[:, 80:] *= 1.2
    measured = at_rows(truth)
    measured[:, 70:90] = torch.nan
    result = fused(aligned, measured)
    assert float(error(result.inverse_depth, truth)[:, :78].max()) < 0.03
    assert float(error(result.inverse_depth, truth)[:, 82:].max()) < 0.03


def test_a_view_of_another_order_is_fused_the_same_way() -> None:
    truth = floor()
    transposed = bent(truth).T.contiguous().T
    result = fused(transposed, at_rows(truth).T.contiguous().T)
    expected = fused(bent(truth), at_rows(truth))
    torch.testing.assert_close(result.inverse_depth, expected.inverse_depth)


def test_the_same_is_fused_the_same_way() -> None:
    truth = floor()
    generator = torch.Generator().manual_seed(1)
    measured = truth * (1 + 0.05 * torch.randn(SIZE, generator=generator))
    results = [fused(bent(truth), measured) for _ in range(2)]
    assert torch.equal(results[0].inverse_depth, results[1].inverse_depth)
    assert torch.equal(results[0].is_measured, results[1].is_measured)


def test_what_it_is_given_stays_as_it_is() -> None:
    aligned, measured = bent(floor()), at_rows(floor())
    copies = aligned.clone(), measured.clone()
    fused(aligned, measured)
    torch.testing.assert_close((aligned, measured), copies, equal_nan=True, rtol=0, atol=0)


def test_a_dense_measurement_counts_by_the_noise_that_it_shows() -> None:
    """One of 2 % noise that states a tenth of that is averaged with the field all the same."""
    truth = floor()
    noise = torch.randn(SIZE, generator=torch.Generator().manual_seed(0))
    measured = truth * (1 + 0.02 * noise)
    result = fused(bent(truth), measured, noise=0.002)
    ratio = error(result.inverse_depth, truth).mean() / error(measured, truth).mean()
    assert float(ratio) < 0.7
    exact = fused(bent(truth), truth, noise=0.002)
    assert float(error(exact.inverse_depth, truth).mean()) < 0.001


def test_outliers_of_a_dense_measurement_are_no_noise() -> None:
    truth = floor()
    generator = torch.Generator().manual_seed(0)
    is_outlier = torch.rand(SIZE, generator=generator) < 0.4
    measured = torch.where(is_outlier, 0.1 + 2 * torch.rand(SIZE, generator=generator), truth)
    result = fused(bent(truth), measured, noise=0.01)
    far_off = error(measured, truth) > 0.3
    assert float(result.is_measured[far_off].float().mean()) < 0.02

"""The stated uncertainty of depth, by what is measured where."""

import math

import pytest
import torch

from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.alignment_filter import AlignmentSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import ScaleSettings
from mono_depth_ros.core.scale.uncertainty import Uncertainty, remove_uncertain
from mono_depth_ros.core.types import PredictionKind

HEIGHT, WIDTH = 120, 160
NEAR_FAR = (0.1, 80.0)


def scene() -> torch.Tensor:
    """Return a floor and a post of inverse depth 1 before it."""
    q = torch.linspace(0.1, 0.8, HEIGHT)[:, None].repeat(1, WIDTH)
    q[20:100, 70:90] = 1.0
    return q


def uncertainty(
    measured: torch.Tensor,
    model: str = 'fused',
    bias: float = 0.1,
    values: torch.Tensor | None = None,
    is_matched: bool = False,
) -> Uncertainty:
    """Return that of a network whose error varies over the image."""
    wave = 1 + bias * torch.sin(torch.linspace(0, 6, WIDTH))
    values = ((scene() if values is None else values) * wave + 0.1) / 0.3
    color = (255 * scene()).to(torch.uint8)[..., None].expand(-1, -1, 3)
    prediction = PredictedFrame(values, color, None, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, '')
    settings = ScaleSettings(alignment=AlignmentSettings(source='depth', model=model))
    estimator = ScaleEstimator(settings, PredictionKind.RELATIVE_INVERSE_DEPTH)
    evidence = DepthMeasurement(measured, 0.001, is_matched=is_matched)
    scale = estimator.update(0, prediction, NEAR_FAR, lambda: {'depth': evidence})
    assert scale.applied is not None, scale.reason_unknown
    return Uncertainty(scale.metric(prediction, NEAR_FAR), prediction, scale)


def lines(every: int) -> torch.Tensor:
    measured = torch.full((HEIGHT, WIDTH), math.nan)
    measured[::every] = scene()[::every]
    return measured


def test_it_grows_with_the_distance_to_what_was_measured() -> None:
    half = lines(4)
    half[:, WIDTH // 2 :] = math.nan
    share = uncertainty(half).share
    columns = share[104:116].median(dim=0).values
    assert columns[20] < 0.03
    assert columns[20] < columns[100] < columns[130] <= columns[158]
    assert columns[158] > 3 * columns[20]


def test_a_few_places_do_not_tell_how_far_a_network_is_off_elsewhere() -> None:
    """A column that a network has exactly right, and rows."""
    column = torch.full((HEIGHT, WIDTH), math.nan)
    column[:, 20] = scene()[:, 20]
    away = (slice(40, 80), slice(95, 155))
    one, rows = (uncertainty(m, bias=0.0).share[away].mean() for m in (column, lines(4)))
    assert one > 0.1
    assert one > 5 * rows


def test_a_measured_pixel_is_the_surest() -> None:
    share = uncertainty(lines(10)).share
    assert share[30, 10] < share[35, 10]


def test_an_edge_is_less_certain_than_a_plane() -> None:
    share = uncertainty(lines(10)).share
    assert share[55, 69] > 1.5 * share[55, 30]


def test_without_fusion_it_is_the_residual_of_the_fit() -> None:
    rough, smooth = (uncertainty(lines(4), 'global', bias).share.median() for bias in (0.2, 0.02))
    assert rough > 3 * smooth


def test_contradicted_measurements_make_their_surroundings_uncertain() -> None:
    measured = lines(4)
    wrong = measured.clone()
    wrong[:, 120:140] = 2 * wrong[:, 120:140]
    right, contradicted = (uncertainty(m).share[50:100, 122:138].mean() for m in (measured, wrong))
    assert contradicted > 2 * right


def test_a_pixel_without_a_match_is_less_certain_than_the_matches_around() -> None:
    measured = scene()
    measured[60:72, 20:32] = math.nan
    share = uncertainty(measured, is_matched=True).share
    ratio = float(share[65:67, 25:27].mean() / share[65:67, 36:40].mean())
    assert 2.5 < ratio < 4


def test_contradicting_matches_are_doubted_less_than_other_measurements() -> None:
    """Of a place where seven of ten measurements are far off."""
    wrong, region = scene(), (slice(60, 100), slice(90, 150))
    is_off = torch.rand(40, 60, generator=torch.Generator().manual_seed(0)) < 0.7
    wrong[region] = torch.where(is_off, 2 * wrong[region], wrong[region])
    doubts = []
    for is_matched in (False, True):
        found = uncertainty(wrong, is_matched=is_matched)
        assert found.metric.is_measured is not None
        doubts.append(float(found.share[region][found.metric.is_measured[region]].mean()))
    depth_sensor, matcher = doubts
    assert 0.6 < matcher / depth_sensor < 0.95


def test_infinitely_far_is_unknown() -> None:
    found = uncertainty(lines(4))
    found.metric.inverse_depth[0] = -0.1
    assert found.share[0].isinf().all()


def test_a_limit_removes_what_exceeds_it() -> None:
    found = uncertainty(lines(10))
    q = found.metric.inverse_depth
    limit = float(found.share.median())
    assert remove_uncertain(q, found, limit).isnan().float().mean() == pytest.approx(0.5, abs=0.05)
    assert remove_uncertain(q, found, 0.0) is q


def sky(measured: torch.Tensor) -> Uncertainty:
    """Return the uncertainty of a network that has the upper fifth as infinitely far."""
    with_sky = scene()
    with_sky[:24] = -0.2
    return uncertainty(measured, values=with_sky)


def test_a_limit_keeps_the_sky() -> None:
    measured = lines(10)
    measured[:24] = math.nan
    found = sky(measured)
    kept = remove_uncertain(found.metric.inverse_depth, found, 0.2)
    assert bool((kept[:24] <= 0).all())


def test_a_limit_removes_sky_in_which_something_was_measured() -> None:
    measured = lines(10)
    measured[:24] = math.nan
    measured[10, 40:60] = 0.5
    found = sky(measured)
    kept = remove_uncertain(found.metric.inverse_depth, found, 0.2)
    assert bool(kept[10, 40:60].isnan().all())
    assert bool((kept[:20, 100:] <= 0).all())


def test_it_is_computed_once_and_only_if_asked_for() -> None:
    found = uncertainty(lines(10))
    assert 'share' not in vars(found)
    assert found.share is found.share

"""A fit may wait until its image is published, while the one in force does as well."""

from dataclasses import replace

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fit_queue import deviation
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.types import AffineScale, PredictionKind

S = 1_000_000_000
RANGE = (0.1, 80.0)
CAMERA = PinholeCamera.from_fov(160, 120, 75.0)
TRUTH = 0.2 + torch.linspace(0, 0.5, 120)[:, None] + torch.linspace(0, 0.3, 160)
"""Inverse depth [1/m] of a plane."""
COLOR = torch.full((120, 160, 3), 90, dtype=torch.uint8)
KIND = PredictionKind.RELATIVE_INVERSE_DEPTH
MEASURED = DepthMeasurement(TRUTH, 0.005)
ROW = torch.where(torch.arange(120)[:, None] == 60, TRUTH, torch.nan)


def prediction(scale: float) -> PredictedFrame:
    return PredictedFrame((TRUTH + 0.1) / scale, COLOR, CAMERA, KIND, 1, '')


def estimator(may_wait: bool = True, **alignment: object) -> ScaleEstimator:
    settings = AlignmentSettings(**{'source': 'depth', 'smoothing': 0.0, **alignment})
    return ScaleEstimator(ScaleSettings(alignment=settings), KIND, may_wait=may_wait)


def show(of: ScaleEstimator, t_s: float, scale: float = 0.3, **evidence: object) -> FrameScale:
    measured = evidence or {'depth': MEASURED}
    return of.update(round(t_s * S), prediction(scale), RANGE, lambda: measured)


def fitted_s(scale: FrameScale) -> float:
    assert scale.state is not None
    return scale.state.stamp_ns / S


def test_a_fit_waits_while_the_one_in_force_does_as_well() -> None:
    one = estimator()
    assert fitted_s(show(one, 1)) == 1
    waiting = show(one, 2)
    assert fitted_s(waiting) == 1
    assert waiting.fused is not None
    assert not waiting.was_measured
    one.catch_up()
    assert fitted_s(one.alignment_at(2 * S)) == 2
    assert one.alignment_at(2 * S).was_measured


def test_the_next_image_finds_it_made() -> None:
    one = estimator()
    for t_s in (1, 2, 3):
        scale = show(one, t_s)
    assert fitted_s(scale) == 2


def test_nothing_waits_unless_it_may() -> None:
    one = estimator(may_wait=False)
    for t_s in (1, 2):
        assert fitted_s(show(one, t_s)) == t_s


@pytest.mark.parametrize('model', ['global', 'local'])
def test_nothing_waits_where_the_fit_is_all_that_is_made_of_a_measurement(model: str) -> None:
    one = estimator(model=model)
    for t_s in (1, 2):
        assert fitted_s(show(one, t_s)) == t_s


def test_an_image_that_the_network_sees_otherwise_is_fitted_to_at_once() -> None:
    one = estimator()
    show(one, 1)
    other = show(one, 2, scale=0.4)
    assert fitted_s(other) == 2
    assert other.applied is not None
    assert other.applied.scale == pytest.approx(0.4, rel=0.02)


def test_an_image_that_the_network_sees_a_little_otherwise_waits() -> None:
    """The fusion corrects what the fit in force is off."""
    one = estimator()
    show(one, 1)
    assert fitted_s(show(one, 2, scale=0.3 * 1.015)) == 1
    one.catch_up()
    assert fitted_s(show(one, 3, scale=0.3 * 1.06)) == 3


def test_how_much_is_left_to_the_fusion_follows_the_noise() -> None:
    """Of 5 %, by three times its median of 3.4 %, and 2 %."""
    noise = 1 + 0.05 * torch.randn(TRUTH.shape, generator=torch.Generator().manual_seed(0))
    noisy = DepthMeasurement(TRUTH * noise, 0.005)
    one = estimator()
    show(one, 1, depth=noisy)
    assert fitted_s(show(one, 2, scale=0.3 * 1.1, depth=noisy)) == 1
    one = estimator()
    show(one, 1, depth=noisy)
    assert fitted_s(show(one, 2, scale=0.3 * 1.2, depth=noisy)) == 2


def test_other_sources_are_fitted_to_at_once() -> None:
    one = estimator(source='depth,points')
    show(one, 1)
    both = {'depth': MEASURED, 'points': replace(MEASURED, noise=0.01)}
    assert fitted_s(show(one, 2, **both)) == 2
    assert fitted_s(show(one, 3, **both)) == 2
    one.catch_up()
    assert fitted_s(show(one, 4)) == 4


def test_a_fit_that_leaves_much_open_is_followed_at_once() -> None:
    one = estimator()
    row = {'depth': DepthMeasurement(ROW, 0.0, relative_noise=0.1)}
    first = show(one, 1, **row)
    assert first.state is not None
    assert first.state.uncertainty > 0.02
    assert fitted_s(show(one, 2, **row)) == 2


def test_after_a_refusal_nothing_waits() -> None:
    one = estimator()
    show(one, 1)
    noise = torch.rand(TRUTH.shape, generator=torch.Generator().manual_seed(0)) + 0.05
    refused = show(one, 2, depth=replace(MEASURED, inverse_depth=noise))
    assert refused.refusal
    assert fitted_s(show(one, 3)) == 3


def test_what_waits_is_forgotten_with_the_rest() -> None:
    one = estimator()
    show(one, 1)
    show(one, 2)
    one.reset()
    one.catch_up()
    assert one.alignment_at(2 * S).state is None


def test_a_fit_does_not_outlive_the_unit_of_what_it_was_made_to() -> None:
    """Without the focal length a prediction lacks a factor, which a fit makes up for."""
    one, evidence = estimator(may_wait=False), {'depth': MEASURED}
    unscaled = replace(prediction(0.3), reason_unscaled='no focal length')
    assert one.update(S, unscaled, RANGE, lambda: evidence).applied is not None
    known = one.update(2 * S, prediction(0.4), RANGE)
    assert known.applied is None
    assert 'since the focal length is known' in known.reason_unknown
    assert one.find(S) is None, 'a late measurement would be fitted to the old unit'


@pytest.mark.parametrize('side', [(120, 160), (60, 80), (30, 40)])
def test_deviation_is_that_of_the_measured_pixels(side: tuple[int, int]) -> None:
    measured = torch.nn.functional.interpolate(TRUTH[None, None], side, mode='area')[0, 0]
    half = DepthMeasurement(measured.where(measured > 0.5, torch.nan), 0.0)
    values = prediction(0.3).values
    assert deviation(AffineScale(0.3, -0.1), values, half) < 0.02
    twice = deviation(AffineScale(0.6, -0.2), values, half)
    assert twice == pytest.approx(1, abs=0.03)

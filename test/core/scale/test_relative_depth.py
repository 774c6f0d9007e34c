"""A network of relative depth, d with Z = scale d + shift: fitted in depth, then inverted."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.calibrated_scale import fit_samples, fit_views
from mono_depth_ros.core.scale.correspondences import select_correspondences
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fitting import fit_robust
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_prior import prior_precision
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.uncertainty import Uncertainty
from mono_depth_ros.core.types import AffineScale, PredictionKind

HEIGHT, WIDTH = 96, 128
CAMERA = PinholeCamera(WIDTH, HEIGHT, 100.0, 100.0, 63.5, 47.5)
NEAR_FAR = (0.1, 80.0)
S = 1_000_000_000
KIND, DEPTH = PredictionKind.RELATIVE_DEPTH, PredictionKind.DEPTH
NETWORKS = (
    AffineScale(2.0, 0.3, DEPTH),
    AffineScale(0.5, -0.3, DEPTH),
    AffineScale(7.0, 2.0, DEPTH),  # what is nearer than 2 m is predicted below zero
)


def scene(far_m: float = 9.0, box_m: float = 1.2) -> torch.Tensor:
    """Return depth (H, W) [m] of a floor, a wall and a box."""
    v = torch.arange(HEIGHT, dtype=torch.float32)[:, None].expand(HEIGHT, WIDTH)
    depth = (60.0 / (v - 30.0).clamp(min=1.0)).clamp(max=far_m).clone()
    depth[40:70, 30:60] = box_m
    return depth


def frame(depth: torch.Tensor, network: AffineScale, kind: PredictionKind = KIND) -> Any:
    color = (20 * depth).to(torch.uint8)[..., None].expand(-1, -1, 3)
    return PredictedFrame((depth - network.shift) / network.scale, color, CAMERA, kind, 1, '')


def few(depth: torch.Tensor, every: int = 7) -> DepthMeasurement:
    """Return depth measured at some pixels, without error."""
    measured = torch.full_like(depth, math.nan)
    measured[3::every, 3::every] = depth[3::every, 3::every].reciprocal()
    return DepthMeasurement(measured, 0.005)


def estimator(kind: PredictionKind = KIND, **alignment: Any) -> ScaleEstimator:
    given = {'source': 'depth', 'model': 'global', 'refit_period': 0.0} | alignment
    return ScaleEstimator(ScaleSettings(alignment=AlignmentSettings(**given)), kind)


def scaled(
    one: ScaleEstimator, seen: PredictedFrame, measured: DepthMeasurement, second: int = 1
) -> FrameScale:
    found = one.update(second * S, seen, NEAR_FAR, lambda: {'depth': measured})
    assert found.reason_unknown == ''
    return found


def errors(found: FrameScale, seen: PredictedFrame, depth: torch.Tensor) -> torch.Tensor:
    """Return relative errors of depth."""
    metric = found.metric(seen, NEAR_FAR).inverse_depth.reciprocal()
    return (metric / depth - 1).abs()


@pytest.mark.parametrize('method', ['robust', 'least_squares', 'min_max'])
@pytest.mark.parametrize('network', NETWORKS)
def test_a_shift_of_depth_is_found(network: AffineScale, method: str) -> None:
    depth = scene()
    seen = frame(depth, network)
    found = scaled(estimator(method=method), seen, few(depth, 1))
    assert float(errors(found, seen, depth).max()) < 0.005
    assert found.alignment is not None
    assert found.alignment.shift == pytest.approx(network.shift, abs=0.01)
    assert found.alignment.quantity is DEPTH


@pytest.mark.parametrize('model', ['global', 'local', 'fused'])
@pytest.mark.parametrize('network', NETWORKS)
def test_few_points_suffice(network: AffineScale, model: str) -> None:
    depth = scene()
    seen = frame(depth, network)
    found = scaled(estimator(model=model), seen, few(depth))
    assert float(errors(found, seen, depth).max()) < 0.005


def test_a_fit_in_inverse_depth_would_miss() -> None:
    """As did the chain without depth: the inverse of the prediction, fitted in inverse depth."""
    depth, network = scene(), NETWORKS[0]
    seen = frame(depth, network)
    inverted = PredictedFrame(
        seen.values.reciprocal(),
        *(seen.color, CAMERA, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''),
    )
    kind = PredictionKind.RELATIVE_INVERSE_DEPTH
    found = scaled(estimator(kind), inverted, few(depth))
    assert float(errors(found, inverted, depth).max()) > 0.02


@pytest.mark.parametrize('network', NETWORKS)
def test_noise_and_outliers(network: AffineScale) -> None:
    depth, random = scene(), torch.Generator().manual_seed(0)
    wavy = depth * (1 + 0.02 * torch.randn(depth.shape, generator=random))
    seen = frame(wavy, network)
    measured = depth.reciprocal() + 0.005 * torch.randn(depth.shape, generator=random)
    is_wrong = torch.rand(depth.shape, generator=random) < 0.4
    anything = 0.05 + 2 * torch.rand(depth.shape, generator=random)
    measured = torch.where(is_wrong, anything, measured)
    found = scaled(estimator(), seen, DepthMeasurement(measured, 0.005))
    exact = frame(depth, network)
    assert float(errors(found, exact, depth).median()) < 0.01
    assert float(errors(found, exact, depth).quantile(0.95)) < 0.03


def test_noise_of_stereo_does_not_pull_depth_nearer() -> None:
    """It is symmetrical in inverse depth, 10 % of it at 9 m, so in depth it is not."""
    depth, random = scene(), torch.Generator().manual_seed(1)
    found = []
    for _ in range(8):
        noisy = depth.reciprocal() + 0.011 * torch.randn(depth.shape, generator=random)
        seen = frame(depth, NETWORKS[0])
        points = select_correspondences(
            *(seen.values, DepthMeasurement(noisy, 0.011), NEAR_FAR, np.random.default_rng(0)),
            quantity=DEPTH,
        )
        found.append(float(fit_robust(points, np.random.default_rng(0)).alignment.line(4.35)))
    assert np.mean(found) == pytest.approx(9.0, rel=0.01)


def test_the_filter_adds_up_what_different_views_tell() -> None:
    """A view of 2 to 2.6 m alone leaves the shift open; smoothed with an earlier one it holds."""
    network, one = NETWORKS[0], estimator(smoothing=0.9)
    wide, narrow = scene(), scene(2.6, 2.0).clamp(min=2.0)
    scaled(one, frame(wide, network), few(wide), 1)
    for second in (2, 3):
        random = torch.Generator().manual_seed(second)
        noise = 1 + 0.02 * torch.randn(narrow.shape, generator=random)
        found = scaled(one, frame(narrow * noise, network), few(narrow), second)
        assert found.refusal == ''
    exact = frame(wide, network)
    assert float(errors(found, exact, wide).max()) < 0.02


def test_a_wall_moves_the_common_factor_of_both() -> None:
    network, one, wall = NETWORKS[0], estimator(), torch.full((HEIGHT, WIDTH), 3.0)
    scaled(one, frame(scene(), network), few(scene()), 1)
    nearer = AffineScale(1.1 * network.scale, 1.1 * network.shift, DEPTH)
    found = scaled(one, frame(wall, nearer), few(wall), 2)
    assert found.state is not None
    assert 'depth varies by 0% about 3 m' in found.state.note
    assert found.alignment is not None
    assert found.alignment.scale == pytest.approx(nearer.scale, rel=1e-3)
    assert found.alignment.shift == pytest.approx(nearer.shift, rel=0.02)


def test_the_other_sign_is_named() -> None:
    depth = scene()
    seen = frame(depth, AffineScale(-2.0, 8.0, DEPTH))
    one = estimator()
    found = one.update(S, seen, NEAR_FAR, lambda: {'depth': few(depth)})
    assert 'the prediction falls where measured depth grows' in found.refusal
    assert 'the kind is probably depth where the card of the network says inverse depth' in (
        found.refusal
    )
    assert found.applied is None


def test_what_lies_behind_the_camera_is_unknown() -> None:
    line = AffineScale(2.0, 0.3, DEPTH)
    found = line.inverse_depth(torch.tensor([-1.0, -0.15, 0.0, 0.35, math.nan, math.inf]))
    expected = [math.nan, math.nan, 1 / 0.3, 1.0, math.nan, 0.0]
    torch.testing.assert_close(found, torch.tensor(expected), equal_nan=True)


@pytest.mark.parametrize('network', NETWORKS)
def test_the_uncertainty_of_the_fit_is_that_of_its_line(network: AffineScale) -> None:
    depth = scene()
    seen = frame(depth, network)
    found = scaled(estimator(), seen, few(depth, 20))
    share = Uncertainty(found.metric(seen, NEAR_FAR), seen, found)
    assert found.state is not None
    row = torch.stack((seen.values, torch.ones_like(seen.values)), dim=-1).double()
    covariance = torch.from_numpy(found.state.covariance)
    deviation = torch.einsum('hwi,ij,hwj->hw', row, covariance, row).sqrt()
    without = FrameScale(found.applied, state=found.state)
    alone = Uncertainty(found.metric(seen, NEAR_FAR), seen, without)
    added = (share.share.square() - alone.share.square()).double().sqrt()
    torch.testing.assert_close(added, deviation / depth, rtol=0.02, atol=1e-4)


def test_both_lines_say_the_same_of_a_network_without_shift() -> None:
    """Depth and its inverse, with the prior alone to tell the shift: a wall."""
    wall = torch.full((HEIGHT, WIDTH), 3.0)
    scale = 0.5
    seen = frame(wall, AffineScale(scale, 0.0, DEPTH))
    found = scaled(estimator(max_uncertainty=10.0), seen, few(wall))
    assert float(errors(found, seen, wall).max()) < 0.01


@pytest.mark.parametrize('shift', [0.0, 5.0])
def test_what_is_known_before_measuring_does_not_depend_on_zero(shift: float) -> None:
    """Of the farthest it compares two pixels, whose line is that of depth whatever zero it has."""
    depth = scene()
    seen = frame(depth, AffineScale(1.0, shift, DEPTH))
    points = select_correspondences(
        seen.values, few(depth), NEAR_FAR, np.random.default_rng(0), quantity=DEPTH
    )
    precision = prior_precision(points)
    both = np.array((1.0, shift))
    # Z_far = 9 m and the median is 4 m: 1 / 9 of 0.4 / 4 [1/m], little above what is expected.
    of_farthest = both @ precision @ both - shift**2 * _of_shift(points)
    assert 0 <= of_farthest * points.middle**2 * points.regions < 1


def _of_shift(points: Any) -> float:
    return float(1 / (points.middle**2 * points.regions))


@pytest.mark.parametrize('network', NETWORKS)
def test_calibrated_from_views(network: AffineScale) -> None:
    views = {}
    for name, depth in {'a': scene(), 'b': scene(5.0, 2.0)}.items():
        values = frame(depth, network).values
        views[name] = select_correspondences(
            values, few(depth), NEAR_FAR, np.random.default_rng(0), quantity=DEPTH
        )
    found = fit_views(views, KIND).alignment
    assert (found.scale, found.shift) == pytest.approx((network.scale, network.shift), abs=0.01)
    assert found.quantity is DEPTH


@pytest.mark.parametrize('outlier', [False, True])
def test_calibrated_from_a_tape_measure(outlier: bool) -> None:
    network = NETWORKS[0]
    samples = {
        str(z): ((z - network.shift) / network.scale, z) for z in (0.5, 1.0, 2.0, 4.0, 6.0, 8.0)
    }
    if outlier:
        samples['2.0'] = (samples['2.0'][0], 20.0)
    found = fit_samples(samples, KIND)
    assert found.alignment.scale == pytest.approx(network.scale)
    assert found.alignment.shift == pytest.approx(network.shift)
    assert found.alignment.quantity is DEPTH

import math
import re

import numpy as np
import pytest
import torch

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.scale.depth_measurement import (
    DepthMeasurement,
    measure_depth,
)
from mono_depth_ros.core.types import AffineScale, PredictionKind

HEIGHT, WIDTH = 48, 64
NEAR_FAR = (0.1, 80.0)
S = 1_000_000_000
TRUE = AffineScale(0.25, -0.1)


def scene(seed: int = 0) -> torch.Tensor:
    """Return (H, W) inverse depth [1/m] of a floor with a box on it."""
    v, _ = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing='ij')
    inverse_depth = 0.2 + 0.02 * (v - 10).clamp(min=0)
    inverse_depth[15:30, 20:30] = 0.7 + 0.05 * seed
    return inverse_depth


def wall(depth_m: float) -> torch.Tensor:
    return torch.full((HEIGHT, WIDTH), 1 / depth_m)


def predict(inverse_depth: torch.Tensor, network: AffineScale = TRUE) -> torch.Tensor:
    return (inverse_depth - network.shift) / network.scale


def observe(inverse_depth: torch.Tensor, seed: int = 0, noise: float = 0.0) -> DepthMeasurement:
    generator = torch.Generator().manual_seed(seed)
    noisy = inverse_depth * (1 + noise * torch.randn(inverse_depth.shape, generator=generator))
    return DepthMeasurement(noisy, 0.005)


def aligner(**settings: object) -> AlignmentFilter:
    return AlignmentFilter(
        AlignmentSettings(**{'source': 'disparity', 'smoothing': 0.0, **settings}),
        PredictionKind.INVERSE_DEPTH,
    )


def feed(
    aligner: AlignmentFilter, t_s: float, inverse_depth: torch.Tensor, network: AffineScale = TRUE
) -> None:
    aligner.observe(
        round(t_s * S),
        predict(inverse_depth, network),
        {'disparity': observe(inverse_depth)},
        NEAR_FAR,
    )


def in_force(aligner: AlignmentFilter, t_s: float) -> AffineScale:
    alignment, why = aligner.current(round(t_s * S))
    assert alignment is not None, why
    return alignment


@pytest.mark.parametrize(('period_s', 'soon'), [(0.0, True), (0.2, False)])
def test_no_measurement_is_due_twice(period_s: float, soon: bool) -> None:
    one = aligner(refit_period=period_s)
    assert one.is_due(S)
    feed(one, 1.0, scene())
    assert not one.is_due(S)
    assert one.is_due(S + S // 10) == soon
    assert one.is_due(S + S // 4)


def test_first_measurement_aligns() -> None:
    one = aligner()
    assert one.current(0) == (
        None,
        'no alignment: no measurement of source disparity was used yet',
    )
    feed(one, 1.0, scene())
    found = in_force(one, 1.1)
    assert found.scale == pytest.approx(TRUE.scale, rel=1e-4)
    assert found.shift == pytest.approx(TRUE.shift, rel=1e-3)
    assert one.refusal == ''
    assert one.state is not None
    assert one.state.stamp_ns == S
    assert one.state.inlier_ratio > 0.99
    assert one.state.residual < 1e-4
    assert len(one.state.points) > 2500


def test_a_fit_ages_out_and_comes_back() -> None:
    one = aligner(max_age=2.0)
    feed(one, 10.0, scene())
    assert one.current(12 * S)[0] is not None
    assert one.current(12 * S + 1) == (
        None,
        'the alignment is 2.0 s old; alignment.max_age is 2.0 s',
    )
    assert one.current(7 * S)[0] is None
    feed(one, 20.0, scene())
    assert in_force(one, 20.0).scale == pytest.approx(TRUE.scale, rel=1e-4)


def test_an_image_that_was_delayed_takes_the_newer_measurement() -> None:
    one = aligner()
    feed(one, 10.0, scene())
    assert in_force(one, 9.7).scale == pytest.approx(TRUE.scale, rel=1e-4)


def test_refit_period_counts_from_the_latest_attempt() -> None:
    one = aligner(refit_period=0.2)
    assert one.is_due(0)
    one.observe(S, predict(scene()), {'disparity': observe(wall(2.0))}, NEAR_FAR)
    assert one.state is None
    assert not one.is_due(round(1.1 * S))
    assert one.is_due(round(1.2 * S))
    assert one.is_due(round(0.5 * S))


def test_reset_forgets() -> None:
    one = aligner()
    feed(one, 1.0, scene())
    one.reset()
    assert one.state is None
    assert one.is_due(S)
    assert one.current(S)[0] is None


def test_too_few_points_are_refused_by_number() -> None:
    one = aligner(min_points=500)
    sparse = scene()
    sparse[:, 5:] = math.nan
    one.observe(S, predict(scene()), {'disparity': observe(sparse)}, NEAR_FAR)
    assert one.refusal == '235 measured points; alignment.min_points is 500'
    assert one.current(S) == (None, f'no alignment: {one.refusal}')


def test_no_measured_pixel_is_refused() -> None:
    one = aligner()
    nothing = DepthMeasurement(torch.full((HEIGHT, WIDTH), math.nan), 0.005)
    one.observe(S, predict(scene()), {'disparity': nothing}, NEAR_FAR)
    assert one.refusal.startswith('0 measured points: no pixel of the measurement is valid')


def test_no_measured_pixel_in_range_is_explained() -> None:
    one = aligner(source='depth')
    one.observe(
        S, predict(scene()), {'disparity': measure_depth(scene().reciprocal() / 1000)}, NEAR_FAR
    )
    assert one.refusal.startswith('0 measured points: 0 of ')
    assert '16UC1 holds meters; it must hold millimeters' in one.refusal
    assert 'min_points' not in one.refusal


def test_no_point_although_pixels_are_in_range_is_explained() -> None:
    one = aligner()
    gray = torch.full((HEIGHT, WIDTH), 128, dtype=torch.uint8)
    one.observe(S, predict(scene()), {'disparity': observe(scene())}, NEAR_FAR, gray)
    assert one.refusal.startswith('0 measured points: every valid pixel in range lies at a depth')
    one.observe(
        S, torch.full((HEIGHT, WIDTH), math.nan), {'disparity': observe(scene())}, NEAR_FAR
    )
    assert one.refusal.endswith('where the network says nothing')


def test_a_bad_fit_is_not_used_and_the_held_one_stays() -> None:
    one = aligner(max_residual=0.1)
    feed(one, 1.0, scene())
    generator = torch.Generator().manual_seed(0)
    noise = DepthMeasurement(torch.rand(HEIGHT, WIDTH, generator=generator) + 0.2, 0.02)
    one.observe(2 * S, predict(scene()), {'disparity': noise}, NEAR_FAR)
    assert one.refusal != ''
    assert in_force(one, 2.0).scale == pytest.approx(TRUE.scale, rel=1e-4)
    one.observe(4 * S, predict(scene()), {'disparity': noise}, NEAR_FAR)
    assert one.current(4 * S)[1].endswith(f'({one.refusal})')


def test_residual_limit_is_named() -> None:
    one = aligner(max_residual=0.01)
    one.observe(S, predict(scene()), {'disparity': observe(scene(), noise=0.05)}, NEAR_FAR)
    assert re.fullmatch(
        r'the fit misses by [23]% in the median; alignment\.max_residual is 1%', one.refusal
    )


def test_a_wrong_prediction_is_refused() -> None:
    one = aligner()
    one.observe(S, -predict(scene()), {'disparity': observe(scene())}, NEAR_FAR)
    assert 'positive scale' in one.refusal


def test_smoothing_halves_noise() -> None:
    scales: dict[float, list[float]] = {0.0: [], 0.8: []}
    for smoothing, found in scales.items():
        one = aligner(smoothing=smoothing)
        for k in range(60):
            one.observe(
                k * S,
                predict(scene()),
                {'disparity': observe(scene(), seed=k, noise=0.05)},
                NEAR_FAR,
            )
            found.append(in_force(one, k).scale)
    noise = {smoothing: np.std(found[10:]) for smoothing, found in scales.items()}
    assert noise[0.8] < 0.6 * noise[0.0]
    assert np.mean(scales[0.8]) == pytest.approx(TRUE.scale, rel=0.01)


def test_smoothing_is_the_weight_of_earlier_fits() -> None:
    # Small enough a change that it is no restart, on the same scene: the sum is the average.
    one = aligner(smoothing=0.75)
    feed(one, 1.0, scene())
    changed = AffineScale(TRUE.scale * 1.008, TRUE.shift * 1.008)
    feed(one, 2.0, scene(), changed)
    assert in_force(one, 2.0).scale == pytest.approx(TRUE.scale * 1.002, rel=2e-4)


def test_a_real_change_is_followed_at_once() -> None:
    one = aligner(smoothing=0.9)
    for k in range(20):
        feed(one, float(k), scene())
    changed = AffineScale(TRUE.scale * 1.5, TRUE.shift + 0.1)
    feed(one, 20.0, scene(), changed)
    assert in_force(one, 20.0).scale == pytest.approx(changed.scale, rel=1e-4)


def test_after_a_gap_nothing_old_is_mixed_in() -> None:
    one = aligner(smoothing=0.9, max_age=2.0)
    feed(one, 1.0, scene())
    changed = AffineScale(TRUE.scale * 1.008, TRUE.shift * 1.008)
    feed(one, 9.0, scene(), changed)
    assert in_force(one, 9.0).scale == pytest.approx(changed.scale, rel=1e-4)


def test_a_flat_wall_starts_an_alignment_only_if_the_network_sees_one() -> None:
    one = aligner()
    one.observe(S, predict(scene()), {'disparity': observe(wall(2.0))}, NEAR_FAR)
    assert one.state is None
    assert one.refusal == (
        'the scene is flat: inverse depth varies by 0% about 0.5 1/m, too little to tell scale '
        'from shift, and the median depth is left uncertain by 72%; alignment.max_uncertainty is '
        '20%'
    )
    feed(one, 1.0, wall(2.0))
    prediction = float(predict(wall(2.0))[0, 0])
    found = in_force(one, 1.0)
    assert found.scale == pytest.approx(0.5 / prediction, rel=1e-5)
    assert found.shift == pytest.approx(0.0, abs=1e-5)


def test_a_line_on_a_wall_is_enough_where_the_rest_is_predicted_alike() -> None:
    wide = wall(2.0)
    line = torch.full_like(wide, torch.nan)
    line[HEIGHT // 2] = wide[HEIGHT // 2]
    one = aligner(source='depth')
    one.observe(S, predict(wide), {'disparity': measure_depth(1 / line)}, NEAR_FAR)
    assert in_force(one, 1.0).depth(predict(wide))[0, 0] == pytest.approx(2.0, rel=1e-4)
    # The same line says less about a room that is predicted to be twice as near, and says so.
    near = wall(1.0)
    near[HEIGHT // 2] = wide[HEIGHT // 2]
    two = aligner(source='depth')
    two.observe(S, predict(near), {'disparity': measure_depth(1 / line)}, NEAR_FAR)
    assert one.state is not None
    assert two.state is not None
    assert two.state.uncertainty > 3 * one.state.uncertainty
    depth = in_force(two, 1.0).depth(predict(near))[0, 0]
    assert abs(depth - 1.0) < 2 * two.state.uncertainty


def test_a_flat_wall_corrects_the_level_of_a_held_alignment() -> None:
    one = aligner(max_age=2.0)
    feed(one, 1.0, scene())
    drifted = AffineScale(TRUE.scale * 1.2, TRUE.shift * 1.2)
    for k in range(10):
        feed(one, 2.0 + k, wall(2.0), drifted)
    found = in_force(one, 11.0)
    assert found.scale == pytest.approx(drifted.scale, rel=1e-3)
    assert found.shift == pytest.approx(drifted.shift, rel=1e-3)
    assert one.refusal == ''
    assert one.state is not None
    assert one.state.note.endswith('only their common factor was corrected')
    feed(one, 12.0, scene(), drifted)
    assert in_force(one, 12.0).scale == pytest.approx(drifted.scale, rel=1e-4)
    assert one.state.note == ''


def test_what_a_flat_wall_corrected_is_not_forgotten() -> None:
    one = aligner(smoothing=0.75)
    feed(one, 1.0, scene())
    drifted = AffineScale(TRUE.scale * 1.01, TRUE.shift * 1.01)
    feed(one, 2.0, wall(2.0), drifted)
    feed(one, 3.0, scene(), drifted)
    assert in_force(one, 3.0).scale == pytest.approx(drifted.scale, rel=2e-4)


def test_a_wall_before_most_of_what_is_measured_is_refused() -> None:
    """Of a measurement of which three fifths lie on one wrong wall."""
    measured = scene()
    generator = torch.Generator().manual_seed(0)
    measured[torch.rand(measured.shape, generator=generator) < 0.6] = 0.9
    one = aligner()
    one.observe(S, predict(scene()), {'disparity': observe(measured)}, NEAR_FAR)
    assert one.state is None
    feed(one, 2.0, scene())
    one.observe(3 * S, predict(scene()), {'disparity': observe(measured)}, NEAR_FAR)
    assert in_force(one, 3.0).scale == pytest.approx(TRUE.scale, rel=0.05)


def test_a_flat_wall_after_a_gap_is_refused() -> None:
    one = aligner(max_age=2.0)
    feed(one, 1.0, scene())
    one.observe(9 * S, predict(scene()), {'disparity': observe(wall(2.0))}, NEAR_FAR)
    assert 'the scene is flat' in one.refusal
    assert one.current(9 * S)[0] is None


def test_sparse_depth_as_of_a_lidar_aligns() -> None:
    depth = scene().reciprocal()
    lines = torch.zeros(HEIGHT, WIDTH)
    lines[4::6, ::2] = 1
    one = aligner(source='depth', min_points=200)
    one.observe(S, predict(scene()), {'disparity': measure_depth(depth * lines)}, NEAR_FAR)
    found = in_force(one, 1.0)
    assert one.state is not None
    assert len(one.state.points) < 260
    assert found.scale == pytest.approx(TRUE.scale, rel=1e-3)


@pytest.mark.parametrize('factor', [0.5, 0.75])
def test_measurement_of_another_size_aligns(factor: float) -> None:
    height, width = round(HEIGHT * factor), round(WIDTH * factor)
    v = (torch.arange(height) + 0.5) / factor - 0.5
    smaller = (0.2 + 0.02 * v)[:, None].expand(height, width)
    whole = (0.2 + 0.02 * torch.arange(HEIGHT))[:, None].expand(HEIGHT, WIDTH)
    one = aligner()
    one.observe(S, predict(whole), {'disparity': observe(smaller)}, NEAR_FAR)
    found = in_force(one, 1.0)
    assert found.scale == pytest.approx(TRUE.scale, rel=1e-3)
    assert found.shift == pytest.approx(TRUE.shift, abs=1e-3)


def test_places_that_cannot_be_matched_are_left_out() -> None:
    image = torch.randint(0, 200, (HEIGHT, WIDTH, 3), generator=torch.Generator().manual_seed(0))
    image[:, WIDTH // 2 :] = 255
    wrong = scene()
    wrong[:, WIDTH // 2 :] = 2.0
    one = aligner()
    one.observe(
        S, predict(scene()), {'disparity': observe(wrong)}, NEAR_FAR, image.to(torch.uint8)
    )
    assert one.state is not None
    assert one.state.inlier_ratio > 0.95
    assert in_force(one, 1.0).scale == pytest.approx(TRUE.scale, rel=1e-3)
    one.observe(2 * S, predict(scene()), {'disparity': observe(wrong)}, NEAR_FAR)
    assert one.state.inlier_ratio < 0.7
    assert in_force(one, 2.0).scale == pytest.approx(TRUE.scale, rel=1e-2)


def test_settings_may_change_while_it_runs() -> None:
    one = aligner()
    outliers = scene()
    outliers[:, :20] = 1.5
    one.observe(S, predict(scene()), {'disparity': observe(outliers)}, NEAR_FAR)
    assert in_force(one, 1.0).scale == pytest.approx(TRUE.scale, rel=1e-3)
    one.settings = AlignmentSettings(source='disparity', method='least_squares', max_residual=10.0)
    one.observe(2 * S, predict(scene()), {'disparity': observe(outliers)}, NEAR_FAR)
    assert in_force(one, 2.0).scale != pytest.approx(TRUE.scale, rel=0.1)


def test_local_correction_only_where_asked_for() -> None:
    u = torch.linspace(-1, 1, WIDTH)
    biased = predict(scene() * (1 + 0.1 * u))
    one, local = aligner(model='global'), aligner(model='local')
    for each in (one, local):
        each.observe(S, biased, {'disparity': observe(scene())}, NEAR_FAR)
    assert one.correction(S) is None
    correction = local.correction(S)
    assert correction is not None
    assert correction.gain > 0.5
    faded = local.correction(round(1.3 * S))
    assert faded is not None
    np.testing.assert_allclose(faded.log_factor, correction.log_factor / 2)
    assert local.correction(9 * S) is None
    plain = in_force(local, 1.0)
    inverse_depth = plain.scale * biased + plain.shift
    before = (inverse_depth / scene() - 1).abs().mean()
    after = (inverse_depth * correction.factor((HEIGHT, WIDTH)) / scene() - 1).abs().mean()
    assert after < 0.5 * before
    local.settings = AlignmentSettings(source='disparity', model='global')
    assert local.correction(S) is None


def test_ground_needs_the_height_of_the_camera() -> None:
    with pytest.raises(SettingsError, match=r'camera_height is 0\.0 m'):
        AlignmentSettings(source='ground')
    assert AlignmentSettings(source='ground', camera_height=0.4).camera_pitch == 0


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('source', 'lidar'),
        ('method', 'ransac'),
        ('model', 'spline'),
        ('fallback', 'zero'),
        ('max_age', 0.0),
        ('smoothing', 1.0),
        ('camera_height', -1.0),
        ('camera_pitch', math.nan),
        ('min_points', 2),
        ('max_uncertainty', 0.0),
    ],
)
def test_impossible_settings_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f'{name} is '):
        AlignmentSettings(**{name: value})


def test_defaults_are_those_the_issue_names() -> None:
    defaults = AlignmentSettings()
    assert (defaults.source, defaults.method, defaults.model) == ('none', 'robust', 'fused')
    assert defaults.fallback == 'unknown'

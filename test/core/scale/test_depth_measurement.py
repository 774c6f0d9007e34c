import math
import re

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError, ImageError
from mono_depth_ros.core.scale.depth_measurement import (
    DepthMeasurement,
    measure_depth,
    require_same_view,
)
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.range_explanation import explain_out_of_range

NAN, INF = math.nan, math.inf
F_PX, T_M = 500.0, 0.1
CAMERA = PinholeCamera(640, 480, 500.0, 500.0, 319.5, 239.5)


def seen(disparity: torch.Tensor, **stated: float) -> list[float | None]:
    """Return inverse depth as a list, None where nothing was measured."""
    observed = measure_disparity(disparity, F_PX, T_M, **stated).inverse_depth
    return [None if math.isnan(q) else q for q in observed.flatten().tolist()]


def matched(marker: float, shift: float = 0.0) -> torch.Tensor:
    """Return what OpenCV's matcher makes of a slanted wall: a blind band, then steps of 1/16."""
    row = torch.full((160,), marker)
    row[32:] = torch.arange(128) / 16 + 20
    return (row + shift).expand(40, 160)


def test_inverse_depth_is_disparity_over_f_t() -> None:
    observation = measure_disparity(torch.tensor([[20.0, 25.0, 50.0]]), F_PX, T_M)
    torch.testing.assert_close(observation.inverse_depth, torch.tensor([[0.4, 0.5, 1.0]]))
    assert observation.noise == pytest.approx(0.25 / 50)


@pytest.mark.parametrize('value', [NAN, INF, -INF, 0.0, -3.0])
def test_what_is_not_a_positive_number_is_not_measured(value: float) -> None:
    assert seen(torch.tensor([[20.0, value, 25.5]])) == pytest.approx([0.4, None, 0.51])


def test_range_is_inclusive() -> None:
    row = torch.tensor([[15.9, 16.0, 40.3, 63.0, 63.1]])
    found = seen(row, min_disparity=16, max_disparity=63)
    assert found == pytest.approx([None, 0.32, 0.806, 1.26, None])


def test_without_a_stated_range_every_positive_value_counts() -> None:
    assert seen(torch.tensor([[0.5, 300.2]])) == pytest.approx([0.01, 6.004])


@pytest.mark.parametrize('min_disparity', [0.0, 5.0, -16.0])
def test_stereo_image_proc_marks_with_one_below_the_least(min_disparity: float) -> None:
    found = measure_disparity(
        matched(min_disparity - 1),
        F_PX,
        T_M,
        min_disparity=min_disparity,
        max_disparity=min_disparity + 63,
    ).inverse_depth
    assert found[:, :32].isnan().all()
    torch.testing.assert_close(found[0, 32:], (torch.arange(128) / 16 + 20) / 50)


@pytest.mark.parametrize('shift', [31.086, -9.25])
def test_marker_shifted_with_the_principal_points_is_no_surface(shift: float) -> None:
    found = measure_disparity(
        matched(-1.0, shift), F_PX, T_M, min_disparity=0, max_disparity=27.9375
    ).inverse_depth
    assert found[:, :32].isnan().all()
    torch.testing.assert_close(found[0, 32:], (torch.arange(128) / 16 + 20 + shift) / 50)


def test_all_missing_is_nothing_measured() -> None:
    assert set(seen(torch.full((6, 8), -1.0), min_disparity=0, max_disparity=63)) == {None}
    assert set(seen(torch.full((6, 8), NAN))) == {None}
    assert set(seen(torch.zeros(6, 8))) == {None}
    assert seen(torch.zeros(0, 0)) == []


def test_isaac_marks_with_zero() -> None:
    row = torch.tensor([[0.0, 12.34, 0.0, 47.11]])
    found = seen(row, min_disparity=0, max_disparity=64)
    assert found == pytest.approx([None, 0.2468, None, 0.9422])


@pytest.mark.parametrize('limits', [(0.0, 0.0), (5.0, 60.0), (-60.0, -5.0)])
def test_zed_may_be_negative(limits: tuple[float, float]) -> None:
    row = torch.tensor([[-20.5, NAN, -45.0, -INF, -2.0]])
    near = 0.04 if limits == (0.0, 0.0) else None
    found = seen(row, min_disparity=limits[0], max_disparity=limits[1])
    assert found == pytest.approx([0.41, None, 0.9, None, near])


def negative(wrong: float, count: int, width: int = 40) -> torch.Tensor:
    """Return 40 rows of disparity of -12..-11 px, the first `count` pixels being `wrong`."""
    values = torch.linspace(-12, -11, 40 * width)
    values[:count] = wrong
    return values.view(40, width)


@pytest.mark.parametrize('wrong', [3.3, 0.4, 250.0])
@pytest.mark.parametrize('limits', [(0.0, 0.0), (-64.0, -1.0), (1.0, 64.0), (-64.0, 8.0)])
def test_few_values_of_the_other_sign_do_not_decide_the_sign(
    wrong: float, limits: tuple[float, float]
) -> None:
    for count in (1, 600):
        found = measure_disparity(
            negative(wrong, count), F_PX, T_M, min_disparity=limits[0], max_disparity=limits[1]
        ).inverse_depth
        assert int(found.isfinite().sum()) == 1600 - count
        assert found[-1, -1] == pytest.approx(11 / 50)
        mirrored = measure_disparity(-negative(wrong, count), F_PX, T_M).inverse_depth
        assert int(mirrored.isfinite().sum()) == 1600 - count


def test_missing_matches_in_the_majority_do_not_turn_the_sign() -> None:
    disparity = matched(-1.0).clone()
    disparity[:30] = -1.0
    found = measure_disparity(disparity, F_PX, T_M, min_disparity=0, max_disparity=63)
    assert int(found.inverse_depth.isfinite().sum()) == 10 * 128


def test_a_range_on_both_sides_of_zero_decides_the_sign() -> None:
    row = torch.tensor([[-3.0, -2.5, -2.0, 20.0]])
    found = seen(row, min_disparity=-16, max_disparity=47)
    assert found == pytest.approx([None, None, None, 0.4])


@pytest.mark.parametrize(('f_px', 't_m'), [(0.12, 500.0), (0.1, 700.0), (3.6, 0.12), (0.78, 0.12)])
def test_a_focal_length_that_is_not_in_pixels_is_refused(f_px: float, t_m: float) -> None:
    with pytest.raises(CalibrationError, match=f'f = {f_px} px and t = {t_m:g} m.*swapped'):
        measure_disparity(torch.ones(48, 64), f_px, t_m)


RANGE = (0.1, 80.0)
DEPTHS = torch.linspace(1, 5, 1600).view(40, 40)


def of_disparity(f_px: float, t_m: float, factor: float) -> DepthMeasurement:
    """Return what is made of true depths 1 to 5 m at f 500 px, t 0.12 m."""
    return measure_disparity(factor * 60 / DEPTHS, f_px, t_m)


@pytest.mark.parametrize(
    ('measurement', 'origin', 'depth', 'cause'),
    [
        (of_disparity(500, 120, 1), 't = 120 m', '1.08e+03 to 4.92e+03', 't is in millimeters'),
        (of_disparity(500, 12, 1), 't = 12 m', '108 to 492', 't is in centimeters'),
        (of_disparity(500, 0.12, 256), 'f = 500 px', '0.00422 to 0.0192', '1/256 px'),
        (of_disparity(500, 0.12, 1 / 40), 'f = 500 px', '43.2 to 197', 'a share of the width'),
        (measure_depth(DEPTHS / 1000), 'depth', '0.00108 to 0.00492', '16UC1 holds meters'),
        (measure_depth(DEPTHS / 50), 'depth', '0.0216 to 0.0984', '16UC1 holds centimeters'),
        (measure_depth(DEPTHS * 1000), 'depth', '1.08e+03 to 4.92e+03', '32FC1 holds milli'),
        (measure_depth(DEPTHS * 100), 'depth', '108 to 492', '32FC1 holds centimeters'),
    ],
)
def test_depth_in_other_units_is_recognized(
    measurement: DepthMeasurement, origin: str, depth: str, cause: str
) -> None:
    said = explain_out_of_range(measurement, RANGE)
    assert 'of 1600 valid pixels' in said
    assert 'within min_depth 0.1 m and max_depth 80 m' in said
    for part in (origin, f'depth is {depth} m', cause):
        assert part in said


def test_disparity_in_sixteenths_is_recognized() -> None:
    near = measure_disparity(16 * 60 / (DEPTHS / 4), 500, 0.12)
    said = explain_out_of_range(near, RANGE)
    assert 'would be 4.32 to 19.7 m if disparity is in 1/256 px' in said
    assert 'or 0.27 to 1.23 m if disparity is in 1/16 px' in said


WIDE = torch.linspace(2, 12, 320).repeat(40, 1)
"""Depth [m] that grows from left to right, as 320 columns see it at f t = 60 px m."""


@pytest.mark.parametrize(
    ('disparity', 'is_wrong'),
    [
        (16 * 60 / WIDE, True),
        (16 * 60 / WIDE.flip(1), True),
        (60 / WIDE, False),
        (60 / WIDE.flip(1), False),
        (-60 / WIDE, False),
        (60 / WIDE + 8, False),
        (torch.zeros(40, 320), False),
    ],
)
def test_matches_outside_of_the_other_image_are_a_fault(
    disparity: torch.Tensor, is_wrong: bool
) -> None:
    """In 1/16 px without a stated range: depth is 16 times too near, and in range."""
    measured = measure_disparity(disparity, 500, 0.12)
    assert bool(measured.fault) == is_wrong
    assert not is_wrong or re.match(r'\d+% of the disparities point outside', measured.fault)


def test_a_cause_that_would_not_put_depth_into_range_is_not_named() -> None:
    wide = torch.cat((DEPTHS / 1000, DEPTHS * 1000))
    said = explain_out_of_range(measure_depth(wide), RANGE)
    assert said.endswith('correct its units, or the range if that depth is right')
    assert '0 of 3200 valid pixels' in said


def test_depth_in_range_needs_no_explanation() -> None:
    assert explain_out_of_range(measure_depth(DEPTHS), RANGE) == ''
    assert explain_out_of_range(measure_depth(DEPTHS), (0.1, 3.5)) == ''


def test_nothing_valid_is_said_so() -> None:
    said = explain_out_of_range(measure_depth(torch.zeros(4, 4)), RANGE)
    assert said.startswith('no pixel of registered depth is valid')


def test_background_of_whole_or_of_exact_disparity_is_kept() -> None:
    whole = torch.tensor([[10.0, 10.0, 12.0, 13.0]]).repeat(20, 20)
    assert seen(whole, min_disparity=0, max_disparity=63)[0] == pytest.approx(0.2)
    exact = torch.tensor([[10.0, 10.0, 17.3, 17.7]]).repeat(20, 20)
    assert seen(exact, min_disparity=0, max_disparity=63)[0] == pytest.approx(0.2)


def test_doffs_is_added() -> None:
    row = torch.tensor([[20.0, 1.0, NAN]])
    assert seen(row, doffs_px=31.086) == pytest.approx([51.086 / 50, 32.086 / 50, None])
    assert seen(row, doffs_px=-5.0) == pytest.approx([0.3, None, None])


def test_half_size_with_half_the_focal_length_says_the_same() -> None:
    whole = measure_disparity(torch.tensor([[30.0]]), 500.0, 0.1)
    half = measure_disparity(torch.tensor([[15.0]]), 250.0, 0.1)
    torch.testing.assert_close(whole.inverse_depth, half.inverse_depth)
    assert half.noise == pytest.approx(2 * whole.noise)


@pytest.mark.parametrize('t', [0.0, -0.12, NAN, INF])
def test_impossible_baseline_is_named(t: float) -> None:
    with pytest.raises(CalibrationError, match=f't = {t} m'):
        measure_disparity(torch.ones(2, 2), F_PX, t)


@pytest.mark.parametrize('f', [0.0, -500.0, NAN])
def test_impossible_focal_length_is_named(f: float) -> None:
    with pytest.raises(CalibrationError, match=f'f = {f} px'):
        measure_disparity(torch.ones(2, 2), f, T_M)


def test_depth_is_inverted_where_it_is_one() -> None:
    depth = torch.tensor([[2.0, 0.0, NAN, INF, -1.0, 0.5]])
    found = measure_depth(depth).inverse_depth
    expected = torch.tensor([[0.5, NAN, NAN, NAN, NAN, 2.0]])
    torch.testing.assert_close(found, expected, equal_nan=True)


@pytest.mark.parametrize(
    ('width', 'height', 'focal_px'),
    [
        (640, 480, 500.0),
        (320, 240, 250.0),
        (213, 160, 166.4),
        (640, 480, 0.0),
        (1280, 960, 1010.0),
    ],
)
def test_same_camera_at_any_size_is_taken(width: int, height: int, focal_px: float) -> None:
    require_same_view(width, height, focal_px, CAMERA, 'the disparity')


def test_other_shape_is_refused_with_both_sizes() -> None:
    with pytest.raises(CalibrationError, match=r'disparity is 640x360 px and the image 640x480'):
        require_same_view(640, 360, 500.0, CAMERA, 'the disparity')


def test_other_field_of_view_is_refused_with_both_values() -> None:
    with pytest.raises(CalibrationError, match=r'f/width = 0\.9375 and the image 0\.7812'):
        require_same_view(640, 480, 600.0, CAMERA, 'the disparity')


def test_measurement_without_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match='0x480'):
        require_same_view(0, 480, 500.0, CAMERA, 'the disparity')


def test_noise_of_a_depth_camera_is_a_tenth_of_a_pixel() -> None:
    assert measure_depth(torch.ones(2, 2)).noise == pytest.approx(0.1 / 50)


@pytest.mark.parametrize(('share', 'is_marker'), [(0.0035, False), (0.008, True)])
def test_a_marker_is_at_least_a_two_hundredth_of_the_image(share: float, is_marker: bool) -> None:
    disparity = torch.arange(10000).remainder(128) / 16 + 32.0
    disparity[: round(share * 10000)] = 31.0
    found = measure_disparity(disparity.view(100, 100), F_PX, T_M).inverse_depth
    assert bool(found.view(-1)[0].isnan()) is is_marker
    assert bool(found.view(-1)[100:].isfinite().all())


@pytest.mark.parametrize(('gap_px', 'is_marker'), [(0.5, False), (1.0, True)])
def test_a_marker_is_one_pixel_below_the_least(gap_px: float, is_marker: bool) -> None:
    disparity = torch.arange(10000).remainder(128) / 16 + 32.0
    disparity[:1000] = 32.0 - gap_px
    found = measure_disparity(disparity.view(100, 100), F_PX, T_M).inverse_depth
    assert bool(found[:10].isnan().all()) is is_marker
    assert bool(found[10:].isfinite().all())


def test_another_camera_differs_by_more_than_rounding() -> None:
    require_same_view(650, 480, 0.0, CAMERA, 'the disparity')
    with pytest.raises(CalibrationError, match='another aspect ratio'):
        require_same_view(660, 480, 0.0, CAMERA, 'the disparity')
    require_same_view(640, 480, 520.0, CAMERA, 'the disparity')
    with pytest.raises(CalibrationError, match='another field of view'):
        require_same_view(640, 480, 535.0, CAMERA, 'the disparity')


def test_the_parts_of_the_noise_add_up_by_their_squares() -> None:
    q = torch.tensor([[0.5, 0.1], [2.0, torch.nan]])
    expected = (0.03**2 + (0.1 * q) ** 2 + (0.2 * q**2) ** 2) ** 0.5
    measured = DepthMeasurement(q, 0.03, relative_noise=0.1, depth_noise_m=0.2)
    torch.testing.assert_close(measured.sigma(), expected, equal_nan=True)
    constant = DepthMeasurement(q, 0.03).sigma()
    torch.testing.assert_close(
        constant, torch.tensor([[0.03, 0.03], [0.03, torch.nan]]), equal_nan=True
    )

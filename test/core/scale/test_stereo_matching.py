import numpy as np
import pytest
import torch

from mono_depth_ros.core.errors import ImageError, SettingsError
from mono_depth_ros.core.scale.stereo_matching import (
    MatchingSettings,
    _mean_of_agreeing,
    match_disparity,
)


def shifted_pair(shift_px: int) -> tuple[torch.Tensor, torch.Tensor]:
    wide = torch.randint(0, 256, (60, 260), generator=torch.Generator().manual_seed(3))
    wide = wide.to(torch.uint8)
    return wide[:, :200], wide[:, shift_px : 200 + shift_px]


@pytest.mark.parametrize('shift', [1, 7, 30])
def test_a_shifted_pattern_has_the_disparity_of_the_shift(shift: int) -> None:
    found = match_disparity(*shifted_pair(shift))
    inner = found[5:-5, 70:-10]
    assert found.shape == (60, 200)
    assert found.dtype == torch.float32
    assert float(inner.isfinite().float().mean()) > 0.9
    assert float(inner.nanmedian()) == pytest.approx(shift, abs=0.1)
    assert bool(found[:, :shift].isnan().all())
    first_columns = found[5:-5, shift + 8 : 64]
    assert float(first_columns.isfinite().float().mean()) > 0.9
    assert float(first_columns.nanmedian()) == pytest.approx(shift, abs=0.1)


def noisy(image: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    return (image + 2 * noise).round().clamp(0, 255).to(torch.uint8)


def test_a_surface_that_shows_only_noise_has_no_match() -> None:
    scene = torch.full((120, 360), 120.0)
    random = torch.Generator().manual_seed(4)
    scene[:, :180] = torch.randint(0, 256, (120, 180), generator=random).float()
    found = match_disparity(noisy(scene[:, :320], 1), noisy(scene[:, 12:332], 2))
    assert float(found[:, 80:150].isfinite().float().mean()) > 0.95
    assert float(found[:, 80:150].nanmedian()) == pytest.approx(12, abs=0.1)
    assert float(found[:, 190:].isfinite().float().mean()) < 0.02


def test_what_the_right_camera_does_not_see_has_no_match() -> None:
    random = torch.Generator().manual_seed(5)
    wall = torch.randint(0, 256, (120, 360), generator=random).float()
    box = torch.randint(0, 256, (60, 80), generator=random).float()
    left, right = wall[:, 10:330].clone(), wall[:, 14:334].clone()
    left[30:90, 140:220], right[30:90, 110:190] = box, box
    found = match_disparity(noisy(left, 1), noisy(right, 2))
    assert float(found[40:80, 150:210].nanmedian()) == pytest.approx(30, abs=0.1)
    hidden = found[40:80, 118:136]
    assert float((hidden.isfinite() & ((hidden - 4).abs() > 1)).float().mean()) < 0.15
    assert float(hidden.isfinite().float().mean()) < 0.3


def test_a_match_is_right_to_a_quarter_pixel_under_noise() -> None:
    random = torch.Generator().manual_seed(6)
    coarse = torch.rand(1, 1, 30, 90, generator=random)
    scene = torch.nn.functional.interpolate(coarse, (240, 720), mode='bicubic')[0, 0] * 120 + 60
    left, right = scene[::2, 0:640:2], scene[::2, 25:665:2]
    found = match_disparity(noisy(left, 1), noisy(right, 2))[10:-10, 20:-10]
    known = found[found.isfinite()]
    assert float(found.isfinite().float().mean()) > 0.6
    assert float((known - 12.5).square().mean().sqrt()) < 0.25


@pytest.mark.parametrize(('apart_px', 'agrees'), [(0.5, True), (0.9, False)])
def test_both_matches_of_a_pixel_agree_within_a_tolerance(apart_px: float, agrees: bool) -> None:
    of_left = np.full((1, 20), 5.0, np.float32)
    of_right = np.full((1, 20), 5.0 + apart_px, np.float32)
    mean = _mean_of_agreeing(of_left, of_right)
    assert bool(np.isnan(mean[0, :5]).all())
    assert bool(np.isfinite(mean[0, 5:]).all()) == agrees
    if agrees:
        np.testing.assert_allclose(mean[0, 5:], 5.0 + apart_px / 2)


def test_color_and_gray_give_alike_results() -> None:
    left, right = shifted_pair(9)
    color = match_disparity(*(image[..., None].expand(-1, -1, 3) for image in (left, right)))
    torch.testing.assert_close(color, match_disparity(left, right), equal_nan=True)


def test_matches_stay_inside_the_search_range() -> None:
    found = match_disparity(*shifted_pair(40), MatchingSettings(num_disparities=16))
    matched = found[found.isfinite()]
    assert float(matched.min()) > 0
    assert float(matched.max()) < 16


def test_unequal_or_unusual_images_are_refused() -> None:
    left, right = shifted_pair(3)
    with pytest.raises(ImageError, match='one shape'):
        match_disparity(left, right[:, :-1])
    with pytest.raises(ImageError, match='uint8'):
        match_disparity(left.float(), right.float())


@pytest.mark.parametrize(
    ('name', 'value'), [('num_disparities', 40), ('num_disparities', 0), ('block_size', 4)]
)
def test_impossible_settings_are_refused(name: str, value: int) -> None:
    with pytest.raises(SettingsError, match=f'{name} is {value}'):
        MatchingSettings(**{name: value})

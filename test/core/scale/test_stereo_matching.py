import pytest
import torch

from mono_depth_ros.core.errors import ImageError, SettingsError
from mono_depth_ros.core.scale.stereo_matching import (
    MatchingSettings,
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
    assert bool(found[:, :60].isnan().all())


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

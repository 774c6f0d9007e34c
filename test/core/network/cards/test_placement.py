"""Where an image lies in the input of a network, and the way back."""

from typing import Any

import pytest
import torch

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.network.cards.card_fields import CardFields
from mono_depth_ros.core.network.cards.placement import Placement, SizeRule, read_size
from mono_depth_ros.core.network.preprocessing import network_size

NAN = float('nan')
PAD = {'fixed': [60, 120], 'fit': 'pad', 'color': [1, 2, 3]}


def rule(size: dict[str, Any]) -> SizeRule:
    return read_size(CardFields(size, 'card'))


@pytest.mark.parametrize(
    ('size', 'image', 'expected'),
    [
        ({'fixed': [60, 100], 'fit': 'stretch'}, (480, 640), Placement((60, 100), (60, 100))),
        (PAD, (480, 640), Placement((60, 80), (60, 120), ((0, 20),))),
        (PAD, (100, 400), Placement((30, 120), (60, 120), ((15, 0),))),
        (
            {'fixed': [60, 60], 'fit': 'crop'},
            (480, 640),
            Placement((60, 80), (60, 60), ((0, -10),)),
        ),
        (
            {'fixed': [385, 513], 'fit': 'windows', 'step': 256},
            (385, 1242),
            Placement((385, 1242), (385, 513), ((0, 0), (0, -256), (0, -512), (0, -729))),
        ),
        (
            {'fixed': [60, 80], 'fit': 'windows', 'step': 40},
            (480, 640),
            Placement((60, 80), (60, 80), ((0, 0),)),
        ),
        (
            {'fixed': [60, 80], 'fit': 'windows', 'step': 40},
            (480, 320),
            Placement((60, 80), (60, 80), ((0, 0),)),
        ),
    ],
)
def test_fixed_sizes(size: dict[str, Any], image: tuple[int, int], expected: Placement) -> None:
    assert rule(size).place(*image) == expected


@pytest.mark.parametrize('image', [(480, 640), (640, 480), (100, 101), (333, 1000), (31, 500)])
def test_shorter_side_is_the_rule_of_depth_anything(image: tuple[int, int]) -> None:
    placed = rule({'shorter': 518, 'multiple': 14}).place(*image)
    assert placed.network == placed.resized == network_size(*image, 518)


@pytest.mark.parametrize(
    ('image', 'expected'),
    [((480, 640), (378, 504)), ((100, 2000), (28, 504)), ((9, 999), (14, 504))],
)
def test_longer_side(image: tuple[int, int], expected: tuple[int, int]) -> None:
    assert rule({'longer': 504, 'multiple': 14}).place(*image).network == expected


@pytest.mark.parametrize('fit', ['pad', 'crop'])
@pytest.mark.parametrize('image', [(479, 641), (333, 100), (7, 900), (1, 1)])
def test_a_padded_image_is_inside_and_a_cropped_one_around(
    fit: str, image: tuple[int, int]
) -> None:
    placed = SizeRule((61, 97), fit=fit).place(*image)
    ((row, column),) = placed.offsets
    for start, length, whole in zip((row, column), placed.resized, (61, 97), strict=True):
        if fit == 'pad':
            assert 0 <= start <= start + length <= whole
        else:
            assert start <= 0 < whole <= start + length
    assert whole in placed.resized or 61 in placed.resized


def test_padding_has_its_color_and_comes_off_again() -> None:
    placed = Placement((2, 3), (2, 5), ((0, 1),))
    image = torch.arange(6.0).reshape(1, 2, 3)
    (made,) = placed.inputs(image, torch.tensor([9.0]))
    assert made[0].tolist() == [[9, 0, 1, 2, 9], [9, 3, 4, 5, 9]]
    assert torch.equal(placed.merged(made), image[0])


def test_what_was_cut_off_is_not_known() -> None:
    placed = Placement((2, 4), (2, 2), ((0, -1),))
    (made,) = placed.inputs(torch.arange(8.0).reshape(1, 2, 4), torch.zeros(1))
    assert made[0].tolist() == [[1, 2], [5, 6]]
    found = placed.merged(made)
    assert found[0].tolist() == pytest.approx([NAN, 1, 2, NAN], nan_ok=True)


def test_windows_are_averaged_where_they_overlap() -> None:
    placed = Placement((1, 5), (1, 3), ((0, 0), (0, -2)))
    outputs = torch.tensor([[[1.0, 1, 1]], [[3.0, 3, 3]]])
    assert placed.merged(outputs)[0].tolist() == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ('size', 'complaint'),
    [
        ({}, 'has none of fixed, shorter, longer; give fixed'),
        ({'fixed': [2, 2], 'shorter': 3}, 'has fixed and shorter of fixed, shorter, longer'),
        ({'shorter': 518}, 'lacks multiple, which has no default'),
        ({'shorter': 518.5, 'multiple': 14}, 'must be a whole number'),
        ({'shorter': 518, 'multiple': 14, 'fit': 'pad'}, "'fit', which is no key there"),
        ({'fixed': [60, 80]}, 'lacks fit, which has no default; give stretch, pad, crop'),
        ({'fixed': [60, 80], 'fit': 'squeeze'}, "has fit 'squeeze'; choose one of"),
        ({'fixed': [60], 'fit': 'crop'}, 'must be 2 numbers'),
        ({'fixed': [0, 80], 'fit': 'crop'}, 'must be positive'),
        ({'fixed': [61600, 80], 'fit': 'crop'}, 'at most 4096'),
        ({'shorter': 51800, 'multiple': 14}, 'give at most 4096 px'),
        ({'fixed': [60, 80], 'fit': 'pad'}, 'lacks color'),
        ({'fixed': [60, 80], 'fit': 'windows'}, 'lacks step'),
        ({'fixed': [60, 80], 'fit': 'windows', 'step': 81}, 'leaves gaps; give at most 80'),
    ],
)
def test_rules_without_a_size(size: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        rule(size)

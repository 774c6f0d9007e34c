"""The table of conversions: known numbers of each kind become known depth."""

import math
from typing import Any

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.network.cards.card_fields import CardFields
from mono_depth_ros.core.network.cards.output_kind import (
    CONVERSIONS,
    MetersRule,
    OutputKind,
    read_meters,
)
from mono_depth_ros.core.network.prediction import Prediction

CAMERA = PinholeCamera(5, 3, 10.0, 10.0, 2.0, 1.0)
METRIC = {'rule': 'metric'}


def inverse_depth(kind: str, meters: dict[str, Any], values: list[float]) -> list[float]:
    """Return the inverse depth of five pixels of the middle row, from the center to the right."""
    output = OutputKind(kind)
    rule = read_meters(CardFields(meters, 'card'), output)
    conversion = CONVERSIONS[output]
    rows = torch.tensor(values).repeat(3, 1)
    made = Prediction(conversion.function(rows, rule, CAMERA), conversion.kind).inverted()
    return [float(value) for value in made.values[1]]


def test_every_kind_has_a_conversion() -> None:
    assert set(CONVERSIONS) == set(OutputKind)


def test_depth() -> None:
    assert inverse_depth('depth', METRIC, [1, 2, 4, 16, 8]) == [1, 0.5, 0.25, 0.0625, 0.125]


def test_canonical_depth() -> None:
    """Depth Anything 3: depth = f * output / 300; here f is 10 px."""
    meters = {'rule': 'canonical', 'focal_px': 300}
    assert inverse_depth('depth', meters, [60] * 5) == pytest.approx([0.5] * 5)


def test_inverse_depth() -> None:
    assert inverse_depth('inverse_depth', METRIC, [1, 2, 0, 4, -1]) == [1, 2, 0, 4, -1]


def test_canonical_inverse_depth() -> None:
    """Depth Pro: 1/Z = output * W / f; the width is 5 px, f is 10 px."""
    meters = {'rule': 'canonical', 'focal_px': 'width'}
    assert inverse_depth('inverse_depth', meters, [1.0] * 5) == pytest.approx([0.5] * 5)


def test_relative_inverse_depth() -> None:
    values = [0.0, 1, 2, 3, 4]
    assert inverse_depth('relative_inverse_depth', {'rule': 'fit'}, values) == values


def test_relative_depth_stays_as_it_is() -> None:
    """Its zero is not known, so it cannot be inverted before meters are."""
    values = [1.0, 2, 4, 0, -1]
    assert inverse_depth('relative_depth', {'rule': 'fit'}, values) == values


def test_log_depth() -> None:
    logs = [0, math.log(2), math.log(4), math.log(0.5), math.log(10)]
    assert inverse_depth('log_depth', METRIC, logs) == pytest.approx([1, 0.5, 0.25, 2, 0.1])


def test_distance_along_the_ray() -> None:
    """Of a wall 3 m ahead: 3 m times the length of the ray to Z = 1."""
    lengths = [3 * math.hypot((u - 2) / 10, 1) for u in range(5)]
    assert inverse_depth('ray_distance', METRIC, lengths) == pytest.approx([1 / 3] * 5)


def test_disparity_as_a_share_of_the_width() -> None:
    """Monodepth: Z = f B / (d W), f = 10 px, W = 5 px, B = 0.5 m: d = 0.25 is 4 m."""
    meters = {'rule': 'baseline', 'baseline_m': 0.5}
    found = inverse_depth('disparity_share', meters, [0.25, 0.5, 1.0, 0.125, 0])
    assert found == pytest.approx([0.25, 0.5, 1.0, 0.125, 0])


def test_ordinal_levels() -> None:
    """DORN on NYU: exp((k - 1) / 25 - 0.36)."""
    meters = {'rule': 'levels', 'gain': '1/25', 'offset': -0.4}
    found = inverse_depth('ordinal', meters, [10, 20, 30, 40, 50])
    assert found == pytest.approx([1 / math.exp((k - 1) / 25 - 0.36) for k in range(10, 60, 10)])


def test_factor_of_a_camera() -> None:
    assert MetersRule('metric').factor(CAMERA) == 1
    assert MetersRule('metric', 20.0).factor(CAMERA) == pytest.approx(0.5)
    assert MetersRule('metric', 20.0).factor(None) == 1
    stretched = PinholeCamera(5, 3, 10.0, 40.0, 2.0, 1.0)
    assert MetersRule('canonical', 10.0).factor(stretched) == pytest.approx(2)
    assert MetersRule('canonical').factor(stretched) == pytest.approx(2), 'fx over the width'


@pytest.mark.parametrize(
    ('kind', 'meters', 'complaint'),
    [
        ('depth', {}, 'lacks rule, which has no default; for an output of kind depth give metric'),
        ('depth', {'rule': 'fit'}, "has rule 'fit', and output.kind is depth; give metric or"),
        ('relative_inverse_depth', METRIC, 'give fit'),
        ('ordinal', METRIC, 'give levels'),
        ('ordinal', {'rule': 'levels', 'gain': 1}, 'lacks offset'),
        ('disparity_share', {'rule': 'baseline'}, 'lacks baseline_m'),
        ('disparity_share', {'rule': 'baseline', 'baseline_m': -1}, 'must be positive'),
        ('depth', {'rule': 'canonical'}, 'lacks focal_px'),
        ('depth', {'rule': 'canonical', 'focal_px': 'height'}, "'height', which is no number"),
        ('depth', {'rule': 'canonical', 'focal_px': 0}, 'must be positive'),
        ('depth', {'rule': 'metric', 'focal_px': 3}, "has 'focal_px', which is no key there"),
        ('depth', {'rule': 'metric', 'training_focal_px': 'x'}, 'which is no number'),
        ('depth', 'metric', "is 'metric', not a mapping"),
    ],
)
def test_rules_that_do_not_make_meters(kind: str, meters: Any, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read_meters(CardFields(meters, 'card'), OutputKind(kind))

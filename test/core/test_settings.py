"""Every setting refuses what it cannot be, names it, and says what it may be."""

import dataclasses
import math
from typing import Any

import pytest

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.network.estimator import EstimatorSettings
from mono_depth_ros.core.outputs.cloud import CloudSettings
from mono_depth_ros.core.outputs.colormap import ColormapSettings
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.settings import Settings, described
from mono_depth_ros.core.types import PredictionKind

RECORDS = (
    EstimatorSettings,
    PipelineSettings,
    EdgeFilterSettings,
    CloudSettings,
    ColormapSettings,
)


@pytest.mark.parametrize(
    ('record', 'values', 'complaint'),
    [
        (EstimatorSettings, {'encoder': 'vitx'}, r"encoder is 'vitx'; choose one of vits, vitb"),
        (EstimatorSettings, {'variant': 'best'}, r"variant is 'best'; choose one of auto, metric"),
        (
            EstimatorSettings,
            {'precision': 'int8'},
            r"'int8'; choose one of auto, fp32, fp16, bf16",
        ),
        (EstimatorSettings, {'input_size': -1}, 'input_size is -1 px; it must be at least 0 px'),
        (EstimatorSettings, {'input_size': 2045}, 'it must be at most 2044 px'),
        (EstimatorSettings, {'input_size': 518.0}, 'input_size is 518.0; it must be of type int'),
        (EstimatorSettings, {'accept_noncommercial': 1}, 'is 1; it must be of type bool'),
        (EstimatorSettings, {'checkpoint': None}, 'checkpoint is None; it must be of type str'),
        (PipelineSettings, {'min_depth': 5.0, 'max_depth': 5.0}, 'min_depth is 5.0 m and max_'),
        (PipelineSettings, {'min_depth': 100.0}, 'min_depth is 100.0 m and max_depth 80.0 m'),
        (PipelineSettings, {'min_depth': -0.1}, 'min_depth is -0.1 m; it must be at least 0.0 m'),
        (PipelineSettings, {'max_depth': math.nan}, 'max_depth is nan; it must be a finite'),
        (PipelineSettings, {'max_depth': math.inf}, 'max_depth is inf; it must be a finite'),
        (PipelineSettings, {'max_depth': '80'}, "max_depth is '80'; it must be of type float"),
        (PipelineSettings, {'max_depth': True}, 'max_depth is True; it must be of type float'),
        (PipelineSettings, {'output_scale': 0.0}, 'output_scale is 0.0; it must be at least 0.05'),
        (PipelineSettings, {'output_scale': 1.5}, 'output_scale is 1.5; it must be at most 1.0'),
        (PipelineSettings, {'depth_scale': 0.0}, 'depth_scale is 0.0; it must be at least 0.001'),
        (PipelineSettings, {'scale': -1.0}, 'scale is -1.0 1/m; it must be at least 0.0 1/m'),
        (PipelineSettings, {'fov_deg': 180.0}, 'fov_deg is 180.0 deg; it must be at most 179.0'),
        (EdgeFilterSettings, {'threshold': 0.0}, 'threshold is 0.0; it must be at least 0.001'),
        (CloudSettings, {'stride': 0}, 'stride is 0 px; it must be at least 1 px'),
        (CloudSettings, {'stride': 2.0}, 'stride is 2.0; it must be of type int'),
        (CloudSettings, {'voxel_size': 1e-4}, 'voxel_size is 0.0001 m; .* or at least 0.001 m'),
        (CloudSettings, {'voxel_size': 0.1, 'organized': True}, 'breaks the image grid'),
        (CloudSettings, {'max_range': -1.0}, 'max_range is -1.0 m; it must be at least 0.0 m'),
        (ColormapSettings, {'near': 0.0}, 'near is 0.0 m; it must be at least 0.01 m'),
    ],
)
def test_bad_value(record: type[Settings], values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        record(**values)


@pytest.mark.parametrize(('near', 'far'), [(20.0, 20.0), (30.0, 20.0)])
def test_colors_need_a_range(near: float, far: float) -> None:
    with pytest.raises(SettingsError, match=f'colormap.near is {near} m and colormap.far {far} m'):
        ColormapSettings(near, far)


@pytest.mark.parametrize('record', RECORDS)
def test_every_setting_is_described_and_its_limits_belong_to_it(record: type[Settings]) -> None:
    defaults = record()
    rows = list(described(defaults))
    assert rows
    for name, info, default in rows:
        assert info.description.endswith('.'), name
        is_number = isinstance(default, int | float) and not isinstance(default, bool)
        assert is_number == (info.limits is not None), name
        for choice in info.choices:
            assert getattr(dataclasses.replace(defaults, **{name: choice}), name) == choice


def test_limits_are_inclusive() -> None:
    edges = EdgeFilterSettings(threshold=0.001), EdgeFilterSettings(threshold=10.0)
    assert [settings.threshold for settings in edges] == [0.001, 10.0]
    assert CloudSettings(voxel_size=0.001).voxel_size == 0.001


def test_whole_numbers_serve_as_floats() -> None:
    assert PipelineSettings(max_depth=10).max_depth == 10


def test_records_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PipelineSettings().scale = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ('kind', 'values', 'complaint'),
    [
        (PredictionKind.DEPTH, {'scale': 0.5}, 'scale is 0.5 .* use depth_scale'),
        (PredictionKind.DEPTH, {'shift': 0.1}, 'shift 0.1, which belong to a relative'),
        (
            PredictionKind.RELATIVE_INVERSE_DEPTH,
            {'depth_scale': 1.1},
            'depth_scale is 1.1, .* use scale and shift',
        ),
    ],
)
def test_scale_of_the_other_kind(
    kind: PredictionKind, values: dict[str, float], complaint: str
) -> None:
    settings = PipelineSettings(**values)
    with pytest.raises(SettingsError, match=complaint):
        settings.require_kind(kind)


def test_scale_of_the_right_kind() -> None:
    PipelineSettings(depth_scale=1.1).require_kind(PredictionKind.DEPTH)
    relative = PipelineSettings(scale=0.5, shift=-0.1)
    relative.require_kind(PredictionKind.RELATIVE_INVERSE_DEPTH)
    alignment = relative.manual_scale(PredictionKind.RELATIVE_INVERSE_DEPTH)
    assert alignment is not None
    assert (alignment.scale, alignment.shift) == (0.5, -0.1)
    assert PipelineSettings(shift=1.0).manual_scale(PredictionKind.RELATIVE_DEPTH) is None


@pytest.mark.parametrize(
    ('encoder', 'variant', 'kind'),
    [
        ('vits', 'auto', PredictionKind.DEPTH),
        ('vits', 'relative', PredictionKind.RELATIVE_INVERSE_DEPTH),
        ('vitl', 'metric_outdoor', PredictionKind.DEPTH),
        ('tiny', 'auto', PredictionKind.DEPTH),
        ('tiny', 'relative', PredictionKind.RELATIVE_INVERSE_DEPTH),
    ],
)
def test_settings_know_what_their_network_predicts(
    encoder: str, variant: str, kind: PredictionKind
) -> None:
    assert EstimatorSettings(encoder=encoder, variant=variant).kind is kind


@pytest.mark.parametrize(
    ('maximum', 'pipeline', 'reach'),
    [
        (0.0, {'depth_scale': 150 / 80}, 150),
        (150.0, {}, 150),
        (150.0, {'depth_scale': 2.0}, 300),
        (0.0, {'depth_scale': 1.1, 'max_depth': 60.0}, 88),
        (150.0, {'max_depth': 150.0}, 0),
        (50.0, {}, 0),
        (0.0, {'max_depth': 5.0}, 0),
    ],
)
def test_a_range_of_the_network_that_max_depth_cuts_is_said(
    maximum: float, pipeline: dict[str, float], reach: float
) -> None:
    estimator = EstimatorSettings(
        variant='metric_outdoor',
        checkpoint='other.pth' if maximum else '',
        checkpoint_max_depth=maximum,
    )
    said = PipelineSettings(**pipeline).range_warning(estimator)
    assert (f'the network reaches {reach:g} m' in said) == (reach > 0)
    assert (f'raise max_depth to {reach:g} to keep it' in said) == (reach > 0)
    assert PipelineSettings(**pipeline).range_warning(EstimatorSettings('tiny')) == ''


def test_impossible_pair_lists_the_possible_ones() -> None:
    with pytest.raises(SettingsError, match=r"'metric_outdoor' of encoder 'tiny'(.|\n)*vits: met"):
        assert EstimatorSettings(encoder='tiny', variant='metric_outdoor').kind

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mono_depth_ros.core.errors import CheckpointError, LicenseError, SettingsError
from mono_depth_ros.core.network.checkpoints.table import (
    ENCODERS,
    POSSIBLE,
    TABLE,
    VARIANTS,
    find_spec,
    max_depth,
    official_name,
    pair_of_name,
    require_license,
    require_spec,
    resolve_variant,
)
from mono_depth_ros.core.network.depth_anything import PRESETS
from mono_depth_ros.core.network.estimator import EstimatorSettings
from mono_depth_ros.core.types import PredictionKind

RELATIVE = PredictionKind.RELATIVE_INVERSE_DEPTH


def test_table_holds_the_published_facts(shared_dir: Path) -> None:
    published = json.loads((shared_dir / 'data/published/checkpoints.json').read_text())['files']
    facts = {entry['name']: entry for entry in published if entry['name'].endswith('.pth')}
    on_the_hub = [spec for spec in TABLE if not spec.git_blob]
    assert {spec.file for spec in on_the_hub} == set(facts)
    for spec in on_the_hub:
        entry = facts[spec.file]
        path = f'/{spec.repository}/resolve/{spec.revision}/{spec.file}'
        assert urlsplit(entry['url']).path == path
        assert (spec.sha256, spec.size) == (entry['sha256'], entry['size'])
        assert entry['licence'].split()[0] == spec.license
        assert max_depth(spec.encoder, spec.variant) == entry.get('max_depth')


def test_every_encoder_is_a_preset_and_nothing_else() -> None:
    assert set(ENCODERS) == {*PRESETS, 'zipdepth', 'tiny'}


@pytest.mark.parametrize(
    ('encoder', 'variant'),
    [
        ('vits', 'metric_indoor'),
        ('vitb', 'metric_indoor'),
        ('vitl', 'metric_indoor'),
        ('vitg', 'relative'),
        ('tiny', 'metric_indoor'),
    ],
)
def test_auto_means(encoder: str, variant: str) -> None:
    assert resolve_variant(encoder, 'auto') == variant


@pytest.mark.parametrize(
    ('encoder', 'variant'),
    [
        ('tiny', 'metric_outdoor'),
        ('tiny', 'relative_v1'),
        ('vitg', 'relative_v1'),
        ('vits', 'metric'),
        ('vitx', 'auto'),
    ],
)
def test_impossible_pair_is_refused_with_the_possible_ones(encoder: str, variant: str) -> None:
    with pytest.raises(SettingsError) as refused:
        resolve_variant(encoder, variant)
    assert f"variant '{variant}' of encoder '{encoder}'" in str(refused.value)
    for name, variants in POSSIBLE.items():
        assert f'  {name}: {", ".join(variants)}' in str(refused.value).splitlines()


@pytest.mark.parametrize(
    ('variant', 'kind', 'depth'),
    [
        ('metric_indoor', PredictionKind.DEPTH, 20.0),
        ('metric_outdoor', PredictionKind.DEPTH, 80.0),
        ('relative', RELATIVE, None),
        ('relative_v1', RELATIVE, None),
    ],
)
def test_variant_says_what_the_network_computes(
    variant: str, kind: PredictionKind, depth: float | None
) -> None:
    assert variant in VARIANTS
    settings = EstimatorSettings('vits', variant)
    assert (settings.kind, settings.network_max_depth) == (kind, depth)
    assert max_depth('vits', variant) == depth


def test_the_embedded_network_does_not_saturate() -> None:
    metric, relative = EstimatorSettings('tiny'), EstimatorSettings('tiny', 'relative')
    assert (metric.kind, metric.network_max_depth) == (PredictionKind.DEPTH, None)
    assert (relative.kind, relative.network_max_depth) == (RELATIVE, None)


def test_license_is_the_files() -> None:
    noncommercial = {spec.file for spec in TABLE if spec.noncommercial}
    assert noncommercial == {'depth_anything_v2_vitb.pth', 'depth_anything_v2_vitl.pth'}
    large = require_spec('vitl', 'relative')
    with pytest.raises(LicenseError, match=r'vitl\.pth is licensed CC-BY-NC-4\.0'):
        require_license(large, accept_noncommercial=False)
    require_license(large, accept_noncommercial=True)
    require_license(require_spec('vits', 'relative'), accept_noncommercial=False)


@pytest.mark.parametrize(
    ('encoder', 'variant', 'name'),
    [
        ('vitb', 'metric_indoor', 'depth_anything_v2_metric_hypersim_vitb.pth'),
        ('vitl', 'metric_outdoor', 'depth_anything_v2_metric_vkitti_vitl.pth'),
        ('vitg', 'relative', 'depth_anything_v2_vitg.pth'),
        ('vits', 'relative_v1', 'depth_anything_vits14.pth'),
    ],
)
def test_pair_without_download_asks_for_the_local_file(
    encoder: str, variant: str, name: str
) -> None:
    assert find_spec(encoder, variant) is None
    with pytest.raises(CheckpointError, match=name) as refused:
        require_spec(encoder, variant)
    assert '`checkpoint:`' in str(refused.value)
    assert '`encoder: tiny`' in str(refused.value)


def test_official_name_gives_its_pair_away() -> None:
    for spec in TABLE:
        assert official_name(spec.encoder, spec.variant) == spec.name
        assert pair_of_name(spec.name) == (spec.encoder, spec.variant)
    assert pair_of_name('depth_anything_vitl14.safetensors') == ('vitl', 'relative_v1')
    assert pair_of_name('latest.pth') is None
    assert pair_of_name('depth_anything_v2_tiny.pth') is None

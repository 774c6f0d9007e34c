"""What a model of transformers says of itself, by its files alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_models import processor

from mono_depth_ros.core.errors import CheckpointError, LicenseError, SettingsError
from mono_depth_ros.core.network.cards.card_fields import CardFields
from mono_depth_ros.core.network.cards.card_reader import read_card, read_network
from mono_depth_ros.core.network.cards.output_kind import OutputKind
from mono_depth_ros.core.network.hub.hub_name import HubName, absolute_network, read_hub_name
from mono_depth_ros.core.network.hub.output_meaning import find_meaning
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.types import PredictionKind

METRIC = {'model_type': 'depth_anything', 'depth_estimation_type': 'metric', 'max_depth': 80}
COMMIT = '0123456789abcdef' * 2 + '01234567'


def model(folder: Path, card: str = '---\nlicense: mit\n---\n', **config: Any) -> str:
    """Write the files of a model without weights; return its name."""
    folder.mkdir(exist_ok=True)
    (folder / 'config.json').write_text(json.dumps(config))
    (folder / 'preprocessor_config.json').write_text(json.dumps(processor('DPT')))
    (folder / 'README.md').write_text(card)
    return f'hf:{folder}'


def write_card(folder: Path, **content: Any) -> str:
    path = folder / 'card.yaml'
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.mark.parametrize(
    ('config', 'kind', 'rule', 'limits'),
    [
        (METRIC, 'depth', 'metric', (0, 0.98 * 80)),
        ({'model_type': 'depth_anything'}, 'relative_inverse_depth', 'fit', None),
        (METRIC | {'depth_estimation_type': 'relative'}, 'relative_inverse_depth', 'fit', None),
        ({'model_type': 'glpn'}, 'depth', 'metric', (0, 0.98 * 10)),
        ({'model_type': 'glpn', 'max_depth': 80}, 'depth', 'metric', (0, 0.98 * 80)),
        ({'model_type': 'tipsv2_dpt'}, 'depth', 'metric', (0, 0.98 * 10)),
        ({'model_type': 'zoedepth'}, 'depth', 'metric', None),
        ({'model_type': 'depth_pro'}, 'inverse_depth', 'canonical', None),
    ],
)
def test_kind_by_class_and_configuration(
    tmp_path: Path, config: dict[str, Any], kind: str, rule: str, limits: Any
) -> None:
    name = model(tmp_path / 'model', **config)
    card = read_network(name)
    assert (card.output_kind.value, card.meters.rule) == (kind, rule)
    assert card.depth_range == (limits and pytest.approx(limits))
    settings = EstimatorSettings(network=name)
    relative = PredictionKind.RELATIVE_INVERSE_DEPTH
    assert (settings.kind is relative) == (rule == 'fit')
    assert settings.network_max_depth == (limits and pytest.approx(limits[1]))


@pytest.mark.parametrize(
    ('repository', 'kind'),
    [
        ('Intel/dpt-large', OutputKind.RELATIVE_INVERSE_DEPTH),
        ('Intel/dpt-hybrid-midas', OutputKind.RELATIVE_INVERSE_DEPTH),
        ('facebook/dpt-dinov2-base-nyu', OutputKind.DEPTH),
        ('facebook/dpt-dinov2-giant-kitti', OutputKind.DEPTH),
        ('someone/dpt-large', None),
        ('', None),
    ],
)
def test_kind_of_a_dpt_by_its_id(repository: str, kind: OutputKind | None) -> None:
    found = find_meaning('dpt', CardFields({}, 'here'), repository)
    assert (found.kind if found else None) is kind


@pytest.mark.parametrize(
    ('model_type', 'why'),
    [
        ('dpt', 'models of this class predict depth or relative inverse depth'),
        ('prompt_depth_anything', 'refines a measured depth, which it is not given'),
        ('novel', "models of type 'novel' are not known here"),
    ],
)
def test_kind_that_cannot_be_known_is_to_be_stated(
    tmp_path: Path, model_type: str, why: str
) -> None:
    name = model(tmp_path / 'model', model_type=model_type)
    with pytest.raises(SettingsError, match=why) as caught:
        read_network(name)
    first, second = str(caught.value).split('network:\n')[1].split('\nor, if')
    for lines, kind in (
        (first, OutputKind.RELATIVE_INVERSE_DEPTH),
        (second.split('meters,\n')[1], OutputKind.DEPTH),
    ):
        (tmp_path / 'card.yaml').write_text(lines)
        assert read_network(str(tmp_path / 'card.yaml')).output_kind is kind


def test_card(tmp_path: Path) -> None:
    model(tmp_path / 'model', '', model_type='dpt')
    content = {
        'model': 'hf:model',
        'license': 'Apache-2.0',
        'source': 'a robot',
        'output': {'kind': 'depth'},
        'meters': {'rule': 'canonical', 'focal_px': 500},
        'range': [0.5, 30],
    }
    path = write_card(tmp_path, **content)
    card = read_network(path)
    assert card.model == f'hf:{tmp_path / "model"}'
    assert (card.license, card.source) == ('Apache-2.0', 'a robot')
    assert card.depth_range == (0.5, 30)
    assert card.meters.focal_px == 500
    assert card.needs_camera
    with pytest.raises(SettingsError, match='a model of transformers, not an ONNX file'):
        read_card(path)


@pytest.mark.parametrize(
    ('changes', 'error'),
    [
        ({'output': {}}, 'output lacks kind'),
        ({'output': {'kind': 'depth', 'name': 'x'}}, "has 'name', which is no key there"),
        ({'output': {'kind': 'disparity'}}, "has kind 'disparity'"),
        ({'meters': {'rule': 'fit'}}, "has rule 'fit', and output.kind is depth"),
        ({'input': {}}, 'has input, which preprocessor_config.json of hf:.* states'),
        ({'license': 'MIT'}, 'states license MIT, and README.md of hf:.* Apache-2.0'),
        ({'model': 'hf:'}, 'names no model'),
        ({'model': 'hf:nowhere'}, 'nowhere is not a folder'),
    ],
)
def test_card_that_is_wrong(tmp_path: Path, changes: dict[str, Any], error: str) -> None:
    model(tmp_path / 'model', '---\nlicense: apache-2.0\n---\n', model_type='dpt')
    content = {'model': 'hf:model', 'output': {'kind': 'depth'}, 'meters': {'rule': 'metric'}}
    with pytest.raises(SettingsError, match=error):
        read_network(write_card(tmp_path, **content | changes))


@pytest.mark.parametrize(
    ('config', 'error'),
    [
        (METRIC | {'auto_map': {'AutoModel': 'x.Y'}}, 'auto_map.*, which is never run'),
        ({}, 'lacks model_type'),
        ({'model_type': 'dpt', 'architectures': ['DPTForSemanticSegmentation']}, 'take a DPTFor'),
        (METRIC | {'architectures': 5}, 'is of architectures 5; take a DepthAnythingFor'),
        ({'model_type': 'chmv2'}, 'heights above ground from an aircraft'),
        (METRIC | {'depth_estimation_type': 'both'}, "depth_estimation_type 'both'"),
        (METRIC | {'max_depth': None}, 'max_depth None, which is no number'),
        (METRIC | {'max_depth': -1}, 'must be positive'),
        (METRIC | {'max_depth': 8000}, 'max_depth 8000, probably in millimeters'),
        ({'model_type': 'depth_pro', 'use_fov_model': 'no'}, 'must be true or false'),
    ],
)
def test_configuration_that_is_wrong(tmp_path: Path, config: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        read_network(model(tmp_path / 'model', **config))


def test_files_that_are_damaged_or_missing(tmp_path: Path) -> None:
    name = model(tmp_path / 'model', **METRIC)
    for file in ('preprocessor_config.json', 'config.json'):
        path = tmp_path / 'model' / file
        for content in (b'{"model_type": ', b'', b'\xff\xfe', b'{"a": ' * 10_000):
            path.write_bytes(content)
            with pytest.raises(CheckpointError, match=file):
                read_network(name)
            with pytest.raises(SettingsError, match=file):  # as parameters tell it
                _ = EstimatorSettings(network=name).kind
        path.unlink()
        with pytest.raises(CheckpointError, match=f'{file} does not exist'):
            read_network(name)


@pytest.mark.parametrize(
    ('metadata', 'license', 'is_free'),
    [
        ('license: mit', 'MIT', True),
        ('license: Apache-2.0', 'Apache-2.0', True),
        ('license: [bsd-2-clause]', 'BSD-2-Clause', True),
        ('license: [[a, b], [c, d]]', "[['a', 'b'], ['c', 'd']]", False),
        ('license: [mit, cc-by-nc-4.0]', "['mit', 'cc-by-nc-4.0']", False),
        ('license: cc-by-nc-4.0', 'cc-by-nc-4.0', False),
        ('license: other\nlicense_name: mit', 'other (mit)', False),
        ('tags: [depth]', '', False),
        ('license: [', '', False),
        ('', '', False),
    ],
)
def test_license(tmp_path: Path, metadata: str, license: str, is_free: bool) -> None:
    card = read_network(model(tmp_path / 'model', f'---\n{metadata}\n---\n# x\n', **METRIC))
    assert card.license == license
    card.require_license(True)
    if is_free:
        card.require_license(False)
        return
    says = 'states no license' if not license else 'not known to allow commercial use'
    with pytest.raises(LicenseError, match=f'{says}.*accept_noncommercial'):
        card.require_license(False)


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pinned = read_hub_name(f'hf:Intel/dpt-large@{COMMIT}')
    assert pinned == HubName(None, 'Intel/dpt-large', COMMIT)
    assert str(pinned) == f'hf:Intel/dpt-large@{COMMIT}'
    assert read_hub_name('hf:Intel/dpt-large') == HubName(None, 'Intel/dpt-large')
    folder = tmp_path / 'Intel' / 'dpt-large'
    folder.mkdir(parents=True)
    assert read_hub_name('hf:Intel/dpt-large').folder == folder
    assert absolute_network('hf:Intel/dpt-large') == f'hf:{folder}'
    assert absolute_network('card.yaml') == str(tmp_path / 'card.yaml')
    for revision in ('main', 'v1.0', COMMIT[:7], COMMIT.upper(), ''):
        with pytest.raises(SettingsError, match=r'is not a full commit.*networks get hf:a/b'):
            read_hub_name(f'hf:a/b@{revision}')
    for name in ('hf:', 'hf:x', 'hf:a/b/c', 'hf:../x', 'hf:/nowhere', 'hf:a b/c'):
        with pytest.raises(SettingsError, match='network is'):
            read_hub_name(name)


def test_other_parameters_of_weights_are_refused(tmp_path: Path) -> None:
    name = model(tmp_path / 'model', **METRIC)
    with pytest.raises(SettingsError, match='leave one of them'):
        EstimatorSettings(network=name, variant='relative')

"""Cards: what they must say, and how they refuse what they do not."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from onnx_models import card_values, save_model, write_card

from mono_depth_ros.core.errors import CheckpointError, LicenseError, SettingsError
from mono_depth_ros.core.network.cards.card_reader import made_card, read_card
from mono_depth_ros.core.network.cards.network_card import (
    CameraInput,
    InputRule,
    InvalidRule,
    NetworkCard,
    SpreadRule,
)
from mono_depth_ros.core.network.cards.onnx_metadata import (
    METADATA_KEY,
    append_metadata,
    read_metadata,
)
from mono_depth_ros.core.network.cards.output_kind import MetersRule, OutputKind
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.types import PredictionKind

FULL = {
    'sha256': 'AB' * 32,
    'range': [0, 300],
    'invalid': {'name': 'sky', 'above': 0.3},
    'spread': {'name': 'error', 'unit': 'meters'},
    'camera': {'name': 'K', 'form': 'K3x3'},
    'meters': {'rule': 'canonical', 'focal_px': 1000},
    'source': 'where it comes from',
}


def card(**changes: Any) -> NetworkCard:
    return made_card(card_values(**changes), Path('folder/card.yaml'))


def test_a_card_is_read_whole(tmp_path: Path) -> None:
    found = read_card(write_card(tmp_path, **FULL))
    assert found.model == tmp_path / 'model.onnx'
    zeros, ones = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    assert found.input == InputRule(
        *('image', 'rgb', pytest.approx(1 / 255), zeros, ones, 'nchw', 'cubic')
    )
    assert found.output_kind is OutputKind.DEPTH
    assert found.meters == MetersRule('canonical', 1000.0)
    assert found.depth_range == (0, 300)
    assert found.invalid == InvalidRule('sky', 0.3, is_above=True)
    assert found.spread == SpreadRule('error', 'meters')
    assert found.camera == CameraInput('K', 'K3x3')
    assert found.outputs == ('depth', 'sky', 'error')
    assert found.sha256 == 'ab' * 32


@pytest.mark.parametrize(
    ('changes', 'needs', 'kind'),
    [
        ({}, False, PredictionKind.DEPTH),
        ({'meters': {'rule': 'canonical', 'focal_px': 300}}, True, PredictionKind.DEPTH),
        ({'camera': {'name': 'K', 'form': 'rays'}}, True, PredictionKind.DEPTH),
        ({'output': {'name': 'x', 'kind': 'ray_distance'}}, True, PredictionKind.DEPTH),
        (
            {'output': {'name': 'x', 'kind': 'relative_depth'}, 'meters': {'rule': 'fit'}},
            False,
            PredictionKind.RELATIVE_DEPTH,
        ),
    ],
)
def test_what_follows_from_a_card(
    changes: dict[str, Any], needs: bool, kind: PredictionKind
) -> None:
    assert (card(**changes).needs_camera, card(**changes).kind) == (needs, kind)


@pytest.mark.parametrize('missing', ['model', 'input', 'size', 'output', 'meters'])
def test_there_is_no_default_for_what_decides(missing: str) -> None:
    with pytest.raises(SettingsError, match=rf'card folder/card.yaml lacks {missing}, which has'):
        card(**{missing: None})


@pytest.mark.parametrize('missing', ['name', 'order', 'scale', 'mean', 'std'])
def test_nor_for_any_part_of_the_input(missing: str) -> None:
    values = card_values()['input']
    del values[missing]
    with pytest.raises(SettingsError, match=rf'card.yaml: input lacks {missing}, which has no d'):
        card(input=values)


INPUT = card_values()['input']
RELATIVE = {'output': {'name': 'x', 'kind': 'relative_depth'}, 'meters': {'rule': 'fit'}}


@pytest.mark.parametrize(
    ('changes', 'complaint'),
    [
        ({'output': {'name': 'depth'}}, 'output lacks kind, which has no default; give one of de'),
        ({'output': {'kind': 'depth'}}, 'output lacks name'),
        ({'output': {'name': 'x', 'kind': 'disparity'}}, "has kind 'disparity'; choose one of"),
        ({'output': {'name': 'x', 'kind': 'depth', 'unit': 'mm'}}, "'unit', which is no key"),
        ({'output': 'depth'}, "output is 'depth', not a mapping"),
        ({'input': INPUT | {'order': 'gray'}}, 'choose one of rgb, bgr'),
        ({'input': INPUT | {'scale': '9' * 400}}, r'9\.\.\.9.*which is no number'),
        ({'input': INPUT | {'scale': 10**400}}, r'0\.\.\.0.*which is no number'),
        (
            {'input': INPUT | {'mean': [123.675, 116.28, 103.53]}},
            r'input has mean \[123.675, 116.28, 103.53\], and pixels times scale are 0 to 1; mean',
        ),
        ({'input': INPUT | {'scale': 1, 'std': [0.229, 0.224, 0.225]}}, r'differ by 1.11e\+03 to'),
        ({'input': INPUT | {'std': [255, 255, 255]}}, 'black and white differ by 0.00392 to'),
        ({'size': {'fixed': [60.5, 80], 'fit': 'stretch'}}, 'size has fixed .*whole numbers'),
        ({'size': {'shorter': 14, 'multiple': 140}}, 'shorter 14, less than multiple 140'),
        ({'spread': {'name': 'depth', 'unit': 'share'}}, "spread has name 'depth', the output"),
        ({'camera': {'name': 'image', 'form': 'K3x3'}}, "camera has name 'image', which takes"),
        (
            {
                'output': {'name': 'x', 'kind': 'disparity_share'},
                'meters': {'rule': 'baseline', 'baseline_m': 540},
            },
            'has baseline_m 540, which is no pair',
        ),
        ({'input': INPUT | {'scale': 'a/b'}}, 'which is no number'),
        ({'input': INPUT | {'scale': '1/0'}}, 'which is no number'),
        ({'input': INPUT | {'scale': True}}, 'which is no number'),
        ({'input': INPUT | {'scale': float('nan')}}, 'which is no number|not finite'),
        ({'input': INPUT | {'scale': 0}}, 'must be positive'),
        ({'input': INPUT | {'mean': [0, 0]}}, 'must be 3 numbers'),
        ({'input': INPUT | {'std': [1, 0, 1]}}, 'std .* must be positive'),
        ({'input': INPUT | {'layout': 'hwc'}}, 'choose one of nchw, nhwc'),
        ({'range': [3, 2]}, 'give 0 <= least < largest depth'),
        ({'range': [0, 3], **RELATIVE}, 'output.kind is relative_depth; leave it out'),
        ({'spread': {'name': 'x', 'unit': 'share'}, **RELATIVE}, 'leave it out'),
        ({'spread': {'name': 'x', 'unit': 'sigma'}}, 'choose one of meters, share'),
        ({'invalid': {'name': 'x'}}, 'needs one of above and below'),
        ({'invalid': {'name': 'x', 'above': 1, 'below': 2}}, 'needs one of above and below'),
        ({'camera': {'name': 'K', 'form': 'K4x4'}}, 'choose one of K3x3'),
        ({'licens': 'MIT'}, "has 'licens', which is no key there; did you mean license"),
        ({'license': 3}, 'has license 3, which is no text'),
    ],
)
def test_cards_that_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        card(**changes)


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        (b'', r'card.yaml is empty \(0 bytes\)'),
        (b'- a\n- b\n', 'not a mapping of names to values'),
        (b'model: [', 'is damaged or no card'),
        (b'\xff\xfe\x00', 'is damaged or no card'),
        (b'#' * 1_000_001, 'has more than 1000000 bytes'),
    ],
)
def test_files_that_are_no_cards(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / 'card.yaml'
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint):
        read_card(str(path))


def test_cards_that_stand_for_more_than_is_written(tmp_path: Path) -> None:
    path = tmp_path / 'card.yaml'
    text = yaml.safe_dump(card_values())
    more = {
        'meters: {rule: metric}\n': 'meters stands twice: leave one away',
        'source: &a x\nlicense: *a\n': 'alias .a is not followed',
        '---\nmodel: x\n': 'expected a single document',
    }
    for addition, complaint in more.items():
        path.write_text(text + addition)
        with pytest.raises(SettingsError, match=rf'card\.yaml is damaged or no .*{complaint}'):
            read_card(str(path))
    held = save_model(tmp_path / 'model.onnx')
    append_metadata(held, {METADATA_KEY: '{"output": {}, "output": {}}'})
    with pytest.raises(SettingsError, match=r'model\.onnx: output stands twice'):
        read_card(str(held))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'nowhere.yaml does not exist; name a card'):
        read_card(str(tmp_path / 'nowhere.yaml'))
    with pytest.raises(SettingsError, match='is not a file'):
        read_card(str(tmp_path))
    found = read_card(write_card(tmp_path, source='somewhere'))
    with pytest.raises(CheckpointError, match=r'model.onnx, .* does not exist; put it there; fro'):
        found.require_model()


def test_a_card_that_was_changed_is_read_again(tmp_path: Path) -> None:
    assert read_card(write_card(tmp_path)).output == 'depth'
    path = write_card(tmp_path, output={'name': 'other_output', 'kind': 'depth'})
    assert read_card(path).output == 'other_output'


def test_the_sha256_of_the_model(tmp_path: Path) -> None:
    (tmp_path / 'model.onnx').write_bytes(b'model')
    right = hashlib.sha256(b'model').hexdigest()
    read_card(write_card(tmp_path)).require_sha256()
    read_card(write_card(tmp_path, sha256=right.upper())).require_sha256()
    with pytest.raises(CheckpointError, match=rf'has sha256 {right}, and .* is for abab'):
        read_card(write_card(tmp_path, sha256='ab' * 32)).require_sha256()


@pytest.mark.parametrize('license_id', ['MIT', 'Apache-2.0', 'BSD-2-Clause', 'AGPL-3.0'])
def test_licenses_that_allow_commercial_use(license_id: str) -> None:
    card(license=license_id).require_license(accept_noncommercial=False)


@pytest.mark.parametrize(
    ('license_id', 'complaint'),
    [
        ('CC-BY-NC-4.0', 'is licensed CC-BY-NC-4.0, which is not known to allow commercial use'),
        ('UCLB ACP-A', 'not known to allow commercial use; set `accept_noncommercial: true`'),
        (None, 'states no license; set `accept_noncommercial: true`'),
    ],
)
def test_other_licenses_must_be_accepted(license_id: str | None, complaint: str) -> None:
    refused = card(license=license_id)
    refused.require_license(accept_noncommercial=True)
    with pytest.raises(LicenseError, match=complaint):
        refused.require_license(accept_noncommercial=False)


def test_a_card_may_travel_in_the_model(tmp_path: Path) -> None:
    path = save_model(tmp_path / 'one.onnx')
    with pytest.raises(SettingsError, match='holds no card'):
        read_card(str(path))
    values = card_values()
    del values['model']
    append_metadata(path, {'other': 'x' * 300, METADATA_KEY: json.dumps(values)})
    assert read_metadata(path)['other'] == 'x' * 300
    found = read_card(str(path))
    assert (found.model, found.path, found.output) == (path, path, 'depth')


@pytest.mark.parametrize(
    'content',
    [b'', b'<html>', b'\x08\x09\x72', b'\x72\xff\xff\xff\xff\x7f', b'\xff' * 20, b'\x72\x04\x0a'],
)
def test_files_that_are_no_models(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'x.onnx'
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r'x\.onnx'):
        read_card(str(path))


def test_settings_of_a_card(tmp_path: Path) -> None:
    network = write_card(tmp_path, range=[0, 30])
    settings = EstimatorSettings(network=network)
    assert settings.kind is PredictionKind.DEPTH
    assert settings.network_max_depth == 30
    assert settings.label == f'network {network}'
    assert EstimatorSettings(network=write_card(tmp_path)).network_max_depth is None
    relative = EstimatorSettings(network=write_card(tmp_path, **RELATIVE))
    assert relative.kind is PredictionKind.RELATIVE_DEPTH


@pytest.mark.parametrize(
    ('values', 'complaint'),
    [
        ({'variant': 'relative'}, "variant is 'relative'; leave one of them"),
        ({'checkpoint': 'x.pth'}, "checkpoint is 'x.pth'; leave one of them"),
    ],
)
def test_a_card_has_no_variant_and_no_checkpoint(values: dict[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        EstimatorSettings(network='card.yaml', **values)

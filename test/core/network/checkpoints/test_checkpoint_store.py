import hashlib
from pathlib import Path

import pytest

from mono_depth_ros.core.errors import CheckpointError, LicenseError, SettingsError
from mono_depth_ros.core.network.checkpoints import table
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.checkpoints.store import Origin, locate, obtain
from mono_depth_ros.core.network.checkpoints.table import CheckpointSpec

CONTENT = b'some fine-tuned weights'
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def local(folder: Path, name: str = 'mine.pth') -> Path:
    path = folder / name
    path.write_bytes(CONTENT)
    return path


def publish(monkeypatch: pytest.MonkeyPatch, encoder: str, variant: str, license: str) -> None:
    """Let the table say that CONTENT was published as this pair."""
    size = len(CONTENT)
    row = CheckpointSpec(encoder, variant, 'p.pth', 'some/one', 'a' * 40, SHA256, size, license)
    monkeypatch.setattr(table, 'TABLE', (row,))


def test_local_file_is_used_and_called_unverified(tmp_path: Path) -> None:
    path = local(tmp_path)
    assert locate('vitb', 'relative', str(path)) == path
    found = obtain('vitb', 'relative', str(path))
    assert (found.path, found.sha256, found.origin) == (path, SHA256, Origin.LOCAL)
    assert str(found) == f'{path} (sha256 {SHA256[:12]}, unverified)'


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    path = local(tmp_path)
    assert locate('vits', 'relative', '~/mine.pth') == path


@pytest.mark.parametrize('path', ['~nouser/mine.pth', 'x' * 5000, 'a\0b'])
def test_what_no_path_can_be_is_refused_with_its_value(path: str) -> None:
    with pytest.raises(SettingsError, match='checkpoint is '):
        locate('tiny', 'relative', path)


def test_local_file_of_a_published_hash_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, 'vits', 'relative', 'Apache-2.0')
    assert obtain('vits', 'relative', str(local(tmp_path))).origin is Origin.PUBLISHED


@pytest.mark.parametrize('pair', [('vits', 'metric_indoor'), ('vitb', 'relative')])
def test_hash_of_another_variant_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]
) -> None:
    publish(monkeypatch, *pair, 'Apache-2.0')
    path = local(tmp_path)
    with pytest.raises(CheckpointError) as refused:
        obtain('vits', 'relative', str(path))
    assert f'{path} is p.pth of encoder {pair[0]}, variant {pair[1]}' in str(refused.value)
    assert f'set `encoder: {pair[0]}` and `variant: {pair[1]}`' in str(refused.value)


def test_license_follows_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, 'vits', 'relative', 'CC-BY-NC-4.0')
    path = str(local(tmp_path))
    with pytest.raises(LicenseError, match=r'p\.pth is licensed CC-BY-NC-4\.0'):
        obtain('vits', 'relative', path)
    assert obtain('vits', 'relative', path, accept_noncommercial=True).origin is Origin.PUBLISHED


@pytest.mark.parametrize(
    ('name', 'named'),
    [
        ('depth_anything_v2_metric_hypersim_vits.pth', 'encoder vits, variant metric_indoor'),
        ('depth_anything_v2_vitl.safetensors', 'encoder vitl, variant relative'),
        ('depth_anything_vits14.pth', 'encoder vits, variant relative_v1'),
    ],
)
def test_name_of_another_variant_is_named(tmp_path: Path, name: str, named: str) -> None:
    path = local(tmp_path, name)
    with pytest.raises(CheckpointError) as refused:
        locate('vits', 'relative', str(path))
    assert f'{path} has the name of {named}, but encoder vits, variant relative' in str(
        refused.value
    )


def test_license_follows_the_name(tmp_path: Path) -> None:
    path = local(tmp_path, 'depth_anything_v2_vitb.pth')
    with pytest.raises(LicenseError, match='accept_noncommercial: true'):
        locate('vitb', 'relative', str(path))
    assert locate('vitb', 'relative', str(path), accept_noncommercial=True) == path


def test_missing_local_file_says_what_to_put_there(tmp_path: Path) -> None:
    missing = tmp_path / 'missing.pth'
    with pytest.raises(CheckpointError) as refused:
        locate('vits', 'auto', str(missing))
    assert f'checkpoint {missing} does not exist' in str(refused.value)
    assert 'put depth_anything_v2_metric_hypersim_vits.pth there' in str(refused.value)
    assert '`mono_depth weights get vits metric_indoor`' in str(refused.value)
    with pytest.raises(CheckpointError, match='is not a file; put depth_anything_v2_vitg'):
        locate('vitg', 'auto', str(tmp_path))
    with pytest.raises(CheckpointError, match='leave `checkpoint:` empty'):
        locate('tiny', 'auto', str(missing))


def test_refusals_come_before_any_look_for_a_file() -> None:
    with pytest.raises(SettingsError, match='tiny: metric_indoor, relative'):
        locate('tiny', 'metric_outdoor')
    with pytest.raises(LicenseError, match='depth_anything_v2_vitl'):
        locate('vitl', 'relative')
    with pytest.raises(CheckpointError, match='depth_anything_v2_vitg'):
        obtain('vitg')


def test_embedded_weights_need_no_network() -> None:
    try:
        path = locate('tiny')
    except CheckpointError as error:
        pytest.skip(str(error))
    assert path is not None
    assert path.parts[-3:] == ('mono_depth_ros', 'weights', 'tiny.safetensors')
    found = obtain('tiny')
    assert (found.path, found.origin) == (path, Origin.EMBEDDED)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_size <= 8e6
    assert len(load_state(path, 'tiny')) > 100

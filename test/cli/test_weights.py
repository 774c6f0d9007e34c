from pathlib import Path

import pytest
import torch
from hub_server import HubServer, run_child

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.checkpoints.table import POSSIBLE, TABLE, CheckpointSpec, require_spec
from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

NOWHERE = 'http://127.0.0.1:9'


def weights(home: Path, *arguments: str, endpoint: str = NOWHERE) -> tuple[int, str, str]:
    """Return exit status, output with its line breaks taken out, and errors."""
    command = ['-m', 'mono_depth_ros.cli.main', 'weights', *arguments]
    child = run_child(command, home, endpoint, offline=endpoint == NOWHERE)
    return child.returncode, child.stdout, child.stderr


def cache(home: Path, spec: CheckpointSpec, content: bytes) -> Path:
    """Lay a file where the hub's client keeps it."""
    folder = home / 'hub' / f'models--{spec.repository.replace("/", "--")}'
    path = folder / 'snapshots' / spec.revision / spec.file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_list_shows_every_pair_and_where_its_file_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('COLUMNS', '400')
    spec = require_spec('vitb', 'relative')
    path = cache(tmp_path, spec, b'any')
    status, output, errors = weights(tmp_path, 'list')
    assert (status, errors) == (0, '')
    rows = [[cell.strip() for cell in line.split('│')[1:-1]] for line in output.splitlines()]
    rows = [row for row in rows if len(row) == 6]
    pairs = [(encoder, variant) for encoder in POSSIBLE for variant in POSSIBLE[encoder]]
    assert [(row[0], row[1]) for row in rows] == pairs
    by_pair = {(row[0], row[1]): row[2:] for row in rows}
    assert by_pair['vitb', 'relative'] == ['CC-BY-NC-4.0', '390 MB', spec.sha256[:12], str(path)]
    assert by_pair['vitl', 'relative'][:2] == ['CC-BY-NC-4.0', '1341 MB']
    for other in TABLE:
        if other is not spec:
            assert by_pair[other.encoder, other.variant][3] == 'not downloaded'
    assert by_pair['vitg', 'relative'] == [
        '', '', '', 'local file only (depth_anything_v2_vitg.pth)',
    ]  # fmt: skip
    assert by_pair['tiny', 'relative'][0] == 'Apache-2.0'
    assert 'tiny.safetensors' in by_pair['tiny', 'relative'][3]


def test_get_refuses_what_is_not_the_published_file(tmp_path: Path) -> None:
    spec = require_spec('vits', 'metric_indoor')
    url = f'/{spec.repository}/resolve/{spec.revision}/{spec.file}'
    with HubServer({url: b'something else'}) as hub:
        status, output, errors = weights(tmp_path, 'get', 'vits', endpoint=hub.endpoint)
    assert (status, output) == (1, '')
    assert f'the published file has {spec.sha256} and {spec.size} bytes' in errors
    assert 'Traceback' not in errors
    assert not list(tmp_path.rglob(spec.file))


def test_get_without_network_says_what_to_do(tmp_path: Path) -> None:
    status, _, errors = weights(tmp_path, 'get', 'vits', 'relative')
    assert status == 1
    assert errors.startswith(
        'mono_depth weights: depth_anything_v2_vits.pth (99 MB) is not on this machine'
    )
    assert len(errors.splitlines()) == 1


def test_verify_without_a_name_checks_all_that_is_here(tmp_path: Path) -> None:
    spec = require_spec('vitl', 'relative')
    path = cache(tmp_path, spec, b'rotten')
    status, output, errors = weights(tmp_path, 'verify')
    assert (status, errors) == (1, '')
    bad, tiny = output.splitlines()
    assert bad.startswith(f'vitl relative: BAD: {path} has sha256 ')
    assert spec.sha256 in bad
    assert not path.exists()
    assert tiny.startswith('tiny ')


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    path = tmp_path / 'mine.pth'
    torch.save(DepthAnything(PRESETS['tiny']).state_dict(), path)
    return path


def test_verify_names_the_hash_of_a_local_file(
    tiny_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['weights', 'verify', 'tiny', '--checkpoint', str(tiny_file)]) == 0
    line = capsys.readouterr().out
    millions = sum(p.numel() for p in DepthAnything(PRESETS['tiny']).parameters()) / 1e6
    assert line.startswith(
        f'tiny relative: good, {millions:.1f} M parameters, {tiny_file} (sha256'
    )
    assert line.endswith(', unverified)\n')


def test_verify_fails_for_another_encoder(
    tiny_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['weights', 'verify', 'vits', 'relative', '--checkpoint', str(tiny_file)]) == 1
    assert capsys.readouterr().err == (
        f'mono_depth weights: {tiny_file} holds encoder tiny, but encoder vits was asked for\n'
    )


def test_refusals_need_no_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['weights', 'get', 'vitl', 'relative']) == 1
    assert '--accept-noncommercial' in capsys.readouterr().err
    assert main(['weights', 'get', 'tiny', 'metric_indoor']) == 1
    assert 'vitg: relative, metric_indoor, metric_outdoor' in capsys.readouterr().err
    assert main(['weights', 'verify', '--checkpoint', 'x.pth']) == 1
    assert 'x.pth needs its encoder named' in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [[], ['weights'], ['weights', 'get', 'vitx'], ['nothing']])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert 'usage: mono_depth' in capsys.readouterr().err

from pathlib import Path
from typing import Any

import pytest
import torch
from hub_server import HubServer, run_child

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network import published_output
from mono_depth_ros.core.network.checkpoints.table import (
    POSSIBLE,
    TABLE,
    CheckpointSpec,
    require_spec,
)
from mono_depth_ros.core.network.compact_depth import CompactDepth

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


def test_list_shows_every_pair_and_where_its_file_lies(tmp_path: Path) -> None:
    spec = require_spec('vitb', 'relative')
    path = cache(tmp_path, spec, b'any')
    status, output, errors = weights(tmp_path, 'list')
    assert (status, errors) == (0, '')
    pairs = [(encoder, variant) for encoder in POSSIBLE for variant in POSSIBLE[encoder]]
    lines = output.splitlines()
    table, places = lines[: 2 + len(pairs)], lines[2 + len(pairs) :]
    rows = [line.split() for line in table[2:]]
    assert [(row[0], row[1]) for row in rows] == pairs
    assert max(map(len, table)) <= 80
    by_pair = {(row[0], row[1]): row[2:] for row in rows}
    assert by_pair['vitb', 'relative'] == ['CC-BY-NC-4.0', '390', 'MB', spec.sha256[:12], 'here']
    assert by_pair['vitl', 'relative'][:3] == ['CC-BY-NC-4.0', '1341', 'MB']
    for other in TABLE:
        if other is not spec:
            assert by_pair[other.encoder, other.variant][-2:] == ['not', 'here']
    assert by_pair['vitg', 'relative'] == ['own']
    assert by_pair['tiny', 'relative'][0] == 'Apache-2.0'
    assert places[0] == f'vitb relative: {path}'
    assert places[1].startswith('tiny metric_indoor: /')
    assert places[2].startswith('tiny relative: /')
    assert places[2].endswith('tiny.safetensors')
    assert 'depth_anything_v2_vitg.pth' in places[3]


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
    torch.save(CompactDepth().state_dict(), path)
    return path


def test_verify_names_the_hash_of_a_local_file(
    tiny_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['weights', 'verify', 'tiny', '--checkpoint', str(tiny_file)]) == 0
    line = capsys.readouterr().out
    millions = sum(p.numel() for p in CompactDepth().parameters()) / 1e6
    assert line.startswith(
        f'tiny metric_indoor: good, {millions:.1f} M parameters, {tiny_file} (sha256'
    )
    assert line.endswith(', unverified)\n')


def test_verify_fails_for_another_encoder(
    tiny_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['weights', 'verify', 'vits', 'relative', '--checkpoint', str(tiny_file)]) == 1
    assert capsys.readouterr().err == (
        f'mono_depth weights: {tiny_file} holds encoder tiny, but encoder vits was asked for\n'
    )


def test_verify_compares_the_output_for_the_photograph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, str, str, Path]] = []

    def check_output(*arguments: Any) -> str:
        told.append(arguments)
        if 'bad' in str(arguments[-1]):
            raise CheckpointError('another output')
        return 'output as published'

    monkeypatch.setattr(published_output, 'check_output', check_output)
    assert main(['weights', 'verify', 'tiny', '--photograph', 'cats.jpg']) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ['output as published']
    assert main(['weights', 'verify', 'tiny', 'relative', '--photograph', 'bad.jpg']) == 1
    assert 'another output' in capsys.readouterr().err
    assert told == [
        ('tiny', 'auto', '', Path('cats.jpg')),
        ('tiny', 'relative', '', Path('bad.jpg')),
    ]
    assert main(['weights', 'verify', '--photograph', 'cats.jpg']) == 1
    assert 'cats.jpg needs its encoder named' in capsys.readouterr().err


def test_refusals_need_no_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['weights', 'get', 'vitl', 'relative']) == 1
    assert '--accept-noncommercial' in capsys.readouterr().err
    assert main(['weights', 'get', 'tiny', 'metric_outdoor']) == 1
    assert 'vitg: relative, metric_indoor, metric_outdoor' in capsys.readouterr().err
    assert main(['weights', 'verify', '--checkpoint', 'x.pth']) == 1
    assert 'x.pth needs its encoder named' in capsys.readouterr().err


@pytest.mark.parametrize('arguments', [[], ['weights'], ['weights', 'get', 'vitx'], ['nothing']])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert 'usage: mono_depth' in capsys.readouterr().err

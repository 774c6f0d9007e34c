import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hub_server import HubServer, run_child

from mono_depth_ros.cli.main import main
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.checkpoints.store import obtain
from mono_depth_ros.core.network.checkpoints.table import (
    POSSIBLE,
    TABLE,
    CheckpointSpec,
    require_spec,
)
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
    assert places[1].startswith('tiny relative: /')
    assert places[1].endswith('tiny.safetensors')
    assert 'depth_anything_v2_vitg.pth' in places[2]


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


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """Return a picture of 170x130 px with an orientation of its own."""
    path = tmp_path / 'photograph.png'
    v, u = np.mgrid[0:130, 0:170]
    grid = (u // 17 + v // 13) % 2 * 80
    bgr = np.stack((u, v, 255 - v - grid), -1).clip(0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), bgr)
    return path


def known_statistics(path: Path, photograph: Path, change: float = 0.0) -> Path:
    """Write what tiny puts out for a photograph, computed without the package's preprocessing."""
    rgb = cv2.cvtColor(cv2.imread(str(photograph)), cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    resized = cv2.resize(rgb, (168, 126), interpolation=cv2.INTER_CUBIC)
    mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
    batch = torch.from_numpy((resized - mean) / std).permute(2, 0, 1)[None]
    network = DepthAnything(PRESETS['tiny'])
    network.load_state_dict(load_state(obtain('tiny').path, 'tiny'))
    with torch.inference_mode():
        out = network.eval()(batch)[:, None]
        out = F.interpolate(out, (130, 170), mode='bilinear', align_corners=True)[0, 0].numpy()
    sample = {
        'height': 130,
        'width': 170,
        'min': float(out.min()),
        'max': float(out.max()) + change * float(out.std()),
        'mean': float(out.mean()),
        'std': float(out.std()),
        'image_sha256': hashlib.sha256(photograph.read_bytes()).hexdigest(),
    }
    path.write_text(json.dumps({'samples': {'mine': sample}}))
    return path


def test_verify_compares_the_output_for_a_photograph(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statistics = known_statistics(tmp_path / 'known.json', photograph)
    command = ['weights', 'verify', 'tiny', '--photograph', str(photograph), '--statistics']
    assert main([*command, str(statistics)]) == 0
    assert f'{photograph}: output as published, min ' in capsys.readouterr().out
    known_statistics(statistics, photograph, change=0.05)
    assert main([*command, str(statistics)]) == 1
    assert f'BAD: {photograph}: the output has min ' in capsys.readouterr().out


def test_verify_sees_other_weights_of_the_same_network(
    photograph: Path, tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is sound, its entries are right, its numbers are finite; they are random."""
    statistics = known_statistics(tmp_path / 'known.json', photograph)
    more = ['--photograph', str(photograph), '--statistics', str(statistics)]
    assert main(['weights', 'verify', 'tiny', '--checkpoint', str(tiny_file), *more]) == 1
    good, bad = capsys.readouterr().out.splitlines()
    assert 'good' in good
    assert bad.startswith('BAD')


def test_verify_sees_swapped_colors(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swapped = tmp_path / 'swapped.png'
    cv2.imwrite(str(swapped), cv2.imread(str(photograph))[..., ::-1])
    statistics = known_statistics(tmp_path / 'known.json', swapped)
    content = json.loads(statistics.read_text())
    content['samples']['mine']['image_sha256'] = hashlib.sha256(
        photograph.read_bytes()
    ).hexdigest()
    statistics.write_text(json.dumps(content))
    more = ['--photograph', str(photograph), '--statistics', str(statistics)]
    assert main(['weights', 'verify', 'tiny', *more]) == 1


def test_photographs_that_cannot_serve(
    photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def errors(*arguments: object) -> str:
        assert main(['weights', 'verify', *map(str, arguments)]) == 1
        return ''.join(capsys.readouterr())

    assert 'nothing is known' in errors('tiny', '--photograph', photograph)
    assert 'needs its encoder named' in errors('--photograph', photograph)
    assert 'cannot be read' in errors('tiny', '--photograph', tmp_path / 'none.jpg')
    (tmp_path / 'text.jpg').write_text('no picture')
    assert 'no picture that can be read' in errors('tiny', '--photograph', tmp_path / 'text.jpg')
    assert 'needs the photographs' in errors('tiny', '--statistics', tmp_path / 'x.json')
    for content in ('', '[]', '{"samples": {"a": {}}}', '{"samples": 3}'):
        (tmp_path / 'x.json').write_text(content)
        given = ('--photograph', photograph, '--statistics', tmp_path / 'x.json')
        assert 'holds no statistics' in errors('tiny', *given)


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

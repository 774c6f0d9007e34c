"""Models of the hub: fetched from a server on loopback by the real client, then found offline."""

import json
import socket
from pathlib import Path
from typing import NamedTuple

import pytest
from hub_models import glpn, processor, save
from hub_server import HubServer, run_child

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network.hub.hub_files import weight_files

COMMIT, OTHER = 'a1' * 20, 'b2' * 20
BARE = 'hf:someone/glpn'
PINNED = f'{BARE}@{COMMIT}'
NONCOMMERCIAL, PICKLED, EMPTY, SHARDED = (
    f'hf:someone/{name}@{COMMIT}' for name in ('noncommercial', 'pickled', 'empty', 'sharded')
)
FORBIDDEN = {
    'card.yaml': 'is not on the hub; name hf:<owner>/<name>',
    f'{BARE}@main': 'is not a full commit',
    f'{BARE}@{OTHER}': f'{BARE}@{OTHER} cannot be fetched: the server answered 404',
    'hf:someone/else': 'hf:someone/else cannot be fetched: the server answered 404',
    PICKLED: 'a Python pickle, which may run code and was not loaded',
    EMPTY: 'lacks model.safetensors',
    NONCOMMERCIAL: 'licensed cc-by-nc-4.0, which is not known to allow commercial use',
}
# Several commands in one process, because each loads PyTorch.
SCRIPT = """
import contextlib, io, json, sys
from mono_depth_ros.cli.main import main
results = []
for command in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(['networks', *command])
    results.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(results))
"""


class Answer(NamedTuple):
    status: int
    stdout: str
    stderr: str


def networks(
    home: Path, endpoint: str, *commands: list[str], offline: bool = False
) -> list[Answer]:
    """Run `mono_depth networks` with several lists of arguments, one after the other."""
    child = run_child(['-c', SCRIPT, json.dumps(commands)], home, endpoint, offline)
    assert child.returncode == 0, child.stderr
    return [Answer(*answer) for answer in json.loads(child.stdout.splitlines()[-1])]


def published(folder: Path) -> dict[str, bytes]:
    """Return what the hub serves: one model in several states, by path."""
    model = {file.name: file.read_bytes() for file in folder.iterdir()}
    bare = {name: data for name, data in model.items() if name != 'model.safetensors'}
    index = json.dumps({'weight_map': {'x': 'model-1.safetensors'}}).encode()
    shard = {'model-1.safetensors': model['model.safetensors']}
    repositories = {
        'glpn': model,
        'noncommercial': model | {'README.md': b'---\nlicense: cc-by-nc-4.0\n---\n'},
        'pickled': bare | {'pytorch_model.bin': b'\x80'},
        'empty': bare,
        'sharded': bare | shard | {'model.safetensors.index.json': index},
    }
    return {
        f'/someone/{name}/resolve/{COMMIT}/{file}': data
        for name, files in repositories.items()
        for file, data in files.items()
    }


class Fetched(NamedTuple):
    """What was fetched: answers by what was asked for, requests (method, path) and the cache."""

    answers: dict[str, Answer]
    requests: list[tuple[str, str]]
    home: Path


@pytest.fixture(scope='module')
def online(tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    folder = save(glpn(), tmp_path_factory.mktemp('published'), processor('GLPN'))
    commands = {
        'check before': ['check', PINNED],
        **{name: ['get', name] for name in (BARE, *FORBIDDEN, SHARDED)},
    }
    home = tmp_path_factory.mktemp('home')
    with HubServer(published(folder), main=COMMIT) as hub:
        found = networks(home, hub.endpoint, *commands.values())
        requests = [(method, path) for method, path, _ in hub.requests]
        accepted = networks(home, hub.endpoint, ['get', NONCOMMERCIAL, '--accept-noncommercial'])
    answers = dict(zip((*commands, 'accepted'), (*found, *accepted), strict=True))
    return Fetched(answers, requests, home)


def test_get_names_the_commit(online: Fetched) -> None:
    assert online.answers[BARE] == (0, f'network: {PINNED}\n', '')
    assert online.answers[SHARDED] == (0, f'network: {SHARDED}\n', '')
    before = online.answers['check before']
    assert before.status == 1
    assert f'is not on this machine; run `mono_depth networks get {PINNED}`' in before.stderr


def test_what_cannot_be_fetched_says_why(online: Fetched) -> None:
    for name, error in FORBIDDEN.items():
        assert online.answers[name].status == 1, name
        assert error in online.answers[name].stderr


def test_neither_pickles_nor_what_is_not_licensed_is_fetched(online: Fetched) -> None:
    fetched = {path.removeprefix('/cdn') for method, path in online.requests if method == 'GET'}
    assert f'/someone/noncommercial/resolve/{COMMIT}/README.md' in fetched
    assert f'/someone/noncommercial/resolve/{COMMIT}/model.safetensors' not in fetched
    assert f'/someone/pickled/resolve/{COMMIT}/pytorch_model.bin' not in fetched
    assert f'/someone/sharded/resolve/{COMMIT}/model-1.safetensors' in fetched
    assert online.answers['accepted'] == (0, f'network: {NONCOMMERCIAL}\n', '')


def test_what_is_here_needs_no_network(online: Fetched) -> None:
    (link,) = online.home.rglob('models--someone--sharded/snapshots/*/model-1.safetensors')
    weights = link.resolve()
    link.unlink()
    link.write_bytes(weights.read_bytes())  # where links do not work, nothing tells the hash
    again, shown, bare, sharded, absent = networks(
        online.home,
        'http://127.0.0.1:9',
        ['get', PINNED],
        *(['show', name] for name in (PINNED, BARE, SHARDED)),
        ['get', 'hf:someone/other'],
        offline=True,
    )
    assert again == (0, f'network: {PINNED}\n', '')
    assert shown.status == sharded.status == 0
    assert 'license MIT' in ' '.join(shown.stdout.split())
    assert bare.status == 1
    assert f'names no commit, and what a branch holds may change; on this machine is {PINNED}' in (
        bare.stderr
    )
    assert 'hf:someone/other cannot be fetched: HF_HUB_OFFLINE is set' in absent.stderr


def test_without_a_network_get_fails_at_once(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        endpoint = f'http://127.0.0.1:{unused.getsockname()[1]}'  # nobody listens
        answers = networks(tmp_path, endpoint, ['get', BARE], ['get', PINNED])
    for answer, name in zip(answers, (BARE, PINNED), strict=True):
        assert answer.status == 1
        assert f'{name} cannot be fetched' in answer.stderr


def test_damage_in_the_cache(tmp_path: Path) -> None:
    blob = tmp_path / ('ab' * 32)
    blob.write_bytes(b'damaged')
    (tmp_path / 'model.safetensors').symlink_to(blob)
    with pytest.raises(CheckpointError, match='is damaged: its sha256 is not abab'):
        weight_files(tmp_path)

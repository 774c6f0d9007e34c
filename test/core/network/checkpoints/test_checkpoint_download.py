import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hub_server import HubServer, run_child

from mono_depth_ros.core.network.checkpoints.table import CheckpointSpec

CONTENT = bytes(range(256)) * 4096
SPEC = CheckpointSpec(
    'vits',
    'metric_indoor',
    'weights.pth',
    'some/one',
    'c0ffee' + 34 * '0',
    hashlib.sha256(CONTENT).hexdigest(),
    len(CONTENT),
    'Apache-2.0',
)
PATH = f'/{SPEC.repository}/resolve/{SPEC.revision}/{SPEC.file}'

# What a child does: the published table is replaced by one row, since real files are too large.
CHILD = """
import json, sys
from mono_depth_ros.core.network.checkpoints import store, table
from mono_depth_ros.core.errors import CheckpointError

spec = table.CheckpointSpec(**json.loads(sys.argv[1]))
table.TABLE = (spec,)
steps = []
before = store.locate(spec.encoder)
try:
    found = store.obtain(spec.encoder, progress=lambda done, whole: steps.append((done, whole)))
    answer = {'path': str(found.path), 'sha256': found.sha256, 'origin': found.origin.name}
except CheckpointError as error:
    answer = {'error': str(error)}
after = store.locate(spec.encoder)
print(json.dumps(answer | {'before': before and str(before), 'after': after and str(after),
                           'steps': steps}))
"""


def obtain(home: Path, endpoint: str, spec: CheckpointSpec = SPEC, offline: bool = False) -> dict:
    child = run_child(['-c', CHILD, json.dumps(asdict(spec))], home, endpoint, offline)
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


def leftovers(home: Path) -> list[Path]:
    """Return every file of some length that the cache holds."""
    return [
        path
        for path in (home / 'hub').rglob('*')
        if path.is_file() and path.stat().st_size >= len(CONTENT) // 4
    ]


def test_file_is_fetched_once_and_then_serves_without_network(tmp_path: Path) -> None:
    with HubServer({PATH: CONTENT}) as hub:
        first = obtain(tmp_path, hub.endpoint)
        asked = len(hub.requests)
        second = obtain(tmp_path, hub.endpoint)
        assert len(hub.requests) == asked
    assert first['before'] is None
    assert Path(first['path']).read_bytes() == CONTENT
    assert (first['sha256'], first['origin']) == (SPEC.sha256, 'PUBLISHED')
    assert first['steps'][-1] == [len(CONTENT), len(CONTENT)]
    assert first['steps'] == sorted(first['steps'])
    assert [path for _, path, _ in hub.requests].count(f'/cdn{PATH}') == 1
    for later in (second, obtain(tmp_path, hub.endpoint, offline=True)):
        assert later['before'] == later['path'] == first['path']
        assert later['steps'] == []


def test_broken_download_is_resumed_where_it_broke(tmp_path: Path) -> None:
    content = CONTENT * 12
    written = 10 << 20  # the client writes in blocks of 10 MiB
    spec = replace(SPEC, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    with HubServer({PATH: content}, cut=written + 300_000) as hub:
        found = obtain(tmp_path, hub.endpoint, spec)
    assert Path(found['path']).read_bytes() == content
    assert found['steps'][-1] == [len(content), len(content)]
    assert ('GET', f'/cdn{PATH}', f'bytes={written}-') in hub.requests


def test_short_file_is_refused_and_not_kept(tmp_path: Path) -> None:
    with HubServer({PATH: CONTENT[:-1000]}, claimed=len(CONTENT)) as hub:
        answer = obtain(tmp_path, hub.endpoint)
    assert str(len(CONTENT)) in answer['error']
    assert str(len(CONTENT) - 1000) in answer['error']
    assert answer['after'] is None
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize('served', [CONTENT[:-1000], bytes(len(CONTENT))], ids=['cut', 'zeros'])
def test_wrong_hash_is_named_and_the_file_removed(tmp_path: Path, served: bytes) -> None:
    with HubServer({PATH: served}) as hub:
        answer = obtain(tmp_path, hub.endpoint)
    actual = hashlib.sha256(served).hexdigest()
    assert f'has sha256 {actual} and {len(served)} bytes' in answer['error']
    assert f'published file has {SPEC.sha256} and {SPEC.size} bytes' in answer['error']
    assert 'has been removed from the cache' in answer['error']
    assert answer['after'] is None
    assert leftovers(tmp_path) == []


def test_cached_file_that_rotted_is_removed_and_fetched_again(tmp_path: Path) -> None:
    with HubServer({PATH: CONTENT}) as hub:
        path = Path(obtain(tmp_path, hub.endpoint)['path'])
        path.write_bytes(b'\xff' + CONTENT[1:])
        assert 'has been removed' in obtain(tmp_path, hub.endpoint)['error']
        assert not path.exists()
        assert Path(obtain(tmp_path, hub.endpoint)['path']).read_bytes() == CONTENT


@pytest.mark.parametrize('status', [401, 404, 500])
def test_refusal_of_the_server_is_told(tmp_path: Path, status: int) -> None:
    with HubServer({PATH: CONTENT}, status=status) as hub:
        error = obtain(tmp_path, hub.endpoint)['error']
        assert f'{hub.endpoint}{PATH} cannot be fetched: the server answered {status}.' in error


def test_no_network_and_no_file_is_one_clear_error(tmp_path: Path) -> None:
    with HubServer({}) as hub:
        closed = hub.endpoint
    large = replace(SPEC, size=99_222_290)
    error = obtain(tmp_path, closed, large)['error']
    assert error.startswith('weights.pth (99 MB) is not on this machine and http://127.0.0.1')
    assert 'Connection refused' in error
    assert '`mono_depth weights get vits metric_indoor`' in error
    assert 'set `checkpoint:` to a copy of the file' in error
    assert '`encoder: tiny`, which needs no download' in error
    assert len(error.splitlines()) == 1
    assert 'HF_HUB_OFFLINE is set' in obtain(tmp_path, closed, offline=True)['error']


STOPPED_CHILD = """
import json, sys
from mono_depth_ros.core.network.checkpoints import download, table
from mono_depth_ros.core.errors import MonoDepthError

def stop(done, whole):
    raise MonoDepthError(f'stopped at {done} of {whole}')

spec = table.CheckpointSpec(**json.loads(sys.argv[1]))
try:
    download.fetch(spec, stop)
except MonoDepthError as error:
    print(error)
"""


def test_progress_can_stop_a_download(tmp_path: Path) -> None:
    with HubServer({PATH: CONTENT}) as hub:
        child = run_child(['-c', STOPPED_CHILD, json.dumps(asdict(SPEC))], tmp_path, hub.endpoint)
    assert child.stdout == f'stopped at {len(CONTENT)} of {len(CONTENT)}\n', child.stderr
    assert leftovers(tmp_path) == []


BAR_CHILD = """
import json, sys
from mono_depth_ros.core.network.checkpoints import download, table

if sys.argv[2] == 'terminal':
    plain = download.Console
    download.Console = lambda stderr: plain(stderr=stderr, force_terminal=True, width=100)
download.fetch(table.CheckpointSpec(**json.loads(sys.argv[1])))
"""


@pytest.mark.parametrize('target', ['terminal', 'pipe'])
def test_a_bar_is_drawn_on_a_terminal_only(tmp_path: Path, target: str) -> None:
    with HubServer({PATH: CONTENT}) as hub:
        command = ['-c', BAR_CHILD, json.dumps(asdict(SPEC)), target]
        child = run_child(command, tmp_path, hub.endpoint)
    assert (child.returncode, child.stdout) == (0, '')
    assert ('weights.pth' in child.stderr) is (target == 'terminal'), child.stderr
    assert ('1.0/1.0 MB' in child.stderr) is (target == 'terminal'), child.stderr

"""A published file on GitHub: fetched once, known by git's hash, never half there."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import constants

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network.checkpoints import github_files
from mono_depth_ros.core.network.checkpoints.download import cached, fetch
from mono_depth_ros.core.network.checkpoints.store import Origin, obtain
from mono_depth_ros.core.network.checkpoints.table import require_spec

CONTENT = bytes(range(256)) * 8192
BLOB = hashlib.sha1(b'blob 2097152\0' + CONTENT).hexdigest()
SPEC = replace(require_spec('zipdepth', 'relative'), git_blob=BLOB)
PATH = f'/cdn/{SPEC.repository}/raw/{SPEC.revision}/{SPEC.file}'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', False)
    return tmp_path


def served_by(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_files, '_HOST', f'{server.endpoint}/cdn')


def files_in(home: Path) -> list[Path]:
    return [path for path in home.rglob('*') if path.is_file()]


def test_git_names_a_content() -> None:
    assert len(CONTENT) == 2097152
    spec = require_spec('zipdepth', 'relative')
    assert spec.digest == 'bc629a21c3e975fcbfc8cfc29b5179ca2cec8b06'
    assert github_files.url_of(spec) == (
        'https://github.com/fabiotosi92/ZipDepth/raw/a302e5437bc58f15c4efd41d3e8222bf24f7d470/'
        'checkpoints/zipdepth_base.pth'
    )


def test_the_empty_blob_has_the_hash_that_git_gives_it(tmp_path: Path) -> None:
    empty = tmp_path / 'empty'
    empty.touch()
    assert github_files.git_blob_of(empty) == 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'


def test_it_is_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    assert cached(SPEC) is None
    with HubServer({PATH.removeprefix('/cdn'): CONTENT}) as server:
        served_by(server, monkeypatch)
        path = fetch(SPEC, lambda done, whole: steps.append((done, whole)))
    assert path.read_bytes() == CONTENT
    assert path.name == 'zipdepth_base.pth'
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert fetch(SPEC) == cached(SPEC) == path
    assert len(server.requests) == 1


def test_another_content_is_removed_and_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer({PATH.removeprefix('/cdn'): CONTENT[::-1]}) as server:
        served_by(server, monkeypatch)
        with pytest.raises(CheckpointError, match=rf'git blob .* published file has {BLOB}'):
            fetch(SPEC)
    assert files_in(home) == []


def test_half_a_file_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer({PATH.removeprefix('/cdn'): CONTENT}, cut=1000) as server:
        served_by(server, monkeypatch)
        with pytest.raises(CheckpointError, match=r'weights get zipdepth relative'):
            fetch(SPEC)
    assert files_in(home) == []


@pytest.mark.parametrize('status', [404, 503])
def test_a_server_that_refuses_is_quoted(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer({}, status=status) as server:
        served_by(server, monkeypatch)
        with pytest.raises(CheckpointError, match=rf'zipdepth_base\.pth .*: HTTP Error {status}'):
            fetch(SPEC)


def test_offline_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    with HubServer({}) as server:
        served_by(server, monkeypatch)
        with pytest.raises(CheckpointError, match='HF_HUB_OFFLINE is set'):
            fetch(SPEC)
    assert server.requests == []


def test_a_copy_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mono_depth_ros.core.network.checkpoints.table.TABLE', (SPEC,))
    copy = tmp_path / 'mine.pth'
    copy.write_bytes(CONTENT)
    assert obtain('zipdepth', checkpoint=str(copy)).origin is Origin.PUBLISHED
    with pytest.raises(CheckpointError, match=r'is zipdepth_base\.pth of encoder zipdepth'):
        obtain('vits', checkpoint=str(copy))

"""The files of a model of the hub: found on this machine, or fetched by `networks get`."""

import json
import re
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    LocalEntryNotFoundError,
)

from ...errors import CheckpointError, MonoDepthError
from ...parsing import parsing, read_bytes
from ..checkpoints.download import fetch_failure, sha256_of
from .hub_name import HubName

CONFIG, PROCESSOR, MODEL_CARD = 'config.json', 'preprocessor_config.json', 'README.md'
_WEIGHTS, _INDEX = 'model.safetensors', 'model.safetensors.index.json'
_PICKLED = ('pytorch_model.bin', 'pytorch_model.bin.index.json')
_SHARD = re.compile(r'[\w.-]+\.safetensors')
_SHA256 = re.compile(r'[0-9a-f]{64}')
MOST_BYTES = 10_000_000  # of a JSON file


def find_folder(name: HubName) -> Path:
    """Return the folder that holds a model; uses no network.

    Raises:
        CheckpointError: It is not on this machine, or its commit is not stated.
    """
    if name.folder is not None:
        return name.folder
    get = f'run `mono_depth networks get {name}` where there is a network'
    if not name.commit:
        here = ', '.join(f'{name}@{commit}' for commit in _commits_here(name.repository))
        raise CheckpointError(
            f'network {name} names no commit, and what a branch holds may change'
            f'{here and "; on this machine is "}{here}',
            f'name one: {get}, which fetches the present one and prints its name',
        )
    found = hub.try_to_load_from_cache(name.repository, CONFIG, revision=name.commit)
    if not isinstance(found, str):
        raise CheckpointError(f'{name} is not on this machine', get)
    return Path(found).parent


def weight_files(folder: Path) -> list[Path]:
    """Return the files of safetensors that hold the weights.

    Raises:
        CheckpointError: There are none, one is missing, or one in the cache is damaged.
    """
    files = [folder / _WEIGHTS]
    if not files[0].is_file() and (index := folder / _INDEX).is_file():
        files = [folder / shard for shard in _shards(index)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        pickled = any((folder / other).is_file() for other in _PICKLED)
        raise _no_weights(str(folder), ', '.join(missing), pickled)
    for file in files:
        _require_whole(file)
    return files


def fetch(name: HubName, accept_noncommercial: bool) -> HubName:
    """Download a model of the hub and return its name with the commit.

    Cache, resume, `HF_ENDPOINT` and `HF_HUB_OFFLINE` are those of the hub's client. The license is
    asked for before the weights come.

    Raises:
        LicenseError: The license was not accepted.
        CheckpointError: It cannot be downloaded, or holds no safetensors.
    """
    # Not above: the reader finds its files here.
    from ..cards.network_card import require_license
    from .hub_reader import hub_license

    try:
        pinned = _pinned(name)
        folder = _fetched(pinned, CONFIG).parent
        for file in (PROCESSOR, MODEL_CARD):
            _fetched_if_there(pinned, file)
        require_license(str(pinned), hub_license(folder), accept_noncommercial)
        _fetch_weights(pinned)
    except MonoDepthError:
        raise
    # Any: versions of the hub's client differ in their transport library and its errors.
    except Exception as error:
        raise CheckpointError(f'{name} cannot be fetched: {fetch_failure(error)}') from error
    return pinned


def _commits_here(repository: str) -> list[str]:
    cache = Path(hub.constants.HF_HUB_CACHE) / f'models--{repository.replace("/", "--")}'
    return sorted(config.parent.name for config in cache.glob(f'snapshots/*/{CONFIG}'))


def _pinned(name: HubName) -> HubName:
    """Return the name with its commit, which is the present one where none is stated."""
    revision = name.commit or None
    if revision and hub.try_to_load_from_cache(name.repository, CONFIG, revision=revision):
        return name
    # Without a network this fails at once; a download retries for 24 s.
    metadata = hub.get_hf_file_metadata(hub.hf_hub_url(name.repository, CONFIG, revision=revision))
    return HubName(None, name.repository, name.commit or str(metadata.commit_hash))


def _fetch_weights(name: HubName) -> None:
    if _fetched_if_there(name, _WEIGHTS) is not None:
        return
    index = _fetched_if_there(name, _INDEX)
    if index is None:
        pickled = any(hub.file_exists(name.repository, f, revision=name.commit) for f in _PICKLED)
        raise _no_weights(str(name), _WEIGHTS, pickled)
    for shard in _shards(index):
        _fetched(name, shard)


def _fetched(name: HubName, file: str) -> Path:
    return Path(hub.hf_hub_download(name.repository, file, revision=name.commit))


def _fetched_if_there(name: HubName, file: str) -> Path | None:
    try:
        return _fetched(name, file)
    except LocalEntryNotFoundError:  # a lost connection, not an answer
        raise
    except EntryNotFoundError:
        return None


def _shards(index: Path) -> list[str]:
    """Return the names of the files that an index lists, each of which lies beside it."""
    with parsing(index, 'index of safetensors', CheckpointError, 'fetch it again'):
        listed = json.loads(read_bytes(index, MOST_BYTES, CheckpointError))['weight_map']
        names = sorted(set(listed.values()))
        if not names or not all(_SHARD.fullmatch(name) for name in names):
            raise ValueError(f'it lists {names[:3]}')
    return names


def _no_weights(where: str, missing: str, is_pickled: bool) -> CheckpointError:
    if is_pickled:
        return CheckpointError(
            f'{where} has its weights as pytorch_model.bin only, a Python pickle, which may run '
            'code and was not loaded',
            'take a commit or a model that has model.safetensors, or, if you trust the file, '
            'convert it yourself: load it in transformers and call save_pretrained(FOLDER)',
        )
    return CheckpointError(f'{where} lacks {missing}', 'fetch the model again')


def _require_whole(file: Path) -> None:
    """Raise unless a file of the cache, which names large ones by their hash, has that hash."""
    stated = file.resolve().name
    if _SHA256.fullmatch(stated) and sha256_of(file) != stated:
        raise CheckpointError(f'{file} is damaged: its sha256 is not {stated}', 'fetch it again')

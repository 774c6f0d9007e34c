"""The file formats a checkpoint may come in, told apart by their bytes, never by their suffix."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...errors import CheckpointError

# How torch.save began a file before it wrote zip archives.
_LEGACY_MAGIC = b'\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'

_MISTAKEN = {
    b'<': 'a web page, as a server sends instead of a file; download it again',
    b'{"': 'a JSON text, as a server sends instead of a file; download it again',
    b'version https://git-lfs': 'a Git LFS pointer, not the file; run `git lfs pull`',
    b'\x08': 'an ONNX model; only PyTorch and safetensors files are read',
}

_WRAPPERS = ('state_dict', 'model')

_MAX_HEADER = 100_000_000


def read_entries(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors of a `.pth` or `.safetensors` file, on the CPU.

    They may be views of the mapped file: copy them before the file changes. Training's wrapper
    around the state ({'model': ...}) and the `module.` that distributed training puts before
    every name are taken off.

    Raises:
        CheckpointError: The file is missing, empty, truncated, of another format, wants to run
            code, or holds something else than named tensors.
    """
    head = _head(path)
    if head.startswith(b'PK\x03\x04'):
        _require_torch_archive(path)
        loaded = _load(path, mmap=True)
    elif head.startswith(_LEGACY_MAGIC):
        loaded = _load(path, mmap=False)
    elif head[8:9] == b'{' and int.from_bytes(head[:8], 'little') < _MAX_HEADER:
        loaded = _load_safetensors(path)
    else:
        raise CheckpointError(f'{path} is {_foreign(head)}')
    return _unwrap(path, loaded)


def _head(path: Path) -> bytes:
    try:
        with path.open('rb') as file:
            head = file.read(64)
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror}') from error
    if not head:
        raise CheckpointError(f'{path} is empty (0 bytes); download it again')
    return head


def _foreign(head: bytes) -> str:
    if head.startswith(b'\x80'):
        return 'a bare Python pickle, which may run code and was not loaded'
    for start, what in _MISTAKEN.items():
        if head.lstrip().startswith(start):
            return what
    return f'neither a PyTorch nor a safetensors file; it starts with {head[:12]!r}'


def _require_torch_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise CheckpointError(
            f'{path} is truncated: a PyTorch archive whose table of contents is missing after '
            f'{path.stat().st_size} bytes; download it again'
        ) from error
    if any(name.split('/')[1:2] == ['constants.pkl'] for name in names):
        raise CheckpointError(f'{path} is a TorchScript program, which is not loaded')
    if not any(name.endswith('/data.pkl') for name in names):
        raise CheckpointError(f'{path} is a zip archive without a PyTorch checkpoint inside')


def _load(path: Path, mmap: bool) -> Any:
    try:
        return torch.load(path, map_location='cpu', weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        wanted = re.search(r'GLOBAL ([\w.]+)', str(error))
        reason = (
            f'wants to run code ({wanted[1]})' if wanted else 'wants to run code or is damaged'
        )
        raise CheckpointError(
            f'{path} {reason} and was not loaded; only a table of plain tensors is accepted'
        ) from error
    except Exception as error:  # damaged bytes can raise anything
        lines = str(error).splitlines() or [type(error).__name__]
        raise CheckpointError(f'{path} is damaged: {lines[0]}; download it again') from error


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'{path} is truncated or damaged: {error}') from error
    return tensors


def _unwrap(path: Path, loaded: Any) -> dict[str, torch.Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not loaded:
        raise CheckpointError(f'{path} holds {_what(loaded)}, not a table of tensors')
    for name, value in loaded.items():
        if not isinstance(value, torch.Tensor):
            raise CheckpointError(f'{path} holds {_what(value)} as {name!r}, not a tensor')
    if all(str(name).startswith('module.') for name in loaded):
        return {str(name).removeprefix('module.'): value for name, value in loaded.items()}
    return {str(name): value for name, value in loaded.items()}


def _what(value: Any) -> str:
    return f'a {type(value).__name__}' if not isinstance(value, Mapping) else 'an empty table'

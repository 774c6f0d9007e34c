"""Tables of tensors in checkpoint files of any supported format, whatever their suffix."""

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ...errors import CheckpointError
from ...parsing import parsing

State = dict[str, torch.Tensor]

_MAX_HEADER = 100_000_000
_MAX_LEVELS = 8
_LEGACY_MAGIC = b'\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'
"""How torch.save began a file before it wrote zip archives."""
_MISTAKEN = {
    b'<': 'a web page, as a server sends instead of a file; download it again',
    b'{"': 'a JSON text, as a server sends instead of a file; download it again',
    b'version https://git-lfs': 'a Git LFS pointer, not the file; run `git lfs pull`',
    b'\x08': 'an ONNX model; only PyTorch and safetensors files are read',
    b'\x80': 'a bare Python pickle, which may run code and was not loaded',
}


def read_tables(path: Path) -> dict[str, State]:
    """Return the tables of named tensors in a file, by where they lie in it, on the CPU.

    Other things beside the tensors of a table are left out.

    Raises:
        CheckpointError: The file cannot be read, is truncated, of another format, or contains
            code or no tensor at all.
    """
    with parsing(path, 'checkpoint', CheckpointError, 'download it again'):
        loaded = _loaded(path)
        tables = dict(_tables(loaded, '', 0))
    if not tables:
        raise CheckpointError(f'{path} holds {_described(loaded)}, not a table of tensors')
    return tables


def _loaded(path: Path) -> Any:
    with path.open('rb') as file:
        head = file.read(64)
    if not head:
        raise CheckpointError(f'{path} is empty (0 bytes)', 'download it again')
    if head.startswith(b'PK\x03\x04'):
        _require_torch_archive(path)
        return _unpickled(path, mmap=True)
    if head.startswith(_LEGACY_MAGIC):
        return _unpickled(path, mmap=False)
    if head[8:9] == b'{' and int.from_bytes(head[:8], 'little') < _MAX_HEADER:
        return load_file(path)
    for start, what in _MISTAKEN.items():
        if head.lstrip().startswith(start):
            raise CheckpointError(f'{path} is {what}')
    raise CheckpointError(
        f'{path} is neither a PyTorch nor a safetensors file; it starts with {head[:12]!r}'
    )


def _require_torch_archive(path: Path) -> None:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        what = f'{path} is a truncated PyTorch archive: its table of contents is missing after'
        raise CheckpointError(f'{what} {size} bytes', 'download it again') from error
    names = [member.filename for member in members]
    if any(name.split('/')[1:2] == ['constants.pkl'] for name in names):
        raise CheckpointError(f'{path} is a TorchScript program, which is not loaded')
    if not any(name.endswith('/data.pkl') for name in names):
        raise CheckpointError(f'{path} is a zip archive without a PyTorch checkpoint inside')
    stated = sum(member.file_size for member in members)
    if stated > size:
        raise CheckpointError(f'{path} states {stated} bytes of tensors and has {size}')


def _unpickled(path: Path, mmap: bool) -> Any:
    try:
        return torch.load(path, map_location='cpu', weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        wanted = re.search(r'GLOBAL ([\w.]+)', str(error))
        what = f'{path} wants to run code {f"({wanted[1]})" if wanted else "or is damaged"}'
        remedy = (
            'only a table of plain tensors is accepted; if you trust the file, save its weights '
            "alone: torch.save(torch.load(FILE, weights_only=False)['model'], 'weights.pth'), or "
            'whatever the table is called'
        )
        raise CheckpointError(f'{what} and was not loaded', remedy) from error


def _tables(content: Any, place: str, level: int) -> Iterator[tuple[str, State]]:
    """Yield what names tensors by texts, and what lies in it, with the names that lead there."""
    if not isinstance(content, Mapping) or level > _MAX_LEVELS:
        return
    table = {
        name: value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, torch.Tensor)
    }
    if table:
        yield place, table
    for name, value in content.items():
        yield from _tables(value, f'{place}.{name}' if place else str(name), level + 1)


def _described(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f'a {type(content).__name__}'
    if not content:
        return 'an empty table'
    name, value = next(iter(content.items()))
    return f'no tensor, but a {type(value).__name__} as {name!r}'

"""State of a network from a checkpoint of any supported format, whatever its suffix."""

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...errors import CheckpointError
from ..depth_anything import PRESETS, DepthAnything

Shapes = Mapping[str, tuple[int, ...]]

# Official files carry it; it serves DINOv2's training only.
_UNUSED = 'pretrained.mask_token'

_SHOWN = 3

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


def load_state(path: Path, encoder: str) -> dict[str, torch.Tensor]:
    """Return the float32 state of the network `encoder`, complete and of its own shapes.

    The tensors may be views of the mapped file: copy them (`load_state_dict` does) before it
    changes. The metric and the relative head, and version 1 and 2, have the same entries: `obtain`
    distinguishes them.

    Raises:
        CheckpointError: The file cannot be read, is of another network, or holds a number that
            is not finite.
    """
    entries = read_entries(path)
    expected = _shapes(_network(encoder).state_dict())
    found = _shapes(entries)
    mismatch = _mismatch(found, expected, encoder)
    if mismatch:
        raise CheckpointError(f'{path} {mismatch}')
    if _UNUSED in expected and _UNUSED not in entries:
        entries[_UNUSED] = torch.zeros(expected[_UNUSED])
    return {name: _number(path, name, entries[name]) for name in expected}


def _network(encoder: str) -> DepthAnything:
    with torch.device('meta'):
        return DepthAnything(PRESETS[encoder])


def _shapes(entries: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in entries.items()}


def _number(path: Path, name: str, value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point():
        raise CheckpointError(f'{path} holds {name} as {value.dtype}, not as a float')
    value = value.to(torch.float32)
    if not value.isfinite().all():
        raise CheckpointError(f'{path} holds numbers in {name} that are not finite')
    return value


def _mismatch(found: Shapes, expected: Shapes, encoder: str) -> str:
    """Return how the entries differ from those of the network, '' if they do not."""
    missing = [name for name in expected if name not in found and name != _UNUSED]
    unknown = [name for name in found if name not in expected and name != _UNUSED]
    shaped = [name for name in expected if found.get(name, expected[name]) != expected[name]]
    if not missing and not unknown and not shaped:
        return ''
    known = _known_network(found)
    if known and known != f'encoder {encoder}':
        return f'holds {known}, but encoder {encoder} was asked for'
    differences = (
        _listed('lacks', missing),
        _listed('has unknown', unknown),
        _listed('has other shapes in', [_versus(name, found, expected) for name in shaped]),
    )
    said = '; '.join(filter(None, differences))
    if known and all(name.startswith('depth_head.') for name in (*missing, *unknown, *shaped)):
        return f'holds {known} with another head: it {said}'
    return f'is no checkpoint of encoder {encoder}: it {said}'


def _known_network(found: Shapes) -> str:
    """Return the network to which the entries belong, '' if none is known."""
    if any(name.startswith('backbone.embeddings.') for name in found):
        return (
            'a network in the layout of the transformers library (use the original .pth, which '
            '`mono_depth weights get` fetches)'
        )
    if any(name.startswith('core.core.') for name in found):
        return 'a ZoeDepth network (the metric models of Depth Anything V1)'
    if 'cls_token' in found and not any(name.startswith('depth_head.') for name in found):
        return 'a bare DINOv2 encoder without a depth head'
    token = found.get('pretrained.cls_token', (0,))
    depth = len({name.split('.')[2] for name in found if name.startswith('pretrained.blocks.')})
    for preset in PRESETS.values():
        if (token[-1:], depth) == ((preset.dim,), preset.depth):
            return f'encoder {preset.name}'
    return ''


def _versus(name: str, found: Shapes, expected: Shapes) -> str:
    return f'{name} {found[name]} instead of {expected[name]}'


def _listed(verb: str, names: Iterable[str]) -> str:
    every = list(names)
    if not every:
        return ''
    more = f' and {len(every) - _SHOWN} more' if len(every) > _SHOWN else ''
    return f'{verb} {", ".join(every[:_SHOWN])}{more}'


def read_entries(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors of a `.pth` or `.safetensors` file, on the CPU.

    They may be views of the mapped file: copy them before the file changes. The wrapper of
    training ({'model': ...}) and the prefix `module.` of distributed training are removed.

    Raises:
        CheckpointError: The file is missing, empty, truncated, of another format, contains code,
            or does not hold named tensors.
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

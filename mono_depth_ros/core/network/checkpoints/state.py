"""State of a network from a checkpoint of any supported format, whatever its suffix."""

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...errors import CheckpointError
from ..depth_anything import PRESETS, DepthAnything

State = dict[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]

_UNUSED = 'pretrained.mask_token'
"""An entry of official files that serves DINOv2's training only."""
_SHOWN = 3
_MAX_HEADER = 100_000_000
_LEGACY_MAGIC = b'\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'
"""How torch.save began a file before it wrote zip archives."""
_MISTAKEN = {
    b'<': 'a web page, as a server sends instead of a file; download it again',
    b'{"': 'a JSON text, as a server sends instead of a file; download it again',
    b'version https://git-lfs': 'a Git LFS pointer, not the file; run `git lfs pull`',
    b'\x08': 'an ONNX model; only PyTorch and safetensors files are read',
    b'\x80': 'a bare Python pickle, which may run code and was not loaded',
}
_FOREIGN = {
    'backbone.embeddings.': 'a network in the layout of the transformers library (use the '
    'original .pth, which `mono_depth weights get` fetches)',
    'core.core.': 'a ZoeDepth network (the metric models of Depth Anything V1)',
    'cls_token': 'the entries of a bare DINOv2 encoder',
}
"""Networks of others, by how the name of an entry begins."""


def load_state(path: Path, encoder: str) -> State:
    """Return the float32 state of the network `encoder`, complete and of its own shapes.

    The tensors may be views of the mapped file: copy them (`load_state_dict` does) before it
    changes. The metric and the relative head, and version 1 and 2, have the same entries: `obtain`
    distinguishes them.

    Raises:
        CheckpointError: The file cannot be read, is truncated, of another format or network,
            contains code, or holds a number that is not finite.
    """
    entries = _read_entries(path)
    with torch.device('meta'):
        expected = _shapes(DepthAnything(PRESETS[encoder]).state_dict())
    mismatch = _mismatch(_shapes(entries), expected, encoder)
    if mismatch:
        raise CheckpointError(f'{path} {mismatch}')
    if _UNUSED in expected and _UNUSED not in entries:
        entries[_UNUSED] = torch.zeros(expected[_UNUSED])
    return {name: _number(path, name, entries[name]) for name in expected}


def _shapes(entries: State) -> dict[str, tuple[int, ...]]:
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
    versus = [f'{name} {found[name]} instead of {expected[name]}' for name in shaped]
    lists = {'lacks': missing, 'has unknown': unknown, 'has other shapes in': versus}
    said = '; '.join(f'{verb} {_listed(names)}' for verb, names in lists.items() if names)
    if known and all(name.startswith('depth_head.') for name in (*missing, *unknown, *shaped)):
        return f'holds {known} with another head: it {said}'
    return f'is no checkpoint of encoder {encoder}: it {said}'


def _known_network(found: Shapes) -> str:
    """Return the network to which the entries belong, '' if none is known."""
    for start, network in _FOREIGN.items():
        if any(name.startswith(start) for name in found):
            return network
    token = found.get('pretrained.cls_token', (0,))
    depth = len({name.split('.')[2] for name in found if name.startswith('pretrained.blocks.')})
    for preset in PRESETS.values():
        if (token[-1:], depth) == ((preset.dim,), preset.depth):
            return f'encoder {preset.name}'
    return ''


def _listed(names: Sequence[str]) -> str:
    more = f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''
    return f'{", ".join(names[:_SHOWN])}{more}'


def _read_entries(path: Path) -> State:
    """Return the named tensors of a `.pth` or `.safetensors` file, on the CPU."""
    try:
        with path.open('rb') as file:
            head = file.read(64)
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror}') from error
    if not head:
        raise CheckpointError(f'{path} is empty (0 bytes)', 'download it again')
    if head.startswith(b'PK\x03\x04'):
        _require_torch_archive(path)
        return _unwrap(path, _load(path, mmap=True))
    if head.startswith(_LEGACY_MAGIC):
        return _unwrap(path, _load(path, mmap=False))
    if head[8:9] == b'{' and int.from_bytes(head[:8], 'little') < _MAX_HEADER:
        try:
            return _unwrap(path, load_file(path))
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f'{path} is truncated or damaged: {error}') from error
    for start, what in _MISTAKEN.items():
        if head.lstrip().startswith(start):
            raise CheckpointError(f'{path} is {what}')
    raise CheckpointError(
        f'{path} is neither a PyTorch nor a safetensors file; it starts with {head[:12]!r}'
    )


def _require_torch_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        missing = f'its table of contents is missing after {path.stat().st_size} bytes'
        what = f'{path} is a truncated PyTorch archive: {missing}'
        raise CheckpointError(what, 'download it again') from error
    if any(name.split('/')[1:2] == ['constants.pkl'] for name in names):
        raise CheckpointError(f'{path} is a TorchScript program, which is not loaded')
    if not any(name.endswith('/data.pkl') for name in names):
        raise CheckpointError(f'{path} is a zip archive without a PyTorch checkpoint inside')


def _load(path: Path, mmap: bool) -> Any:
    try:
        return torch.load(path, map_location='cpu', weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        wanted = re.search(r'GLOBAL ([\w.]+)', str(error))
        what = f'{path} wants to run code {f"({wanted[1]})" if wanted else "or is damaged"}'
        remedy = 'only a table of plain tensors is accepted'
        raise CheckpointError(f'{what} and was not loaded', remedy) from error
    except Exception as error:  # damaged bytes can raise anything
        lines = str(error).splitlines() or [type(error).__name__]
        raise CheckpointError(f'{path} is damaged: {lines[0]}; download it again') from error


def _unwrap(path: Path, loaded: Any) -> State:
    for wrapper in ('state_dict', 'model'):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not loaded:
        what = 'an empty table' if isinstance(loaded, Mapping) else f'a {type(loaded).__name__}'
        raise CheckpointError(f'{path} holds {what}, not a table of tensors')
    for name, value in loaded.items():
        if not isinstance(value, torch.Tensor):
            what = type(value).__name__
            raise CheckpointError(f'{path} holds a {what} as {name!r}, not a tensor')
    # Distributed training adds a prefix, as training itself a wrapper.
    prefix = 'module.' if all(str(name).startswith('module.') for name in loaded) else ''
    return {str(name).removeprefix(prefix): value for name, value in loaded.items()}

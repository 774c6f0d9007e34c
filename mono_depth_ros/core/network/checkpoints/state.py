"""State of a network from a checkpoint of any supported format, whatever its suffix."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from ...errors import CheckpointError
from ...parsing import parsing
from ..depth_anything import PRESETS
from ..families import build_network
from . import transformers_layout, zipdepth_layout
from .checkpoint_file import State, read_tables

Shapes = Mapping[str, tuple[int, ...]]

_UNUSED = 'pretrained.mask_token'
"""An entry of official files that serves DINOv2's training only."""
_OURS = 'pretrained.cls_token'
_ADDED = re.compile(r'(?:^|(?<=\.))(?:_orig_mod|module)\.')
"""What torch.compile and distributed training add, anywhere in a name."""
_SHOWN = 3
_FOREIGN = {
    'core.core.': 'a ZoeDepth network (the metric models of Depth Anything V1)',
    'cls_token': 'the entries of a bare DINOv2 encoder',
}
"""Networks of others, by how the name of an entry begins."""
_KNOWN_STARTS = {**_FOREIGN, 'levels.': 'encoder zipdepth', 'encoder.blocks.': 'encoder tiny'}


def load_state(path: Path, encoder: str) -> State:
    """Return the float32 state of the network `encoder`, complete and of its own shapes.

    The tensors may be views of the mapped file: copy them (`load_state_dict` does) before it
    changes. The metric and the relative head, and version 1 and 2, have the same entries: `obtain`
    distinguishes them.

    Raises:
        CheckpointError: The file cannot be read, is truncated, of another format or network,
            contains code, or holds a number that is not finite.
    """
    tables = read_tables(path)
    with parsing(path, 'checkpoint', CheckpointError):
        entries = _network_entries(path, tables)
        with torch.device('meta'):
            expected = _shapes(build_network(encoder).state_dict())
        mismatch = _mismatch(_shapes(entries), expected, encoder)
        if mismatch:
            raise CheckpointError(f'{path} {mismatch}')
        if _UNUSED in expected and _UNUSED not in entries:
            entries[_UNUSED] = torch.zeros(expected[_UNUSED])
        return {name: _number(path, name, entries[name]) for name in expected}


def _network_entries(path: Path, tables: Mapping[str, State]) -> State:
    """Return the table that holds a network, under our names.

    The weights of a training lie in a table of any name, beside those of its optimizer, and each
    way of training adds a prefix. The entry that every network has tells both.
    """
    named = {
        place: {_ADDED.sub('', name): value for name, value in table.items()}
        for place, table in tables.items()
    }
    found = {}
    for place, table in named.items():
        for mark in (_OURS, transformers_layout.MARK, zipdepth_layout.MARK):
            starts = [name.removesuffix(mark) for name in table if name.endswith(mark)]
            if len(starts) == 1 and not any(name.startswith(tuple(_FOREIGN)) for name in table):
                found[place] = _without(starts[0], table)
    if len(found) > 1:
        raise CheckpointError(
            f'{path} holds several networks: {", ".join(found)}',
            "save one alone: torch.save(torch.load(FILE)[NAME], 'weights.pth')",
        )
    entries = next(iter(found.values()), None) or max(named.values(), key=len)
    if transformers_layout.MARK in entries:
        return transformers_layout.from_transformers(entries)
    if zipdepth_layout.MARK in entries:
        return zipdepth_layout.from_zipdepth(path, entries)
    return entries


def _without(prefix: str, table: State) -> State:
    """Return the entries whose names begin so, without it; losses beside a network have none."""
    return {
        name.removeprefix(prefix): value
        for name, value in table.items()
        if name.startswith(prefix)
    }


def _shapes(entries: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in entries.items()}


def _number(path: Path, name: str, value: torch.Tensor) -> torch.Tensor:
    if value.layout is not torch.strided or value.is_meta or value.is_quantized:
        kind = 'a meta tensor' if value.is_meta else f'a tensor of {value.layout}, {value.dtype}'
        raise CheckpointError(f'{path} holds {name} as {kind}', 'save plain float tensors')
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
    for start, network in _KNOWN_STARTS.items():
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

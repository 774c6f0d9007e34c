"""The state of a network, read from a checkpoint and held to the network's own entries."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from ...errors import CheckpointError
from ...types import PredictionKind
from ..depth_anything import PRESETS, DepthAnything
from .container import read_entries
from .table import max_depth

Shapes = Mapping[str, tuple[int, ...]]

# Official files carry it; it serves DINOv2's training only.
_UNUSED = 'pretrained.mask_token'

_SHOWN = 3


def prediction_kind(variant: str) -> PredictionKind:
    """Return what a network of the resolved variant computes."""
    if max_depth(variant) is None:
        return PredictionKind.RELATIVE_INVERSE_DEPTH
    return PredictionKind.DEPTH


def load_state(path: Path, encoder: str) -> dict[str, torch.Tensor]:
    """Return the float32 state of the network `encoder`, complete and of its own shapes.

    The tensors may be views of the mapped file: copy them (`load_state_dict` does) before it
    changes. The metric and the relative head, and version 1 and 2, have the same entries:
    `obtain` tells those apart.

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
    """Return what is wrong with a checkpoint's entries, '' if they are the network's own."""
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
    """Return the network that a checkpoint's entries give away, '' if none."""
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

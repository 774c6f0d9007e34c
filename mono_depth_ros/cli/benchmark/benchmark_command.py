"""`mono_depth benchmark`: its arguments, its table and its recommendation."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...core.errors import SettingsError
from ...core.network.cards.providers import BACKENDS
from ...core.types import PRECISIONS
from ..batch import positive_integer
from ..common_arguments import positive_number
from ..machine import processor
from .variants import Measured, backends_here, groups, recommended

_IMAGE = '640x480'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is measured, and for which rate."""
    parser.epilog = f'Images are {_IMAGE}; each variant runs in a process of its own, in turns.'
    lists: tuple[tuple[str, Callable[[str], Any], str, str], ...] = (
        ('networks', str, 'tiny,zipdepth,vits', 'encoders, and paths of cards'),
        ('sizes', int, '0', 'shorter sides of the input [px]; 0 = that of the network'),
        ('backends', _backend, '', 'of torch, onnx, openvino (default: those installed)'),
        ('precisions', _precision, 'fp32', 'of fp32, fp16, bf16'),
    )
    for name, kind, default, description in lists:
        parser.add_argument(
            f'--{name}',
            type=_listed(kind),
            default=default,
            metavar='A,B',
            help=description + (f' (default: {default})' if default else ''),
        )
    parser.add_argument('--device', default='auto', help='auto, cuda, cuda:N, mps or cpu')
    parser.add_argument('--rounds', type=positive_integer, default=20, metavar='N')
    parser.add_argument('--rate', type=positive_number, default=10.0, metavar='HZ', help='wanted')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all of it there')


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, and return 1 if nothing could be measured.

    Raises:
        SettingsError: The file cannot be written.
    """
    from .turns import measure_group

    if args.json is not None and not args.json.parent.is_dir():
        raise SettingsError(f'{args.json.parent} is not a folder', 'make it first')
    console, found = Console(), list[Measured]()
    asked = args.networks, args.sizes, args.backends or backends_here(), args.precisions
    with console.status('starting') as status:
        for group in groups(*asked, args.device):
            found += measure_group(group, args.rounds, status.update)
    best = recommended(found, args.rate)
    where = _machine(args.device)
    console.print(_table(found, f'{_IMAGE}, {args.rounds} rounds in turns'))
    for line in (where, *_notes(found), advice(found, best, args.rate)):
        console.print(line, soft_wrap=True, highlight=False)
    if args.json is not None:
        args.json.write_text(json.dumps(_as_json(found, best, where, args.rate), indent=1) + '\n')
    return int(all(row.error for row in found))


def _table(found: Sequence[Measured], title: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ('network', 'input', 'backend', 'precision'):
        table.add_column(name, overflow='fold', no_wrap=name != 'network')
    for name in ('median [ms]', 'p99 [ms]', 'memory [MB]', 'from fp32'):
        table.add_column(name, justify='right')
    for row in found:
        variant = row.variant
        name = f'{variant.network}{"*" if row.is_random else ""}'
        height, width = row.seen
        size = f'{width}x{height}' if width else str(variant.input_size or 'own')
        figures = ['-'] * 4
        if not row.error:
            away = '-' if row.difference is None else f'{row.difference:.1e}'
            times = f'{row.median_ms:.1f}', f'{row.p99_ms:.1f}'
            figures = [*times, f'{row.peak_mb:.0f}', away]
        table.add_row(name, size, variant.backend, variant.precision, *figures)
    return table


def _notes(found: Sequence[Measured]) -> list[str]:
    failed = [f'{row.variant.parameters}: {row.error}' for row in found if row.error]
    if not any(row.is_random for row in found):
        return failed
    random = (
        '* random weights: those published are not on this machine. Speed, memory and how far '
        'backends differ do not depend on them; `mono_depth weights get` fetches them'
    )
    return [random, *failed]


def advice(found: Sequence[Measured], best: Measured | None, rate_hz: float) -> str:
    """Return what to set for a rate [Hz], or how far the fastest variant is from it."""
    if best is not None:
        needed = f'{best.p99_ms:.0f} ms in 99 % of frames'
        return f'for {rate_hz:g} Hz: {best.variant.parameters} ({needed})'
    able = [row for row in found if not row.error]
    if not able:
        return f'for {rate_hz:g} Hz: nothing could be measured'
    fastest = min(able, key=lambda row: row.p99_ms)
    return (
        f'for {rate_hz:g} Hz: nothing measured here; the fastest, {fastest.variant.parameters}, '
        f'keeps {1000 / fastest.p99_ms:.2g} Hz. Try a smaller network, or --sizes'
    )


def _as_json(
    found: Sequence[Measured], best: Measured | None, where: str, rate_hz: float
) -> dict[str, Any]:
    rows = []
    for row in found:
        times = {} if row.error else {'median_ms': row.median_ms, 'p99_ms': row.p99_ms}
        rows.append(asdict(row) | times)
    chosen = best and best.variant.parameters
    return {'machine': where, 'image': _IMAGE, 'rate': rate_hz, 'rows': rows, 'advice': chosen}


def _machine(device: str) -> str:
    """Return what the numbers depend on."""
    # Not above: torch takes seconds.
    import torch

    from ...core.devices import find_device

    chosen = find_device(device)
    name = torch.cuda.get_device_name(chosen) if chosen.type == 'cuda' else processor()
    cores, load = os.cpu_count(), os.getloadavg()[0]
    software = f'Python {platform.python_version()}, torch {torch.__version__}'
    return f'{name}, {cores} cores, {torch.get_num_threads()} threads, load {load:.1f}, {software}'


def _listed(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def parse(text: str) -> list[Any]:
        return [kind(part.strip()) for part in text.split(',') if part.strip()]

    return parse


def _backend(text: str) -> str:
    return _one_of(text, BACKENDS)


def _precision(text: str) -> str:
    return _one_of(text, PRECISIONS)


def _one_of(text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise argparse.ArgumentTypeError(f'{text} is none of {", ".join(choices)}')
    return text

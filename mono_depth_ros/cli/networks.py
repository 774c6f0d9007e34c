"""`mono_depth networks`: list, show and check the cards of networks."""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..core.errors import MonoDepthError, SettingsError
from ..core.network.cards.providers import PROVIDERS
from ..core.network.network_settings import EstimatorSettings

_SIZES = ((480, 640), (720, 1280))
"""(height, width) of the images that `check` takes the time of [px]."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare list, show and check."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    whose = 'show the cards in folders, by default those of the package'
    listing = actions.add_parser('list', help=whose)
    listing.add_argument('folders', nargs='*', type=Path, metavar='FOLDER')
    show = actions.add_parser('show', help='show what a card says and what its model has')
    show.add_argument('card')
    check = actions.add_parser(
        'check', help='run a network: sizes, output, sign against a floor picture, speed'
    )
    check.add_argument('card')
    check.add_argument('--provider', choices=('auto', *PROVIDERS), default='auto')
    check.add_argument('--input-size', type=int, default=0, metavar='PX')
    check.add_argument('--rounds', type=int, default=5, help='runs that are timed (default: 5)')


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    console = Console(highlight=False, markup=False)
    if args.action == 'list':
        return list_cards(console, args.folders)
    if args.action == 'show':
        return show_card(console, args.card)
    return check_card(console, args)


def list_cards(console: Console, folders: list[Path]) -> int:
    """Print a row for every card in the folders, or in the package if there is no folder."""
    # Not above: torch takes seconds.
    from ..core.network.cards.card_reader import shipped_cards

    headings = ('card', 'kind', 'meters', 'license', 'model')
    table = Table(*headings, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in table.columns:
        column.overflow = 'fold'
    notes = []
    found = [path for folder in folders for path in _cards(folder)] if folders else shipped_cards()
    for path in found:
        try:
            table.add_row(*_row(path))
        except MonoDepthError as error:
            # A model beside its card holds none.
            if path.suffix == '.yaml':
                notes.append(str(error))
    console.print(table)
    for folder in dict.fromkeys(path.parent for path in found):
        console.print(f'in {folder}', soft_wrap=True)
    for note in notes:
        console.print(note, soft_wrap=True)
    return 0


def show_card(console: Console, network: str) -> int:
    """Print what a card says; where model and ONNX Runtime are here, what the model has."""
    # Not above: torch takes seconds.
    from ..core.network.cards.card_reader import read_card
    from ..core.network.cards.session import open_session

    card = read_card(network)
    table = Table(box=None, show_header=False)
    for name, value in _facts(card):
        table.add_row(name, value)
    console.print(table)
    card.require_model()
    card.require_sha256()
    console.print(f'sha256 {"as stated" if card.sha256 else "not stated"}')
    session = open_session(card.model, 'cpu')
    for title, tensors in (('input', session.inputs), ('output', session.outputs)):
        for name, info in tensors.items():
            console.print(f'{title} {name} {info}', soft_wrap=True)
    return 0


def check_card(console: Console, args: argparse.Namespace) -> int:
    """Load a network with all checks and take its time; return 1 if it seems untrained."""
    # Not above: torch takes seconds.
    from ..core.network.cards.card_loading import judge, load_card_estimator

    # A license binds use, and a check of the file is none.
    settings = EstimatorSettings(
        accept_noncommercial=True,
        network=args.card,
        provider=args.provider,
        input_size=args.input_size,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always', RuntimeWarning)
        estimator = load_card_estimator(settings)
        nearness = judge(estimator)
    console.print(f'{estimator.card.model}: names and shapes as in {args.card}', soft_wrap=True)
    if estimator.card.size.fixed is None:
        console.print('right at two sizes')
    console.print(f'finite, not constant; nearness follows a floor by {nearness:.2f} of 1')
    for height, width in _SIZES:
        seconds = _times(estimator, (height, width), args.rounds)
        rows, columns = estimator.card.size.place(height, width).network
        console.print(
            f'{width}x{height} px (input {columns}x{rows}): {np.median(seconds) * 1e3:.0f} ms '
            f'median, {max(seconds) * 1e3:.0f} ms at most, of {len(seconds)}'
        )
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        console.print(text, soft_wrap=True)
    return int(bool(caught))


def _times(estimator: Any, size: tuple[int, int], rounds: int) -> list[float]:
    """Return the seconds of each of several predictions of one image."""
    import torch

    from ..core.camera.pinhole import PinholeCamera

    height, width = size
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image = torch.from_numpy(rgb).to(estimator.device)
    camera = PinholeCamera.from_fov(width, height, 60.0) if estimator.needs_camera else None
    seconds = []
    for _ in range(max(1, rounds) + 1):
        began = time.perf_counter()
        estimator.predict([image], size, [camera])[0].values.cpu()
        seconds.append(time.perf_counter() - began)
    return seconds[1:]  # the first one allocates


def _cards(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SettingsError(f'{folder} is not a folder', 'name folders that hold cards')
    return sorted([*folder.glob('*.yaml'), *folder.glob('*.onnx')])


def _row(path: Path) -> tuple[str, ...]:
    from ..core.network.cards.card_reader import read_card

    card = read_card(str(path))
    is_here = 'here' if card.model.is_file() else 'not here'
    kind, rule = card.output_kind.value, card.meters.rule
    return path.name, kind, rule, card.license or 'not stated', is_here


def _facts(card: Any) -> list[tuple[str, str]]:
    """Return what a card says, as names and texts."""
    rule = {n: v for n, v in vars(card.meters).items() if v and n != 'rule'}
    numbers = ', '.join(f'{name} {value:g}' for name, value in rule.items())
    facts = [
        ('card', str(card.path)),
        ('model', str(card.model)),
        ('license', card.license or 'not stated'),
        *_input_facts(card),
        ('depth', f'{card.output}: {card.output_kind.value}'),
        ('meters', f'{card.meters.rule} {numbers}'.strip()),
    ]
    if card.depth_range is not None:
        facts.append(('range', '{:g} to {:g} m'.format(*card.depth_range)))
    if card.invalid is not None:
        side = 'above' if card.invalid.is_above else 'below'
        facts.append(('invalid', f'{card.invalid.name} {side} {card.invalid.threshold:g}'))
    if card.spread is not None:
        facts.append(('spread', f'{card.spread.name} in {card.spread.unit}'))
    if card.source:
        facts.append(('source', card.source))
    return facts


def _input_facts(card: Any) -> list[tuple[str, str]]:
    image, size = card.input, card.size
    row = [f'{value:g}' for value in (*image.mean, *image.std)]
    normalized = f'({image.scale:g} value - [{", ".join(row[:3])}]) / [{", ".join(row[3:])}]'
    if size.fixed is None:
        shape = f'{size.side} side {size.length} px, multiples of {size.multiple}'
    else:
        shape = f'{size.fixed[1]}x{size.fixed[0]} px, {size.fit}'
    camera = 'needed' if card.needs_camera else 'not needed'
    if card.camera is not None:
        camera += f', {card.camera.form} as {card.camera.name}'
    return [
        ('image', f'{image.name}, {image.order} {image.layout}: {normalized}'),
        ('size', shape),
        ('camera', camera),
    ]

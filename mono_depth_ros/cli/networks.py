"""`mono_depth networks`: list, show, check and get networks of others."""

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
from .network_facts import card_facts, hub_facts

_SIZES = ((480, 640), (720, 1280))
"""(height, width) of the images that `check` takes the time of [px]."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare list, show, check and get."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    whose = 'show the cards in folders, by default those of the package'
    listing = actions.add_parser('list', help=whose)
    listing.add_argument('folders', nargs='*', type=Path, metavar='FOLDER')
    named = 'a card, or hf: and a model of transformers'
    show = actions.add_parser('show', help='show what a card says and what its model has')
    show.add_argument('network', help=named)
    check = actions.add_parser(
        'check', help='run a network: sizes, output, sign against a floor picture, speed'
    )
    check.add_argument('network', help=named)
    check.add_argument('--provider', choices=('auto', *PROVIDERS), default='auto')
    check.add_argument('--input-size', type=int, default=0, metavar='PX')
    check.add_argument('--rounds', type=int, default=5, help='runs that are timed (default: 5)')
    get = actions.add_parser('get', help='fetch a model of transformers from the hub')
    get.add_argument('network', help='hf:<owner>/<name>, or with @<commit>')
    get.add_argument('--accept-noncommercial', action='store_true')


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    console = Console(highlight=False, markup=False)
    if args.action == 'list':
        return list_cards(console, args.folders)
    if args.action == 'show':
        return show_network(console, args.network)
    if args.action == 'get':
        return get_network(console, args.network, args.accept_noncommercial)
    return check_network(console, args)


def list_cards(console: Console, folders: list[Path]) -> int:
    """Print a row for every card in the folders, or in the package if there is no folder."""
    # Not above: torch takes seconds.
    from ..core.network.cards.card_reader import shipped_cards

    headings = ('card', 'kind', 'meters', 'license', 'model')
    table = Table(*headings, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in table.columns:
        column.overflow = 'fold'
    notes = []
    shipped = map(str, shipped_cards())
    found = [name for folder in folders for name in _cards(folder)] if folders else [*shipped]
    for name in found:
        try:
            table.add_row(*_row(name))
        except MonoDepthError as error:
            # A model beside its card holds none.
            if not name.endswith('.onnx'):
                notes.append(str(error))
    console.print(table)
    for folder in folders or [Path(found[0]).parent]:
        console.print(f'in {folder}', soft_wrap=True)
    for note in notes:
        console.print(note, soft_wrap=True)
    return 0


def show_network(console: Console, network: str) -> int:
    """Print what is known of a network; where model and ONNX Runtime are here, what it has."""
    # Not above: torch takes seconds.
    from ..core.network.cards.card_reader import read_network
    from ..core.network.cards.session import open_session
    from ..core.network.hub.hub_card import HubCard

    card = read_network(network)
    is_hub = isinstance(card, HubCard)
    facts = hub_facts(card) if is_hub else card_facts(card)
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        console.print(f'{name:{width}}  {value}', soft_wrap=True)  # no path is ever cut
    card.require_model()
    if isinstance(card, HubCard):
        return 0
    card.require_sha256()
    console.print(f'sha256 {"as stated" if card.sha256 else "not stated"}')
    session = open_session(card.model, 'cpu')
    for title, tensors in (('input', session.inputs), ('output', session.outputs)):
        for name, info in tensors.items():
            console.print(f'{title} {name} {info}', soft_wrap=True)
    return 0


def check_network(console: Console, args: argparse.Namespace) -> int:
    """Load a network with all checks and take its time; return 1 if it seems untrained."""
    # Not above: torch takes seconds.
    from ..core.network.cards.judgment import judge
    from ..core.network.estimator import load_estimator

    # A license binds use, and a check of the file is none.
    settings = EstimatorSettings(
        accept_noncommercial=True,
        network=args.network,
        provider=args.provider,
        input_size=args.input_size,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always', RuntimeWarning)
        estimator: Any = load_estimator(settings)
        nearness = judge(estimator)
    card = estimator.card
    console.print(f'{card.model}: names and shapes as in {args.network}', soft_wrap=True)
    if card.fixed_size is None:
        console.print('right at two sizes')
    console.print(f'finite, not constant; nearness follows a floor by {nearness:.2f} of 1')
    for height, width in _SIZES:
        seconds = _times(estimator, (height, width), args.rounds)
        rows, columns = card.place(height, width).network
        console.print(
            f'{width}x{height} px (input {columns}x{rows}): {np.median(seconds) * 1e3:.0f} ms '
            f'median, {max(seconds) * 1e3:.0f} ms at most, of {len(seconds)}'
        )
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        console.print(text, soft_wrap=True)
    return int(bool(caught))


def get_network(console: Console, network: str, accept_noncommercial: bool) -> int:
    """Fetch a model of transformers and print its name with the commit."""
    # Not above: torch takes seconds.
    from ..core.network.hub.hub_files import fetch
    from ..core.network.hub.hub_name import PREFIX, read_hub_name
    from ..core.network.hub.hub_reader import read_hub_card

    name = read_hub_name(network) if network.startswith(PREFIX) else None
    if name is None or name.folder is not None:
        raise SettingsError(f'{network!r} is not on the hub', 'name hf:<owner>/<name>')
    pinned = fetch(name, accept_noncommercial)
    console.print(f'network: {pinned}', soft_wrap=True)
    read_hub_card(pinned)
    return 0


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


def _cards(folder: Path) -> list[str]:
    """Return what may be a network in a folder, as the parameter `network` names it."""
    if not folder.is_dir():
        raise SettingsError(f'{folder} is not a folder', 'name folders that hold cards')
    files = sorted([*folder.glob('*.yaml'), *folder.glob('*.onnx')])
    models = sorted(path.parent for path in folder.glob('*/config.json'))
    return [*map(str, files), *(f'hf:{model}' for model in models)]


def _row(network: str) -> tuple[str, ...]:
    from ..core.network.cards.card_reader import read_network

    card = read_network(network)
    kind, rule = card.output_kind.value, card.meters.rule
    is_here = 'here' if card.is_here else 'not here'
    return Path(network).name, kind, rule, card.license or 'not stated', is_here

"""`mono_depth weights`: what there is, where it lies, and whether it is what was published."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..core.errors import CheckpointError, MonoDepthError
from ..core.network.checkpoints.download import cached
from ..core.network.checkpoints.store import locate, obtain
from ..core.network.checkpoints.table import (
    EMBEDDED,
    ENCODERS,
    POSSIBLE,
    TABLE,
    VARIANTS,
    find_spec,
    official_name,
    resolve_variant,
)

PACKAGE_LICENSE = 'Apache-2.0'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare list, get and verify."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='show every network, its license, and where its file lies')
    get = actions.add_parser('get', help='download a checkpoint and check its sha256')
    _add_pair(get, encoder_needed=True)
    get.add_argument(
        '--accept-noncommercial',
        action='store_true',
        help='accept a license that forbids commercial use',
    )
    verify = actions.add_parser(
        'verify',
        help='check sha256 and entries of a checkpoint, or of all that lie on this machine',
    )
    _add_pair(verify, encoder_needed=False)
    verify.add_argument(
        '--checkpoint',
        default='',
        metavar='FILE',
        help='a local file instead of the published one',
    )
    verify.add_argument(
        '--photograph',
        nargs='+',
        type=Path,
        default=[],
        metavar='FILE',
        help='compare the output for it with that of the published network, too; known are '
        "demo01.jpg to demo10.jpg of the repository Depth-Anything-V2 and COCO's 000000039769.jpg",
    )
    verify.add_argument(
        '--statistics',
        type=Path,
        metavar='FILE',
        help='JSON with the output statistics of photographs of your own',
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    if args.action == 'list':
        return list_weights(Console(highlight=False, markup=False))
    if args.action == 'get':
        return get_weights(args.encoder, args.variant, args.accept_noncommercial)
    if args.statistics is not None and not args.photograph:
        raise CheckpointError('--statistics needs the photographs it is about: --photograph FILE')
    return verify_weights(
        args.encoder, args.variant, args.checkpoint, args.photograph, args.statistics
    )


def list_weights(console: Console) -> int:
    """Print a row for every pair of encoder and variant."""
    headings = ('encoder', 'variant', 'license', 'size', 'sha256', 'file')
    table = Table(*headings, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    places = []
    for encoder, variants in POSSIBLE.items():
        for variant in variants:
            place = _place(encoder, variant)
            table.add_row(encoder, variant, *_facts(encoder, variant, place))
            if place is not None:
                places.append(f'{encoder} {variant}: {place}')
    console.print(table)
    for line in places:
        console.print(line, soft_wrap=True)
    console.print(
        'not here: the node fetches it, or `mono_depth weights get`. own: `checkpoint` names a '
        f'file, officially called such as {official_name("vitg", "relative")}',
        soft_wrap=True,
    )
    return 0


def get_weights(encoder: str, variant: str, accept_noncommercial: bool) -> int:
    """Fetch a published checkpoint unless it lies here, and print where."""
    print(obtain(encoder, variant, accept_noncommercial=accept_noncommercial))
    return 0


def verify_weights(
    encoder: str | None,
    variant: str,
    checkpoint: str,
    photographs: Sequence[Path] = (),
    statistics: Path | None = None,
) -> int:
    """Check one pair, or without an encoder all that lie here; return 1 if any is bad."""
    if encoder is None and (checkpoint or photographs):
        named = checkpoint or photographs[0]
        raise CheckpointError(f'{named} needs its encoder named: weights verify ENCODER ...')
    if encoder is not None:
        print(_verify(encoder, variant, checkpoint))
        return _accept(encoder, variant, checkpoint, photographs, statistics)
    failed = 0
    present = [(spec.encoder, spec.variant) for spec in TABLE if cached(spec) is not None]
    for pair in [*present, (EMBEDDED, 'auto')]:
        try:
            print(_verify(*pair, ''))
        except MonoDepthError as error:
            failed += 1
            print(f'{" ".join(pair)}: BAD: {error}')
    return 1 if failed else 0


def _add_pair(parser: argparse.ArgumentParser, encoder_needed: bool) -> None:
    parser.add_argument('encoder', choices=ENCODERS, nargs=None if encoder_needed else '?')
    parser.add_argument('variant', choices=VARIANTS, nargs='?', default='auto')


def _verify(encoder: str, variant: str, checkpoint: str) -> str:
    """Hold a file that lies here to its hash and to the network; return one line about it."""
    from ..core.network.checkpoints.state import (
        load_state,  # torch takes seconds, list and get need none
    )

    variant = resolve_variant(encoder, variant)
    # A license binds use, and looking at a file is none.
    if locate(encoder, variant, checkpoint, accept_noncommercial=True) is None:
        raise CheckpointError(
            f'encoder {encoder}, variant {variant} is not on this machine; '
            f'`mono_depth weights get {encoder} {variant}` fetches it'
        )
    found = obtain(encoder, variant, checkpoint, accept_noncommercial=True)
    parameters = sum(value.numel() for value in load_state(found.path, encoder).values())
    return f'{encoder} {variant}: good, {parameters / 1e6:.1f} M parameters, {found}'


def _accept(
    encoder: str,
    variant: str,
    checkpoint: str,
    photographs: Sequence[Path],
    statistics: Path | None,
) -> int:
    """Hold the network's output to the expected one; return 1 if any photograph shows another."""
    if not photographs:
        return 0
    from ..core.network.acceptance import Acceptance  # torch takes seconds, list and get need none
    from ..core.network.checkpoints.output_statistics import read_statistics

    own = None if statistics is None else read_statistics(statistics)
    acceptance = Acceptance(encoder, variant, checkpoint)
    failed = 0
    for photograph in photographs:
        try:
            print(acceptance.check(photograph, own))
        except MonoDepthError as error:
            failed += 1
            print(f'BAD: {error}')
    return 1 if failed else 0


def _place(encoder: str, variant: str) -> Path | None:
    """Return where the published or embedded file lies, None if it does not."""
    try:
        return locate(encoder, variant, accept_noncommercial=True)
    except CheckpointError:
        return None


def _facts(encoder: str, variant: str, place: Path | None) -> tuple[str, ...]:
    """Return license, size, short sha256, and whether the file of one pair is here."""
    spec = find_spec(encoder, variant)
    if spec is not None:
        is_here = 'here' if place else 'not here'
        return spec.license, spec.size_mb, spec.sha256[:12], is_here
    if encoder == EMBEDDED and place is not None:
        size_mb = f'{place.stat().st_size / 1e6:.0f} MB'
        return PACKAGE_LICENSE, size_mb, obtain(EMBEDDED).sha256[:12], 'here'
    return '', '', '', 'missing' if encoder == EMBEDDED else 'own'

"""`mono_depth weights`: what there is, where it lies, and whether it is what was published."""

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..core.checkpoints.download import cached
from ..core.checkpoints.store import locate, obtain
from ..core.checkpoints.table import (
    EMBEDDED,
    ENCODERS,
    POSSIBLE,
    TABLE,
    VARIANTS,
    find_spec,
    official_name,
    resolve_variant,
)
from ..core.errors import CheckpointError, MonoDepthError

PACKAGE_LICENCE = 'Apache-2.0'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare list, get and verify."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='show every network, its licence, and where its file lies')
    get = actions.add_parser('get', help='download a checkpoint and check its sha256')
    _add_pair(get, encoder_needed=True)
    get.add_argument(
        '--accept-noncommercial',
        action='store_true',
        help='accept a licence that forbids commercial use',
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


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    if args.action == 'list':
        return list_weights(Console())
    if args.action == 'get':
        return get_weights(args.encoder, args.variant, args.accept_noncommercial)
    return verify_weights(args.encoder, args.variant, args.checkpoint)


def list_weights(console: Console) -> int:
    """Print a row for every pair of encoder and variant."""
    table = Table('encoder', 'variant', 'licence', 'size', 'sha256', 'where')
    for encoder, variants in POSSIBLE.items():
        for variant in variants:
            table.add_row(encoder, variant, *_facts(encoder, variant))
    console.print(table)
    return 0


def get_weights(encoder: str, variant: str, accept_noncommercial: bool) -> int:
    """Fetch a published checkpoint unless it lies here, and print where."""
    print(obtain(encoder, variant, accept_noncommercial=accept_noncommercial))
    return 0


def verify_weights(encoder: str | None, variant: str, checkpoint: str) -> int:
    """Check one pair, or without an encoder all that lie here; return 1 if any is bad."""
    if encoder is not None:
        print(_verify(encoder, variant, checkpoint))
        return 0
    if checkpoint:
        raise CheckpointError(f'{checkpoint} needs its encoder named: weights verify ENCODER ...')
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
    from ..core.checkpoints.state import load_state  # torch takes seconds, list and get need none

    variant = resolve_variant(encoder, variant)
    # A licence binds use, and looking at a file is none.
    if locate(encoder, variant, checkpoint, accept_noncommercial=True) is None:
        raise CheckpointError(
            f'encoder {encoder}, variant {variant} is not on this machine; '
            f'`mono_depth weights get {encoder} {variant}` fetches it'
        )
    found = obtain(encoder, variant, checkpoint, accept_noncommercial=True)
    parameters = sum(value.numel() for value in load_state(found.path, encoder).values())
    return f'{encoder} {variant}: good, {parameters / 1e6:.1f} M parameters, {found}'


def _facts(encoder: str, variant: str) -> tuple[str | Text, ...]:
    """Return licence, size, short sha256 and place of one pair."""
    if encoder == EMBEDDED:
        return _embedded_facts()
    spec = find_spec(encoder, variant)
    if spec is None:
        return '', '', '', f'local file only ({official_name(encoder, variant)})'
    place = cached(spec)
    where = Text(str(place)) if place else 'not downloaded'
    return spec.licence, spec.size_mb, spec.sha256[:12], where


def _embedded_facts() -> tuple[str | Text, ...]:
    try:
        checkpoint = obtain(EMBEDDED)
    except CheckpointError as error:
        return PACKAGE_LICENCE, '', '', Text(str(error))
    size = checkpoint.path.stat().st_size / 1e6
    return PACKAGE_LICENCE, f'{size:.0f} MB', checkpoint.sha256[:12], Text(str(checkpoint.path))

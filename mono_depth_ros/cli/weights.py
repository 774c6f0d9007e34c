"""`mono_depth weights`: list the checkpoints, fetch them, and check files."""

import argparse
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
    PACKAGE_LICENSE,
    POSSIBLE,
    TABLE,
    VARIANTS,
    find_spec,
    official_name,
    resolve_variant,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare list, get and verify."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='show every network, its license, and where its file lies')
    get = actions.add_parser('get', help='download a checkpoint and check its sha256')
    get.add_argument('encoder', choices=ENCODERS)
    get.add_argument('variant', choices=VARIANTS, nargs='?', default='auto')
    accept = 'accept a license that forbids commercial use'
    get.add_argument('--accept-noncommercial', action='store_true', help=accept)
    verify = actions.add_parser(
        'verify', help='check sha256 and entries of a checkpoint, or of all on this machine'
    )
    verify.add_argument('encoder', choices=ENCODERS, nargs='?')
    verify.add_argument('variant', choices=VARIANTS, nargs='?', default='auto')
    verify.add_argument('--checkpoint', default='', metavar='FILE', help='a local file instead')
    verify.add_argument(
        '--photograph',
        type=Path,
        metavar='FILE',
        help="COCO's 000000039769.jpg: compare the output for it with the published one, too",
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    if args.action == 'list':
        return list_weights(Console(highlight=False, markup=False))
    if args.action == 'get':
        accept = args.accept_noncommercial
        print(obtain(args.encoder, args.variant, accept_noncommercial=accept))
        return 0
    if args.encoder is None:
        if named := args.checkpoint or args.photograph:
            raise CheckpointError(f'{named} needs its encoder named: weights verify ENCODER ...')
        return verify_all()
    print(_verify(args.encoder, args.variant, args.checkpoint))
    if args.photograph is not None:
        # Not above: torch takes seconds, and list and get need none.
        from ..core.network.published_output import check_output

        print(check_output(args.encoder, args.variant, args.checkpoint, args.photograph))
    return 0


def list_weights(console: Console) -> int:
    """Print a row for every pair of encoder and variant."""
    headings = ('encoder', 'variant', 'license', 'size', 'hash', 'file')
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


def verify_all() -> int:
    """Check all checkpoints on this machine; return 1 if any is bad."""
    failed = 0
    present = [(spec.encoder, spec.variant) for spec in TABLE if cached(spec) is not None]
    for pair in [*present, (EMBEDDED, 'auto')]:
        try:
            print(_verify(*pair, ''))
        except MonoDepthError as error:
            failed += 1
            print(f'{" ".join(pair)}: BAD: {error}')
    return 1 if failed else 0


def _verify(encoder: str, variant: str, checkpoint: str) -> str:
    """Check the hash and the entries of a file on this machine; return one line about it."""
    # Not above: torch takes seconds, and list and get need none.
    from ..core.network.checkpoints.state import load_state

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
        return spec.license, spec.size_mb, spec.digest[:12], is_here
    if encoder == EMBEDDED and place is not None:
        size_mb = f'{place.stat().st_size / 1e6:.0f} MB'
        return PACKAGE_LICENSE, size_mb, obtain(EMBEDDED).sha256[:12], 'here'
    return '', '', '', 'missing' if encoder == EMBEDDED else 'own'

"""`mono_depth export`: one of our networks as an ONNX file that carries its card."""

import argparse
from pathlib import Path

from ..core.errors import CheckpointError
from ..core.network.checkpoints.store import obtain
from ..core.network.checkpoints.table import ENCODERS, VARIANTS
from ..core.network.network_settings import EstimatorSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the network and the form of the file."""
    parser.add_argument('--encoder', choices=ENCODERS, default='vits')
    parser.add_argument('--variant', choices=VARIANTS, default='auto')
    parser.add_argument('--checkpoint', default='', metavar='FILE', help='a local file instead')
    parser.add_argument('--checkpoint-max-depth', type=float, default=0.0, metavar='M')
    accept = 'accept a license that forbids commercial use'
    parser.add_argument('--accept-noncommercial', action='store_true', help=accept)
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FILE')
    parser.add_argument(
        '--input-size',
        type=int,
        default=0,
        metavar='PX',
        help="shorter side of the input (default: the encoder's own)",
    )
    parser.add_argument(
        '--size',
        type=_size,
        metavar='WxH',
        help='fix the input to this size, multiples of 14, of zipdepth 32 (default: any)',
    )
    parser.add_argument('--half', action='store_true', help='compute in half precision')


def run(args: argparse.Namespace) -> int:
    """Export, prove the file equal to PyTorch, and return the exit status."""
    # Not above: torch takes seconds.
    from ..core.network.estimator import load_encoder
    from ..core.network.onnx_export import export_onnx
    from ..core.network.onnx_writer import ExportedForm

    path: Path = args.output
    if path.suffix.lower() != '.onnx':
        raise CheckpointError(f'{path} has another suffix than .onnx', 'name such a file')
    if not path.parent.is_dir():
        raise CheckpointError(f'{path.parent} is not a folder', 'make it first')
    form = ExportedForm(args.size, args.half)
    weights = args.encoder, args.variant, args.checkpoint, args.accept_noncommercial
    found = obtain(*weights)
    settings = EstimatorSettings(
        *weights,
        device='cpu',
        precision='fp32',
        input_size=args.input_size,
        checkpoint_max_depth=args.checkpoint_max_depth,
        backend='torch',
    )
    source = f'{settings.label}, sha256 {found.sha256} ({found.origin.value})'
    difference = export_onnx(load_encoder(settings), form, path, found.license, source)
    size_mb = path.stat().st_size / 1e6
    print(f'{path}: {size_mb:.0f} MB, within {difference:.1e} of PyTorch at two sizes')
    if not found.license:
        print('its license is not known: it needs accept_noncommercial: true')
    print(f'use it as network: {path.resolve()}')
    return 0


def _size(text: str) -> tuple[int, int]:
    """Return (height, width) of WxH."""
    width, _, height = text.lower().partition('x')
    try:
        return int(height), int(width)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text} is not like 686x518') from None

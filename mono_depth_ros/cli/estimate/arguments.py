"""The arguments of `mono_depth estimate`, and what they amount to."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.types import PredictionKind
from ...offline.parameter_files import (
    OfflineSettings,
    parse_assignments,
    read_parameters,
    with_parameters,
)
from ...offline.products import NAMES
from ...offline.tally import Shard
from ..camera_arguments import add_camera_arguments
from ..network_arguments import add_network_arguments, network_values
from ..stereo_arguments import add_stereo_arguments

_FLAGS: dict[str, tuple[str, str]] = {
    'scale': ('scale', 'of a relative network: 1/Z = scale * prediction + shift [1/m]'),
    'shift': ('shift', 'see --scale [1/m]'),
    'depth_scale': ('depth_scale', "factor on a metric network's depth"),
    'fov': ('fov_deg', 'horizontal field of view of images without a calibration [deg]'),
    'method': ('alignment.method', 'how to fit to disparity: robust, least_squares, min_max'),
    'model': ('alignment.model', 'what to fit: global, or local factors on top of it'),
}
"""Argument -> (parameter of the node, help)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare inputs, outputs, calibration, scale and network."""
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='picture, video, bag (a folder, .mcap or .db3), folder of these, or quoted pattern',
    )
    parser.add_argument(
        '-o', '--output', type=Path, required=True, metavar='OUT', help='folder for the results'
    )
    _add_outputs(parser.add_argument_group('output'))
    _add_geometry(parser.add_argument_group('calibration and scale'))
    add_network_arguments(parser)
    parser.add_argument(
        *('--set', '-p'),
        action='append',
        default=[],
        metavar='NAME=VALUE',
        help='any parameter of the node, such as cloud.voxel_size=0.02; may be repeated',
    )
    parser.add_argument(
        '--params-file', type=Path, metavar='FILE', help='parameters of the node as YAML'
    )


def offline_settings(args: argparse.Namespace, alignment_source: str) -> OfflineSettings:
    """Return the settings: those of a file, then --set, then what has an argument of its own.

    Args:
        args: As parsed.
        alignment_source: none, disparity or depth, whatever the others say.

    Raises:
        SettingsError: A value cannot be, alone or beside the others.
    """
    values: dict[str, Any] = {}
    if args.params_file is not None:
        values |= read_parameters(args.params_file)
    values |= parse_assignments(args.set)
    values |= network_values(args)
    values |= _given(args)
    values['alignment.source'] = alignment_source
    return with_parameters(OfflineSettings(), values)


def is_metric(settings: OfflineSettings) -> bool:
    """Say whether anything gives the network a scale."""
    pipeline = settings.pipeline
    is_measured = pipeline.alignment.source != 'none'
    return settings.estimator.kind is PredictionKind.DEPTH or is_measured or pipeline.scale > 0


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--formats',
        type=_formats,
        default=(),
        metavar='A,B',
        help=f'of {", ".join(NAMES)} (default: npy,color,ply for pictures, ply if there is a '
        'calibration; video for videos; bag for bags)',
    )
    group.add_argument(
        '--preview',
        action='store_true',
        help='a picture of each cloud too',
    )
    group.add_argument(
        '--topic', default='', help='images of a bag, if it has several topics of them'
    )
    group.add_argument(
        '--measured-topic',
        default='',
        metavar='TOPIC',
        help='topic of a bag to align depth to: disparity, registered depth, or the right images '
        'of a rectified pair',
    )
    group.add_argument(
        '--max-size',
        type=_positive,
        default=4096,
        metavar='PX',
        help='larger images are reduced to this (default: 4096)',
    )
    group.add_argument(
        '--batch',
        type=_positive,
        metavar='N',
        help='images of one size taken by the network at once (default: 8 on a GPU, else 1)',
    )
    group.add_argument(
        '--resume', action='store_true', help='leave alone what an earlier run has written'
    )
    group.add_argument(
        '--shard',
        type=_shard,
        default=Shard(),
        metavar='I/N',
        help='work on part I of N only, I from 1 on; every image is in exactly one part',
    )


def _add_geometry(group: argparse._ArgumentGroup) -> None:
    add_camera_arguments(group)
    for flag, (_, text) in _FLAGS.items():
        kind = str if flag in ('method', 'model') else float
        group.add_argument(
            f'--{flag.replace("_", "-")}', type=kind, metavar='X', dest=flag, help=text
        )
    add_stereo_arguments(group)


def _given(args: argparse.Namespace) -> Mapping[str, Any]:
    return {
        name: getattr(args, flag)
        for flag, (name, _) in _FLAGS.items()
        if getattr(args, flag) is not None
    }


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(',')))
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f'{text!r} is not made of {", ".join(NAMES)}')
    return names


def _shard(text: str) -> Shard:
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f'{text!r} is not I/N with I from 1 to N, such as 1/4')
    return Shard(int(match[1]), int(match[2]))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number} is not positive')
    return number

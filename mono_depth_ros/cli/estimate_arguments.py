"""The arguments of `mono_depth estimate`, and what they amount to."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.camera.decoding import DecodingSettings
from ..core.errors import SettingsError
from ..core.network.network_settings import EstimatorSettings
from ..core.scale.sources import SOURCES
from ..core.settings import Settings, described, named, updated
from ..core.types import PredictionKind
from ..offline.estimation import Shard
from ..offline.images import ImageSource, ReadingSettings
from ..offline.parameter_files import OfflineSettings, parse_assignments, read_parameters
from ..offline.writers import NAMES
from .batch import positive_integer
from .common_arguments import (
    add_bag_arguments,
    add_camera_arguments,
    add_settings,
    given,
    reading_settings,
)
from .measurement_arguments import (
    add_sensor_arguments,
    add_stereo_arguments,
    measured_sources,
    names_measurement,
)

_PARAMETERS = (
    (
        'scale',
        'scale',
        float,
        'of a relative network: 1/Z (Z if relative_depth) = scale * prediction + shift',
    ),
    ('shift', 'shift', float, 'see --scale'),
    ('depth-scale', 'depth_scale', float, "factor on a metric network's depth"),
    (
        *('method', 'alignment.method', str),
        'how to fit to measurements: robust, least_squares, min_max',
    ),
    (
        *('model', 'alignment.model', str),
        'what to make of measurements: global, local or fused; see docs/alignment.md',
    ),
    (
        *('sensor-pose', 'alignment.sensor_pose', str),
        "pose of the sensor of points in the camera's optical frame: x y z qx qy qz qw",
    ),
)
"""Argument, parameter of the node, type, help."""
_OF_PARAMETERS = tuple(name for _, name, _, _ in _PARAMETERS)
_MEASURED_BY = (
    '--disparity, --right, --measured-depth or --points (pictures) or --measured-topic (bags)'
)


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
    add_bag_arguments(parser)
    add_scale_arguments(parser)


def add_scale_arguments(parser: argparse.ArgumentParser, disparity: str = '--disparity') -> None:
    """Declare calibration, scale, network and parameters: what `offline_settings` reads.

    `disparity` is the flag of files of measured disparity.
    """
    group = parser.add_argument_group('calibration and scale')
    add_camera_arguments(group)
    for flag, name, kind, text in _PARAMETERS:
        group.add_argument(f'--{flag}', dest=name, type=kind, metavar='X', help=text)
    add_stereo_arguments(group, disparity)
    add_sensor_arguments(group)
    add_settings(parser.add_argument_group('network'), EstimatorSettings())
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


def offline_settings(args: argparse.Namespace, measured: Sequence[str]) -> OfflineSettings:
    """Return the settings: those of a file, then --set, then what has an argument of its own.

    `measured` are those of `alignment.source` whose measurements arguments name.
    """
    values = _parameters(args)
    if args.fov is not None:
        values['fov_deg'] = args.fov
    assigned = parse_assignments(args.set)
    values['alignment.source'] = _alignment_source(values, measured, assigned)
    return updated(OfflineSettings(), values)


def asks_for_estimation(args: argparse.Namespace) -> bool:
    """Say whether an argument names a network, a scale, a measurement or a parameter."""
    named = given(args).keys() & {*_OF_PARAMETERS, *_names(EstimatorSettings())}
    return bool(named or args.params_file or args.set or names_measurement(args))


def estimation_settings(
    args: argparse.Namespace, sources: Sequence[ImageSource]
) -> OfflineSettings:
    """Return the settings for the sources, what measures them included."""
    stated = named(str(_parameters(args).get('alignment.source', 'none')))
    return offline_settings(args, measured_sources(args, sources, stated))


def image_reading(args: argparse.Namespace) -> ReadingSettings:
    """Return how images are read; see `offline_settings`."""
    return reading_settings(args, _parameters(args))


def is_metric(settings: OfflineSettings) -> bool:
    """Say whether anything gives the network a scale."""
    pipeline = settings.pipeline
    has_source = pipeline.alignment.source != 'none'
    return settings.network.kind is PredictionKind.DEPTH or has_source or pipeline.scale > 0


def _parameters(args: argparse.Namespace) -> dict[str, Any]:
    values = read_parameters(args.params_file) if args.params_file is not None else {}
    values |= parse_assignments(args.set)
    names = {*_OF_PARAMETERS, *_names(EstimatorSettings()), *_names(DecodingSettings())}
    return values | {name: value for name, value in given(args).items() if name in names}


def _names(settings: Settings) -> list[str]:
    return [name for name, _, _ in described(settings)]


def _alignment_source(
    values: dict[str, Any], measured: Sequence[str], assigned: dict[str, Any]
) -> str:
    """Return `alignment.source`: as it was set, or what the arguments name."""
    source = str(values.get('alignment.source', 'none'))
    by_topic = [name for name in named(source) if name in SOURCES and SOURCES[name].topic]
    # A file may list every parameter at its default; who assigns one means it.
    is_meant = source != 'none' or 'alignment.source' in assigned
    if measured and is_meant and set(by_topic) != set(measured):
        listed = ','.join(measured)
        raise SettingsError(
            f'alignment.source is {source}, and an argument names measurements that are '
            f'{listed}; leave one of them away, or name all in alignment.source'
        )
    if not measured and by_topic:
        raise SettingsError(
            f'alignment.source is {source}, and no argument names its measurements: give '
            f'{_MEASURED_BY}, or --set alignment.source=none'
        )
    tilt = values.get('alignment.camera_pitch_from', 'parameter')
    if 'ground' in named(source) and tilt != 'parameter':
        raise SettingsError(
            f'alignment.camera_pitch_from is {tilt}, which needs a running graph; here set '
            'alignment.camera_pitch and alignment.camera_pitch_from=parameter'
        )
    return source if is_meant or not measured else ','.join(measured)


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--formats',
        type=_formats,
        default=(),
        metavar='A,B',
        help=f'of {", ".join(NAMES)} (default: npy,color,ply for pictures, ply if there is a '
        'calibration; video for videos; bag for bags)',
    )
    group.add_argument('--preview', action='store_true', help='a picture of each cloud too')
    group.add_argument(
        '--batch',
        type=positive_integer,
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

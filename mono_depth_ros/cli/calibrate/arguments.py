"""The arguments of `mono_depth calibrate`."""

import argparse
from pathlib import Path

from ..camera_arguments import add_camera_arguments
from ..network_arguments import add_network_arguments
from ..stereo_arguments import add_stereo_arguments
from .tape import Tape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what was measured, the camera and the network."""
    parser.add_argument(
        'inputs', nargs='*', metavar='INPUT', help='a bag, or pictures (left ones of pairs)'
    )
    parser.add_argument(
        *('-o', '--output'), type=Path, metavar='FILE', help='parameter file to write'
    )
    bag = parser.add_argument_group('from a bag')
    bag.add_argument('--topic', default='', help='images, if there are several topics of them')
    bag.add_argument(
        '--measured-topic',
        default='',
        help='disparity, registered depth, or right images to be matched',
    )
    bag.add_argument('--views', type=_positive, default=20, help='to use, at most (default: 20)')
    stereo = parser.add_argument_group('from stereo pairs')
    add_stereo_arguments(stereo)
    tape = parser.add_argument_group('from a tape measure')
    tape.add_argument(
        '--at',
        type=Tape.parse,
        action='append',
        default=[],
        metavar='U,V=METERS',
        help='depth at a pixel of the picture, along the optical axis; several times',
    )
    tape.add_argument(
        '--straight',
        action='store_true',
        help='METERS are straight from the lens; needs --fov, --focal or --calibration',
    )
    tutorial = parser.add_argument_group('from a scale in pixels of disparity')
    tutorial.add_argument(
        '--scale-disparity',
        type=float,
        metavar='PX',
        help='disparity = PX * prediction, so scale = PX / (focal * baseline)',
    )
    tutorial.add_argument(
        '--shift-disparity', type=float, default=0.0, metavar='PX', help='added to that disparity'
    )
    _add_geometry(parser.add_argument_group('camera'))
    add_network_arguments(parser)


def _add_geometry(group: argparse._ArgumentGroup) -> None:
    add_camera_arguments(group)
    group.add_argument(
        '--fov', type=float, default=0.0, metavar='DEG', help='horizontal field of view'
    )
    group.add_argument(
        '--max-size',
        type=_positive,
        default=4096,
        metavar='PX',
        help='larger images are reduced to this (default: 4096)',
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number} is not positive')
    return number

"""Arguments that several commands have: camera, topics, settings."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.camera.decoding import DecodingSettings
from ..core.settings import Settings, described, updated
from ..offline.calibration_files import read_calibration
from ..offline.chosen_camera import ChosenCamera
from ..offline.images import ReadingSettings
from .batch import positive_integer


def positive_number(text: str) -> float:
    """Return the number in an argument, which may be a fraction such as 1/16."""
    counter, _, denominator = text.partition('/')
    divisor = float(denominator or 1)
    number = float(counter) / divisor if divisor else math.inf
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not positive')
    return number


def add_camera_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare what `chosen_camera` and `reading_settings` read."""
    group.add_argument(
        '--calibration',
        type=Path,
        metavar='FILE',
        help='of camera_calibration, OpenCV, Kalibr, ORB-SLAM, Open3D, COLMAP or Middlebury; '
        'FILE:CAMERA if there are several; in place of that of a bag',
    )
    group.add_argument('--focal', type=float, default=0.0, metavar='PX', help='focal length [px]')
    group.add_argument(
        '--fov',
        type=float,
        metavar='DEG',
        help='horizontal field of view of images without a calibration [deg]',
    )
    group.add_argument(
        '--no-rectify',
        action='store_true',
        help='take images as rectified already, whatever their calibration says',
    )
    group.add_argument(
        '--max-size',
        type=positive_integer,
        default=4096,
        metavar='PX',
        help='larger images are reduced to this (default: 4096)',
    )
    add_settings(group, DecodingSettings())


def chosen_camera(args: argparse.Namespace, assume_rectified: bool = False) -> ChosenCamera:
    """Return what `--calibration`, `--focal`, `--fov` and `--no-rectify` say about the camera.

    `assume_rectified` is the parameter; `--no-rectify` says the same.

    Raises:
        CalibrationError: The file cannot be read, or is no plausible calibration.
    """
    return ChosenCamera(
        read_calibration(args.calibration) if args.calibration else None,
        args.focal or 0.0,
        args.fov or 0.0,
        not (assume_rectified or getattr(args, 'no_rectify', False)),
    )


def add_bag_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the topics of a bag."""
    group = parser.add_argument_group('bag')
    group.add_argument('--topic', default='', help='images, if there are several topics of them')
    add_measured_topic(group)


def add_measured_topic(group: argparse._ArgumentGroup) -> None:
    """Declare the topic of a bag that measures depth."""
    group.add_argument(
        '--measured-topic',
        default='',
        metavar='TOPIC',
        help='what measures depth in a bag: disparity, registered depth, points (PointCloud2), a '
        'scan (LaserScan), a range (Range), or the right images of a rectified pair; several '
        'separated by commas',
    )


def reading_settings(args: argparse.Namespace, values: Mapping[str, Any]) -> ReadingSettings:
    """Return how images are read: by arguments and parameters."""
    return updated(ReadingSettings(max_side=args.max_size), values)


def add_settings(group: argparse._ArgumentGroup, settings: Settings) -> None:
    """Declare an argument for each setting of a record; it is None unless it is given."""
    for name, info, default in described(settings):
        flag = f'--{name.replace("_", "-")}'
        if isinstance(default, bool):
            group.add_argument(flag, action='store_true', default=None, help=info.description)
            continue
        what = info.unit or ('n' if isinstance(default, int | float) else name)
        shown = '' if default == '' else f' (default: {default}{info.unit and " " + info.unit})'
        group.add_argument(
            flag,
            type=type(default),
            choices=info.choices or None,
            metavar=None if info.choices else what.upper(),
            help=info.description + shown,
        )


def given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that were given; those of settings by the names of the parameters."""
    return {name: value for name, value in vars(args).items() if value is not None}

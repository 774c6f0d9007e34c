"""Arguments that several commands have: camera, stereo pair, network."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.camera.decoding import DecodingSettings
from ..core.errors import SettingsError
from ..core.network.network_settings import EstimatorSettings
from ..core.scale.stereo_matching import MatchingSettings
from ..core.settings import described, updated
from ..offline.images import ChosenCamera, ReadingSettings
from ..offline.picture_measurements import DisparityMaps, Measuring, RightPictures
from ..offline.yaml_files import read_calibration
from .batch import positive_integer


def positive_number(text: str) -> float:
    """Return the number in an argument."""
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not positive')
    return number


def add_camera_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare what `chosen_camera` and `reading_settings` read."""
    group.add_argument(
        '--calibration',
        type=Path,
        metavar='FILE',
        help='camera_info as YAML, as camera_calibration writes it; in place of that of a bag',
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
    for name, info, default in described(DecodingSettings()):
        group.add_argument(
            f'--{name.replace("_", "-")}',
            type=int,
            metavar='N',
            help=f'{info.description} (default: {default})',
        )


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
    group.add_argument(
        '--measured-topic',
        default='',
        metavar='TOPIC',
        help='what measures depth: disparity, registered depth, or the right images of a '
        'rectified pair',
    )


def reading_settings(
    args: argparse.Namespace, values: Mapping[str, Any] | None = None
) -> ReadingSettings:
    """Return how images are read: by arguments, else by parameters."""
    given = {name: getattr(args, name) for name, _, _ in described(DecodingSettings())}
    chosen = {name: value for name, value in given.items() if value is not None}
    return updated(ReadingSettings(max_side=args.max_size), {**(values or {}), **chosen})


def add_stereo_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare what `measuring` reads, beside the camera."""
    measured = group.add_mutually_exclusive_group()
    measured.add_argument(
        '--right',
        type=Path,
        metavar='IMAGE',
        help='right picture of a rectified pair: matched, and depth aligned to it; a folder for '
        'several',
    )
    measured.add_argument(
        '--disparity',
        type=Path,
        metavar='FILE',
        help='disparity of the picture (npy, pfm, 16-bit PNG) to align depth to; a folder for '
        'several',
    )
    group.add_argument('--baseline', type=float, metavar='M', help='distance of the cameras [m]')
    group.add_argument(
        '--doffs', type=float, default=0.0, metavar='PX', help='cx of the right camera minus cx'
    )
    group.add_argument(
        '--disparity-unit',
        type=float,
        default=1 / 256,
        metavar='PX',
        help='value of 1 in a PNG of disparities (default: 1/256)',
    )
    searched = {name: info for name, info, _ in described(MatchingSettings())}['num_disparities']
    group.add_argument(
        '--num-disparities',
        type=int,
        default=128,
        metavar='PX',
        help=f'{searched.description} (default: 128)',
    )


def measuring(
    args: argparse.Namespace, pictures: int, reading: ReadingSettings
) -> Measuring | None:
    """Return what measures that many pictures, read so; None if nothing was named."""
    place = args.right or args.disparity
    if place is None:
        return None
    if not place.exists():
        raise SettingsError(f'{place} does not exist')
    if pictures != 1 and not place.is_dir():
        raise SettingsError(
            f'{place} belongs to one picture, and there are {pictures}; for several name a folder '
            'whose files are called like them'
        )
    if args.baseline is None:
        raise SettingsError('--right and --disparity need --baseline, the distance of the cameras')
    if not (args.focal or args.calibration or args.fov):
        raise SettingsError('--right and --disparity need --focal or --calibration')
    pair = place, args.baseline, args.doffs
    if args.disparity is not None:
        return DisparityMaps(*pair, args.disparity_unit)
    return RightPictures(*pair, matching_settings(args), reading)


def matching_settings(args: argparse.Namespace) -> MatchingSettings:
    """Return how right images are matched."""
    return MatchingSettings(num_disparities=args.num_disparities)


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare an argument for each setting of the estimator; its default is None."""
    group = parser.add_argument_group('network')
    for name, info, default in described(EstimatorSettings()):
        flag = f'--{name.replace("_", "-")}'
        if isinstance(default, bool):
            group.add_argument(flag, action='store_true', default=None, help=info.description)
            continue
        shown = '' if default in ('', 0) else f' (default: {default})'
        group.add_argument(
            flag,
            type=type(default),
            choices=info.choices or None,
            metavar=None if info.choices else name.rpartition('_')[2].upper(),
            help=info.description + shown,
        )


def network_values(args: argparse.Namespace) -> dict[str, Any]:
    """Return the given settings of the estimator by name."""
    names = [name for name, _, _ in described(EstimatorSettings())]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}

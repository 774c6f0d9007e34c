"""Arguments that several commands have: camera, stereo pair, network."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.camera.decoding import DecodingSettings
from ..core.errors import SettingsError
from ..core.files.map_units import UNITS
from ..core.scale.stereo_matching import MatchingSettings
from ..core.settings import Settings, described, updated
from ..offline.calibration_files import read_calibration
from ..offline.chosen_camera import ChosenCamera
from ..offline.images import ReadingSettings
from ..offline.picture_measurements import DisparityMaps, Measuring, RightPictures
from .batch import positive_integer, say

_MIN_BASELINE_M, _USUAL_BASELINE_M, _MAX_BASELINE_M = 0.001, 2.0, 10.0
"""Endoscopes, cars, and aircraft that look at the ground."""


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
    group.add_argument(
        '--measured-topic',
        default='',
        metavar='TOPIC',
        help='what measures depth: disparity, registered depth, or the right images of a '
        'rectified pair',
    )


def reading_settings(args: argparse.Namespace, values: Mapping[str, Any]) -> ReadingSettings:
    """Return how images are read: by arguments and parameters."""
    return updated(ReadingSettings(max_side=args.max_size), values)


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
        type=positive_number,
        metavar='PX',
        help='value of 1 in files of integers: 1/16 as StereoSGBM computes it, 1/256 in KITTI '
        '(default: 1/256 in a 16-bit PNG; other integers need it)',
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
    require_place(place, pictures)
    _require_baseline(args.baseline)
    if not (args.focal or args.calibration or args.fov):
        raise SettingsError('--right and --disparity need --focal or --calibration')
    pair = place, args.baseline, args.doffs
    if args.disparity is not None:
        files = place.glob('*.png') if place.is_dir() else [place]
        if any(file.suffix.lower() == '.png' for file in files):
            unit = UNITS['disparity'].described(args.disparity_unit)
            say(f'mono_depth {args.command}: {unit} (--disparity-unit)')
        return DisparityMaps(*pair, args.disparity_unit)
    return RightPictures(*pair, matching_settings(args), reading)


def require_place(place: Path, pictures: int) -> None:
    """Require a file for one picture, or a folder for several.

    Raises:
        SettingsError: It is not there, or one file for several.
    """
    if not place.exists():
        raise SettingsError(f'{place} does not exist')
    if pictures != 1 and not place.is_dir():
        raise SettingsError(
            f'{place} belongs to one picture, and there are {pictures}; for several name a folder '
            'whose files are called like them'
        )


def _require_baseline(meters: float | None) -> None:
    if meters is None:
        raise SettingsError('--right and --disparity need --baseline, the distance of the cameras')
    if not _MIN_BASELINE_M <= meters <= _MAX_BASELINE_M:
        said = f'--baseline {meters:g} says that the cameras are {meters:g} m apart'
        causes = {'millimeters': meters / 1000, 'centimeters': meters / 100}
        fitting = [
            f'--baseline {value:g} if it is in {unit}'
            for unit, value in causes.items()
            if _MIN_BASELINE_M <= value <= _USUAL_BASELINE_M
        ]
        raise SettingsError(said, f'give meters: {", or ".join(fitting) or "0.01 to 10"}')


def matching_settings(args: argparse.Namespace) -> MatchingSettings:
    """Return how right images are matched."""
    return MatchingSettings(num_disparities=args.num_disparities)


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

"""Arguments that name what measures images, and what they amount to."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import SettingsError
from ..core.files.map_units import UNITS, Quantity
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.stereo_matching import MatchingSettings
from ..core.settings import described
from ..offline.images import ImageSource, ReadingSettings
from ..offline.measuring import Measuring
from ..offline.picture_measurements import DepthFiles, DisparityMaps, PointFiles, RightPictures
from .bag_measurements import HELD, bag_measuring, measured_topics
from .batch import say
from .common_arguments import positive_number

_MIN_BASELINE_M, _USUAL_BASELINE_M, _MAX_BASELINE_M = 0.001, 2.0, 10.0
"""Endoscopes, cars, and aircraft that look at the ground."""
_FILES = {
    'right': 'disparity',
    'measured_disparity': 'disparity',
    'measured_depth': 'depth',
    'points': 'points',
}
"""Argument that names files -> `alignment.source`."""


def add_stereo_arguments(group: argparse._ArgumentGroup, disparity: str = '--disparity') -> None:
    """Declare what `stereo_files` reads, beside the camera; `disparity` is the name of a flag."""
    measured = group.add_mutually_exclusive_group()
    measured.add_argument(
        '--right',
        type=Path,
        metavar='IMAGE',
        help='right picture of a rectified pair: matched, and depth aligned to it; a folder for '
        'several',
    )
    measured.add_argument(
        disparity,
        dest='measured_disparity',
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


def add_sensor_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare files of measured depth and of points."""
    group.add_argument(
        '--measured-depth',
        type=Path,
        metavar='FILE',
        help='registered depth of the picture (npy, pfm, 16-bit PNG), dense or sparse, to align '
        'depth to; a folder for several',
    )
    group.add_argument(
        '--depth-unit',
        type=positive_number,
        metavar='M',
        help='value of 1 in files of integers: 0.001 in a RealSense or Kinect, 1/5000 in TUM '
        '(default: 0.001 in a 16-bit PNG; other integers need it)',
    )
    group.add_argument(
        '--points',
        type=Path,
        metavar='FILE',
        help='points (ply, pcd, or bin of KITTI) to align depth to; a folder for several',
    )


def names_measurement(args: argparse.Namespace) -> bool:
    """Say whether an argument names what measures."""
    return bool(_named_files(args) or args.measured_topic)


def measured_sources(
    args: argparse.Namespace, sources: Sequence[ImageSource], stated: Sequence[str]
) -> tuple[str, ...]:
    """Return those of `alignment.source` whose measurements arguments name.

    `stated` are those of the parameters; bags may hold what they take.
    """
    files = _named_files(args)
    are_bags = all(source.kind == 'bag' for source in sources)
    if files:
        return tuple(_FILES[name] for name in files)
    if args.measured_topic and not are_bags:
        raise SettingsError('--measured-topic is for bags alone')
    if args.measured_topic:
        return tuple(measured_topics(args, sources))
    return tuple(name for name in stated if name in HELD) if are_bags else ()


def chosen_measuring(
    args: argparse.Namespace,
    sources: Sequence[ImageSource],
    alignment: AlignmentSettings,
    reading: ReadingSettings,
) -> dict[str, Measuring]:
    """Return what measures the images of the sources, by `alignment.source`.

    Raises:
        SettingsError: It is not for such sources, or what else it needs is missing.
    """
    files = _named_files(args)
    if files:
        return {_FILES[n]: _files(n, args, sources, alignment, reading) for n in files}
    return bag_measuring(args, sources, alignment, matching_settings(args), reading)


def _files(
    name: str,
    args: argparse.Namespace,
    sources: Sequence[ImageSource],
    alignment: AlignmentSettings,
    reading: ReadingSettings,
) -> Measuring:
    """Return what measures pictures by the files that an argument of this name names."""
    if any(source.kind != 'picture' for source in sources):
        flag = name.replace('_', '-')
        raise SettingsError(f'--{flag} is for pictures; bags have --measured-topic')
    pictures = sum(source.count or 0 for source in sources)
    if name in ('right', 'measured_disparity'):
        return stereo_files(args, pictures, reading)
    place: Path = getattr(args, name)
    require_place(place, pictures)
    if name == 'points':
        return PointFiles(place, alignment.pose_of(name) or RigidTransform.identity())
    _say_unit(args, place, 'depth', args.depth_unit)
    return DepthFiles(place, args.depth_unit)


def stereo_files(
    args: argparse.Namespace, pictures: int, reading: ReadingSettings
) -> DisparityMaps | RightPictures:
    """Return what `--right` or `--disparity` says of that many pictures, read so.

    Raises:
        SettingsError: What else it needs is missing.
    """
    place: Path = args.right or args.measured_disparity
    require_place(place, pictures)
    _require_baseline(args.baseline)
    if not (args.focal or args.calibration or args.fov):
        raise SettingsError('--right and --disparity need --focal or --calibration')
    pair = place, args.baseline, args.doffs
    if args.measured_disparity is not None:
        _say_unit(args, place, 'disparity', args.disparity_unit)
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


def matching_settings(args: argparse.Namespace) -> MatchingSettings:
    """Return how right images are matched."""
    return MatchingSettings(num_disparities=args.num_disparities)


def _named_files(args: argparse.Namespace) -> list[str]:
    """Return the arguments that name files which measure pictures."""
    files = [name for name in _FILES if getattr(args, name)]
    if files and args.measured_topic:
        listed = ' and '.join('--' + flag.replace('_', '-') for flag in files)
        raise SettingsError(
            f'{listed} is for pictures and --measured-topic for bags; leave one of them away'
        )
    return files


def _say_unit(
    args: argparse.Namespace, place: Path, quantity: Quantity, unit: float | None
) -> None:
    files = place.glob('*.png') if place.is_dir() else [place]
    if any(file.suffix.lower() == '.png' for file in files):
        said = UNITS[quantity].described(unit)
        say(f'mono_depth {args.command}: {said} (--{quantity}-unit)')


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

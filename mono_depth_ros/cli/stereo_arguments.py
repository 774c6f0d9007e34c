"""Arguments that name disparity or right pictures, as every command that measures pictures has."""

import argparse
from pathlib import Path

from ..core.errors import SettingsError
from ..core.scale.stereo_matching import MatchingSettings
from ..core.settings import described
from ..offline.measuring import DisparityMaps, Measuring, RightPictures, Stereo


def add_stereo_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare what `measuring` reads, but for calibration, fov and max_size."""
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
    group.add_argument('--focal', type=float, default=0.0, metavar='PX', help='focal length [px]')
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


def measuring(args: argparse.Namespace, pictures: int) -> Measuring | None:
    """Return what measures the pictures; None if nothing was named.

    Args:
        args: As parsed.
        pictures: How many there are.

    Raises:
        SettingsError: It lacks a number, or is one file for several pictures.
    """
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
    stereo = Stereo(args.baseline, args.doffs)
    if args.disparity is not None:
        return DisparityMaps(place, stereo, args.disparity_unit)
    matching = MatchingSettings(num_disparities=args.num_disparities)
    return RightPictures(place, stereo, matching, args.max_size)

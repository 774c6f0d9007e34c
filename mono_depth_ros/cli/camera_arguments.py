"""Arguments that say what camera took the images, as every command that reads images has them."""

import argparse
from pathlib import Path


def add_camera_arguments(group: argparse._ArgumentGroup) -> None:
    """Declare `--calibration FILE` and `--no-rectify`."""
    group.add_argument(
        '--calibration',
        type=Path,
        metavar='FILE',
        help='camera_info as YAML, as camera_calibration writes it; in place of that of a bag',
    )
    group.add_argument(
        '--no-rectify',
        action='store_true',
        help='take images as rectified already, whatever their calibration says',
    )

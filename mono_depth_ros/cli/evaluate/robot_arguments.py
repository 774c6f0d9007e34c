"""Arguments about the camera, where it stands, and the costmap."""

import argparse
from pathlib import Path

from ...core.evaluation.costmap import CostmapSettings
from ...core.settings import described
from ..common_arguments import positive_number


def add_robot_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the camera, where it stands, and the costmap."""
    camera = parser.add_argument_group('camera', 'for clouds, obstacles and costmaps')
    camera.add_argument(
        '--calibration',
        type=Path,
        metavar='FILE',
        help='camera_info as YAML, as camera_calibration writes it; in place of that of a bag',
    )
    camera.add_argument(
        '--fov', type=positive_number, metavar='DEG', help='horizontal field of view [deg]'
    )
    camera.add_argument(
        '--camera-height', type=positive_number, metavar='M', help='above the floor [m]'
    )
    camera.add_argument(
        '--camera-pitch',
        type=float,
        default=0.0,
        metavar='RAD',
        help='positive = looking down (default: 0)',
    )
    camera.add_argument(
        '--poses',
        type=Path,
        metavar='FILE',
        help='place of the camera at each moment, in place of height and pitch: lines of stamp '
        '[s], x y z [m] and qx qy qz qw, from its optical frame to a map with the floor at z = 0',
    )
    _add_costmap_arguments(parser.add_argument_group('costmap'))


def _add_costmap_arguments(costmap: argparse._ArgumentGroup) -> None:
    costmap.add_argument(
        '--costmap',
        action='store_true',
        help="mark and clear a costmap by Nav2's rules and compare it with that of the truth; "
        'one for all frames with --poses, else one for each',
    )
    for name, info, default in described(CostmapSettings()):
        costmap.add_argument(
            f'--{name.replace("_", "-")}',
            type=type(default),
            default=default,
            metavar=(info.unit or 'N').upper(),
            help=f'{info.description} (default: {default})',
        )

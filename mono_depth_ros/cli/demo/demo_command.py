"""`mono_depth demo`: arguments, and what is needed before anything can start."""

import argparse
from pathlib import Path

from rich.console import Console

from ...core.errors import MonoDepthError
from ..batch import make_folder, positive_integer

RECORDING = Path('../shared/data/bags/realsense')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare input, output and bounds."""
    parser.add_argument(
        'input',
        nargs='?',
        type=Path,
        default=RECORDING if RECORDING.is_dir() else None,
        help='rosbag2, video or picture to estimate after the simulated drive '
        f'(default: {RECORDING} if it is there)',
    )
    parser.add_argument(
        *('-o', '--output'), type=Path, default=Path('demo_output'), help='folder for the results'
    )
    parser.add_argument(
        '--frames',
        type=positive_integer,
        default=36,
        help='maximum number of frames of each source',
    )
    parser.add_argument(
        '--checkpoint', default='', metavar='FILE', help="other weights for encoder 'tiny'"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 if depth came out that is better than a constant."""
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        raise MonoDepthError(
            f'ROS 2 is needed ({error}): source an installation, or use `make demo`, which '
            'installs its wheels'
        ) from error
    from .demonstration import demonstrate  # needs rclpy

    make_folder(args.output)
    console = Console(markup=False)
    demonstrate(args.input, args.output, args.frames, args.checkpoint, console)
    return 0

"""`mono_depth demo`: arguments, and what is needed before anything can start."""

import argparse
from pathlib import Path

from rich.console import Console

from ...core.errors import MonoDepthError
from ..signals import sigterm_as_ctrl_c

RECORDING = Path('../shared/data/bags/realsense')
"""Used where it lies beside the checkout and nothing else is named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare input, output and bounds."""
    parser.add_argument(
        'input',
        nargs='?',
        type=Path,
        help='rosbag2 or picture to run on after the simulated drive '
        f'(default: {RECORDING} if it is there)',
    )
    parser.add_argument(
        '--output', type=Path, default=Path('demo_output'), help='folder for the results'
    )
    parser.add_argument(
        '--frames', type=_positive, default=60, help='frames to use of each source, at most'
    )
    parser.add_argument(
        '--checkpoint', default='', metavar='FILE', help="other weights for encoder 'tiny'"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 if depth came out that is better than a guess.

    Raises:
        MonoDepthError: It did not, or something is missing.
    """
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        raise MonoDepthError(
            f'ROS 2 is needed ({error}): source an installation, or use `make demo`, which '
            'installs its wheels'
        ) from error
    from .demonstration import Options, demonstrate  # needs rclpy

    recording = args.input
    if recording is None and RECORDING.is_dir():
        recording = RECORDING
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MonoDepthError(f'cannot write to {args.output}: {error}') from error
    with sigterm_as_ctrl_c():
        demonstrate(
            Options(recording, args.output, args.frames, args.checkpoint), Console(markup=False)
        )
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number} is not positive')
    return number

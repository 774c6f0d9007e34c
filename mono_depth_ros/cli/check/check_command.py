"""`mono_depth check`: its arguments and its exit status."""

import argparse

from rich.console import Console

from ...core.errors import MonoDepthError

_LIMIT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the names to look for and the time limit."""
    parser.epilog = 'Exit status: 0 nothing keeps depth from coming, 1 something does, 2 usage.'
    names = (
        ('--node', 'NAME', 'full name of the node (default: found)'),
        ('--image', 'TOPIC', 'image topic, with or without a node on it (default: of the node)'),
        ('--camera-info', 'TOPIC', 'its calibration (default: camera_info beside the image)'),
        ('--fixed-frame', 'FRAME', 'frame that TF must connect the camera to, such as odom'),
    )
    for option, metavar, description in names:
        parser.add_argument(option, default='', metavar=metavar, help=description)
    parser.add_argument(
        '--timeout',
        type=_seconds,
        default=_LIMIT_S,
        metavar='SECONDS',
        help='stop waiting after that (default: %(default)g; ends sooner if all is well)',
    )


def run(args: argparse.Namespace) -> int:
    """Check the running graph and print the findings; return 1 if there is a fault.

    Raises:
        MonoDepthError: There is no ROS here, or several nodes could be meant.
    """
    try:
        from ..observer import observing
        from .examination import Patience, Request, examine
    except ImportError as error:
        raise MonoDepthError(
            f'a running graph can only be looked at with ROS 2, and there is none here ({error}); '
            'source one, or install the wheels in requirements/'
        ) from error
    from .findings import Verdict, print_findings

    console = Console()
    fixed_frame = args.fixed_frame.lstrip('/')
    request = Request(*map(_absolute, (args.node, args.image, args.camera_info)), fixed_frame)
    with observing(args.timeout) as observer, console.status('looking at the graph'):
        findings = examine(observer, request, Patience())
    print_findings(findings, console)
    return int(any(found.verdict is Verdict.FAULT for found in findings))


def _absolute(name: str) -> str:
    return f'/{name.lstrip("/")}' if name else ''


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _LIMIT_S:
        raise argparse.ArgumentTypeError(f'{text}: from more than 0 to {_LIMIT_S:g} seconds')
    return seconds

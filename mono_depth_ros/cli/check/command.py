"""`mono_depth check`: arguments, and the exit status."""

import argparse

from rich.console import Console

from ...core.errors import MonoDepthError

_LIMIT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is looked at."""
    parser.epilog = 'Exit status: 0 nothing keeps depth from coming, 1 something does, 2 usage.'
    parser.add_argument(
        '--node', default='', metavar='NAME', help='full name of the node (default: found)'
    )
    parser.add_argument(
        '--image',
        default='',
        metavar='TOPIC',
        help='image topic to look at, with or without a node on it (default: that of the node)',
    )
    parser.add_argument(
        '--camera-info',
        default='',
        metavar='TOPIC',
        help='its calibration (default: camera_info beside the image)',
    )
    parser.add_argument(
        '--fixed-frame',
        default='',
        metavar='FRAME',
        help='frame that TF must connect the camera to, such as odom or base_link',
    )
    parser.add_argument(
        '--timeout',
        type=_seconds,
        default=_LIMIT_S,
        metavar='SECONDS',
        help='give up waiting after that (default: %(default)g; ends sooner where all is clear)',
    )


def run(args: argparse.Namespace) -> int:
    """Look at the graph and print what is wrong; return 1 if something keeps depth away.

    Raises:
        MonoDepthError: There is no ROS here, or several nodes could be meant.
    """
    try:
        from .examination import Asked, Examination, Patience
        from .observer import observing
    except ImportError as error:
        raise MonoDepthError(
            f'a running graph can only be looked at with ROS 2, and there is none here ({error}); '
            'source one, or install the wheels in requirements/'
        ) from error
    from .finding import Verdict
    from .report import print_findings

    console = Console()
    names = (args.node, args.image, args.camera_info)
    asked = Asked(*map(_absolute, names), args.fixed_frame.lstrip('/'))
    with observing(args.timeout) as observer, console.status('looking at the graph'):
        findings = Examination(observer, asked, Patience()).run()
    print_findings(findings, console)
    return int(any(found.verdict is Verdict.FAULT for found in findings))


def _absolute(name: str) -> str:
    return f'/{name.lstrip("/")}' if name else ''


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _LIMIT_S:
        raise argparse.ArgumentTypeError(f'{text}: from more than 0 to {_LIMIT_S:g} seconds')
    return seconds

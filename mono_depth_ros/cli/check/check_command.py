"""`mono_depth check`: its arguments and its exit status."""

import argparse
from functools import partial

from rich.console import Console

from ...core.errors import MonoDepthError
from .findings import Verdict

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
    parser.add_argument(
        '--report',
        action='store_true',
        help='text for a bug report: versions, machine, middleware, parameters, topics, frames, '
        'diagnostics and log beside the findings, without private names; no node or ROS needed',
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
        if args.report:
            return _report_without_ros(error)
        raise MonoDepthError(
            f'a running graph can only be looked at with ROS 2, and there is none here ({error}); '
            'source one, or install the wheels in requirements/'
        ) from error
    from .findings import print_findings
    from .report import as_text, graph_sections, machine_sections

    fixed_frame = args.fixed_frame.lstrip('/')
    request = Request(*map(_absolute, (args.node, args.image, args.camera_info)), fixed_frame)
    status = Console(stderr=args.report).status('looking at the graph')
    with observing(args.timeout) as observer, status:
        look = partial(examine, observer, request, Patience())
        if args.report:
            sections, findings = graph_sections(observer, request.node, look)
        else:
            findings = look()
    if args.report:
        print(as_text(machine_sections() | sections))
    else:
        print_findings(findings, Console())
    return int(any(found.verdict is Verdict.FAULT for found in findings))


def _report_without_ros(error: ImportError) -> int:
    from .report import as_text, machine_sections

    missing = {'ROS': f'none here, so that no graph can be looked at ({error})'}
    print(as_text(machine_sections() | {'Graph': missing}))
    return 0


def _absolute(name: str) -> str:
    return f'/{name.lstrip("/")}' if name else ''


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= _LIMIT_S:
        raise argparse.ArgumentTypeError(f'{text}: from more than 0 to {_LIMIT_S:g} seconds')
    return seconds

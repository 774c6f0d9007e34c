"""The command line `mono_depth`: one subcommand per module, imported when it is called."""

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

from .. import __version__
from ..core.errors import MonoDepthError

COMMANDS = {
    'benchmark': ('benchmark.benchmark_command', 'how fast networks are here, and which to take'),
    'calibrate': (
        'calibrate.calibrate_command',
        'find the scale of a network for one camera',
    ),
    'check': ('check.check_command', 'say what is wrong with the running graph'),
    'demo': ('demo.demo_command', 'run all of it here, measure it, show it'),
    'evaluate': ('evaluate.evaluate_command', 'judge predicted depth by the truth'),
    'estimate': (
        'estimate',
        'depth of pictures, videos and bags: files, clouds, new bags',
    ),
    'export': ('export', 'one of our networks as an ONNX file'),
    'networks': ('networks', 'list, show and check the cards of other networks'),
    'view': ('view', 'show a cloud or a depth map, in a window or a picture'),
    'weights': ('weights', "list, fetch and check the networks' weights"),
}
"""Name -> (module here with `add_arguments(parser)` and `run(args) -> int`, help)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    0 is done, 1 failed, 2 wrong usage; `estimate` and `evaluate` count what failed.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    args = _parser(arguments[:1]).parse_args(arguments)
    with _interrupts() as interrupts:
        try:
            return int(args.run(args))
        except KeyboardInterrupt:
            pass
        except MonoDepthError as error:
            if not interrupts:
                print(f'mono_depth {args.command}: {error}', file=sys.stderr)
                return 1
        except Exception:
            if not interrupts:
                raise
    print(f'mono_depth {args.command}: stopped', file=sys.stderr)
    return 130


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Yield the signals of Ctrl-C that came: a library may make another exception of one.

    SIGTERM is one too, so that whatever ends a command, it cleans up alike.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    is_main = threading.current_thread() is threading.main_thread()
    usual = (signal.default_int_handler, signal.SIG_DFL)
    noted = [number for number, handler in before.items() if is_main and handler in usual]
    for number in noted:
        signal.signal(number, note)
    try:
        yield came
    finally:
        for number in noted:
            signal.signal(number, before[number])


def _parser(called: list[str]) -> argparse.ArgumentParser:
    """Return the parser with the arguments of the called subcommand only: others cost imports."""
    parser = argparse.ArgumentParser(
        prog='mono_depth', description='Metric depth and colored clouds from a single camera.'
    )
    parser.add_argument('--version', action='version', version=__version__)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, (module, description) in COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        if called == [name]:
            loaded = import_module(f'{__package__}.{module}')
            loaded.add_arguments(command)
            command.set_defaults(run=loaded.run)
    return parser


if __name__ == '__main__':
    sys.exit(main())

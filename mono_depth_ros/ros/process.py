"""Nodes as a process: spun until it is told to stop, with the exit code that says how it went."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import LoggingSeverity
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ..core.errors import MonoDepthError
from ..core.settings import Record
from .guarded_node import GuardedNode
from .parameters import declare

_TURN_S = 5e-4
"""Longest time for which a thread holds the interpreter while another waits for it. With Python's
5 ms the network waits while the executor takes a message: benchmarks/results/live_fusion.md."""


def run(
    name: str, build: Callable[[], Sequence[GuardedNode]], args: list[str] | None = None
) -> int:
    """Run nodes until SIGINT or SIGTERM, which ends the process; return 1 if one cannot be built.

    Args:
        name: Of the process, for the log.
        build: Makes the nodes; may raise `MonoDepthError` or `ParameterException`.
        args: The command line; None is that of the process.
    """
    sys.setswitchinterval(_TURN_S)
    nodes: Sequence[GuardedNode] = ()
    signaled = threading.Event()

    def end(*_: object) -> None:
        signaled.set()
        # From Kilted on rclpy logs an error for a transition that loses its context.
        rclpy.logging.set_logger_level('', LoggingSeverity.FATAL)

    for number in (signal.SIGINT, signal.SIGTERM):
        # rclpy shuts its context down on a signal. An exception on top of that would come up
        # anywhere, even in a destructor, and launch passes on a Ctrl-C that came already.
        signal.signal(number, end)
    try:
        rclpy.init(args=args)
    except Exception as error:  # a private class for each way in which arguments can be wrong
        return _refuse(name, f'{type(error).__name__}: {error}')
    try:
        if not signaled.is_set():  # before rclpy took notice
            nodes = build()
            _spin(nodes)
    except ExternalShutdownException:
        pass
    except (MonoDepthError, ParameterException) as error:
        return _refuse(name, str(error))
    except Exception:
        # A signal takes the context away under whatever callback is at work.
        if rclpy.ok():
            raise
    return _end(nodes)


Options = Mapping[str, Any]
"""Of `rclpy.node.Node`."""


def one_node(namespace: str) -> list[Options]:
    """Return the options of a process with one node, which takes them from the command line."""
    return [{}]


def refuses(
    name: str, defaults: Record, options: Callable[[str], Sequence[Options]] = one_node
) -> bool:
    """Log why the parameters of the command line are invalid; return whether they are.

    Only a node knows which of them are meant for it: one declares them and leaves.

    Args:
        name: Of the nodes.
        defaults: Their parameters.
        options: Of each, from the namespace of the process; may raise `SettingsError`.
    """
    context = rclpy.Context()
    try:
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
        for given in options(process_namespace(context)):
            node = _quiet_node(name, context, **given)
            declare(node, defaults)
            node.destroy_node()
    except (MonoDepthError, ParameterException) as error:
        return bool(_refuse(name, str(error)))
    except Exception as error:  # as in `run`
        return bool(_refuse(name, f'{type(error).__name__}: {error}'))
    finally:
        rclpy.try_shutdown(context=context)
    return False


def process_namespace(context: rclpy.Context | None = None) -> str:
    """Return the namespace that the command line gives to every node, / if none."""
    node = _quiet_node('mono_depth', context)
    namespace = str(node.get_namespace())
    node.destroy_node()
    return namespace


def _quiet_node(name: str, context: rclpy.Context | None, **options: Any) -> Node:
    """Return a node that nobody talks to."""
    quiet = {'enable_rosout': False, 'start_parameter_services': False}
    return Node(name, context=context, **quiet, **options)


def _spin(nodes: Sequence[GuardedNode]) -> None:
    executor = SingleThreadedExecutor()
    for node in nodes:
        executor.add_node(node)
        node.start()
    while rclpy.ok():
        try:
            executor.spin()
        except ExternalShutdownException:
            raise
        except Exception as error:  # a message that cannot be taken, an answer that cannot be sent
            nodes[0].survive('the executor', error)


def _end(nodes: Sequence[GuardedNode]) -> NoReturn:
    """Leave the graph and end the process."""
    # Whoever presses Ctrl-C twice is not answered with a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for node in nodes:
        node.stop()
        node.destroy_node()
    context = rclpy.get_default_context()
    rclpy.try_shutdown()
    context.destroy()
    sys.stdout.flush()
    sys.stderr.flush()
    # Tearing torch down takes a second, and crashes under a kernel or a download still at work.
    os._exit(0)


def _refuse(name: str, reason: str) -> int:
    rclpy.logging.get_logger(name).fatal(reason)
    rclpy.try_shutdown()
    return 1

"""A node as a process: spun until it is told to stop, with the exit code that says how it went."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

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


def run(name: str, build: Callable[[], GuardedNode], args: list[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM, which ends the process; return 1 if it cannot be built.

    Args:
        name: Of the node, for the log.
        build: Makes the node; may raise `MonoDepthError` or `ParameterException`.
        args: The command line; None is that of the process.
    """
    node = None
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
            node = build()
            _spin(node)
    except ExternalShutdownException:
        pass
    except (MonoDepthError, ParameterException) as error:
        return _refuse(name, str(error))
    except Exception:
        # A signal takes the context away under whatever callback is at work.
        if rclpy.ok():
            raise
    return _end(node)


def refuses(name: str, defaults: Record) -> bool:
    """Log why the parameters of the command line are invalid; return whether they are.

    Only a node knows which of them are meant for it: one declares them and leaves.
    """
    context = rclpy.Context()
    try:
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
        node = Node(name, context=context, enable_rosout=False, start_parameter_services=False)
        declare(node, defaults)
        node.destroy_node()
    except (MonoDepthError, ParameterException) as error:
        return bool(_refuse(name, str(error)))
    except Exception as error:  # as in `run`
        return bool(_refuse(name, f'{type(error).__name__}: {error}'))
    finally:
        rclpy.try_shutdown(context=context)
    return False


def _spin(node: GuardedNode) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.start()
    while rclpy.ok():
        try:
            executor.spin()
        except ExternalShutdownException:
            raise
        except Exception as error:  # a message that cannot be taken, an answer that cannot be sent
            node.survive('the executor', error)


def _end(node: GuardedNode | None) -> NoReturn:
    """Leave the graph and end the process."""
    # Whoever presses Ctrl-C twice is not answered with a traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if node is not None:
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

"""The commands of the nodes, so light that a signal during the long imports ends them quietly."""

import os
import signal
import sys
from importlib import import_module


def mono_depth_node() -> int:
    """Run the node `mono_depth`, whose parameters are judged before torch is imported."""
    _end_on_signals()
    from .node_settings import NodeSettings
    from .process import refuses

    return 1 if refuses('mono_depth', NodeSettings()) else _run('node')


def mono_depth_cameras() -> int:
    """Run a node `mono_depth` for each of several cameras, with one network for all."""
    _end_on_signals()
    from .camera_list import cameras_of
    from .node_settings import NodeSettings
    from .process import refuses

    is_refused = refuses(
        'mono_depth',
        NodeSettings(),
        lambda namespace: [camera.node_options(namespace) for camera in cameras_of(sys.argv)],
    )
    return 1 if is_refused else _run('cameras')


def simulated_stereo_camera() -> int:
    """Run the node `simulated_stereo_camera`."""
    _end_on_signals()
    return _run('simulated_camera')


def _end_on_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        # There is nothing to put in order yet, and an exception inside an import is a traceback.
        signal.signal(number, lambda *_: os._exit(0))


def _run(module: str) -> int:
    """Import a module, which takes seconds, and return what its `main` does."""
    return int(import_module(f'.{module}', __package__).main())

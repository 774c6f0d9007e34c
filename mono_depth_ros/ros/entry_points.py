"""The commands of the nodes, so light that a signal during the long imports ends them quietly."""

import os
import signal
from importlib import import_module


def mono_depth_node() -> int:
    """Run the node `mono_depth`."""
    return _run('node')


def simulated_stereo_camera() -> int:
    """Run the node `simulated_stereo_camera`."""
    return _run('simulated_camera')


def _run(module: str) -> int:
    """Import a module, which takes seconds, and return what its `main` does."""
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        # There is nothing to put in order yet, and an exception inside an import is a traceback.
        signal.signal(number, lambda *_: os._exit(0))
    main = import_module(f'.{module}', __package__).main
    return int(main())

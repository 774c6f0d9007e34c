"""Metric depth and coloured clouds from a single camera, for ROS 2 and without it.

`MonoDepth` is the way in from Python; docs/python.md shows it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.camera import PinholeCamera as PinholeCamera
    from .mono_depth import Depth as Depth
    from .mono_depth import MonoDepth as MonoDepth

__version__ = '0.1.0'

_HOMES = {'Depth': 'mono_depth', 'MonoDepth': 'mono_depth', 'PinholeCamera': 'core.camera'}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: torch costs seconds."""
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(f'.{_HOMES[name]}', __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])

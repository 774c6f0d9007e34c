"""Metric depth and colored clouds from a single camera, for ROS 2 and without it.

Everything that is public comes from here; docs/python.md shows how to use it. `MonoDepth` turns
images into depth, the records named `...Settings` configure it, `main` is the command line.
"""

from os import environ as _environ
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cli.main import main as main
    from .core.camera.calibration import CameraCalibration as CameraCalibration
    from .core.camera.pinhole import PinholeCamera as PinholeCamera
    from .core.errors import AlignmentError as AlignmentError
    from .core.errors import CalibrationError as CalibrationError
    from .core.errors import ImageError as ImageError
    from .core.errors import MonoDepthError as MonoDepthError
    from .core.errors import PointsError as PointsError
    from .core.files.depth_files import read_map as read_map
    from .core.files.file_writers import write_depth_png as write_depth_png
    from .core.files.file_writers import write_npy as write_npy
    from .core.files.file_writers import write_ply as write_ply
    from .core.files.point_files import read_points as read_points
    from .core.outputs.output_settings import ClearingSettings as ClearingSettings
    from .core.outputs.output_settings import CloudSettings as CloudSettings
    from .core.outputs.output_settings import ColormapSettings as ColormapSettings
    from .core.outputs.output_settings import EdgeFilterSettings as EdgeFilterSettings
    from .core.pipeline_settings import PipelineSettings as PipelineSettings
    from .core.scale.scale_settings import AlignmentSettings as AlignmentSettings
    from .core.scale.stereo_matching import MatchingSettings as MatchingSettings
    from .core.scale.stereo_matching import match_disparity as match_disparity
    from .core.types import AffineScale as AffineScale
    from .depth import Depth as Depth
    from .mono_depth import MonoDepth as MonoDepth

__version__ = '0.1.0'

# Threads of torch spin while they wait, and where another process has one of the cores, they take
# the time of the thread that they wait for: 3.7 times as slow (benchmarks/results/backends.md).
# Read when torch is imported; what the user has set stays.
_environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

_MODULES = {
    'cli.main': ('main',),
    'core.camera.calibration': ('CameraCalibration',),
    'core.camera.pinhole': ('PinholeCamera',),
    'core.errors': (
        'AlignmentError',
        'CalibrationError',
        'ImageError',
        'MonoDepthError',
        'PointsError',
    ),
    'core.files.depth_files': ('read_map',),
    'core.files.file_writers': ('write_depth_png', 'write_npy', 'write_ply'),
    'core.files.point_files': ('read_points',),
    'core.outputs.output_settings': ('ClearingSettings',),
    'core.outputs.cloud': ('CloudSettings',),
    'core.outputs.colormap': ('ColormapSettings',),
    'core.outputs.edge_filter': ('EdgeFilterSettings',),
    'core.pipeline_settings': ('PipelineSettings',),
    'core.scale.scale_settings': ('AlignmentSettings',),
    'core.scale.stereo_matching': ('MatchingSettings', 'match_disparity'),
    'core.types': ('AffineScale',),
    'depth': ('Depth',),
    'mono_depth': ('MonoDepth',),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: torch takes seconds."""
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(f'.{_HOMES[name]}', __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])

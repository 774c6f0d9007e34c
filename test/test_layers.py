"""Imports point downwards only, between the layers of the package and the rooms of core/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'mono_depth_ros'

# What a file of each layer may import of this package.
LAYERS: dict[str, set[str]] = {
    'core': {'core'},
    'simulation': {'core', 'simulation'},
    'offline': {'core', 'offline'},
    'cli': {'core', 'simulation', 'offline', 'ros', 'cli'},
    'ros': {'core', 'simulation', 'ros'},
}
# What a file of each room of core/ may import of core/. The base are the files beside the rooms;
# files/ and network/ know nothing of each other.
_BELOW_SCALE = {'base', 'camera', 'files', 'network'}
ROOMS: dict[str, set[str]] = {
    'base': {'base'},
    'camera': {'base', 'camera'},
    'files': {'base', 'camera', 'files'},
    'network': {'base', 'camera', 'network'},
    'scale': {*_BELOW_SCALE, 'scale'},
    'outputs': {*_BELOW_SCALE, 'scale', 'outputs'},
    'evaluation': {*_BELOW_SCALE, 'scale', 'outputs', 'evaluation'},
    'top': {*_BELOW_SCALE, 'scale', 'outputs', 'evaluation', 'top'},
}
TOP = ('pipeline', 'pipeline_settings')
WITHOUT_ROS = ('core', 'simulation', 'offline')
ROS_LIBRARIES = {'cv_bridge', 'sensor_msgs_py', 'message_filters', 'launch', 'launch_ros'}


def is_ros(module: str) -> bool:
    """Tell whether a module comes with a ROS installation only."""
    top = module.split('.')[0]
    return (
        top in ROS_LIBRARIES
        or top.startswith(('rclpy', 'tf2_', 'ament_', 'rcl_', 'rosidl_'))
        or top.endswith(('_msgs', '_srvs', '_interfaces'))
    )


def imported(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield the absolute name of every module that `module` imports, wherever in the file."""
    base = module.split('.') if is_package else module.split('.')[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = base[: len(base) - node.level + 1] if node.level else []
            stem = '.'.join([*parents, *([node.module] if node.module else [])])
            yield from (f'{stem}.{alias.name}' for alias in node.names)


def violations(layer: str, source: str, module: str, is_package: bool = False) -> list[str]:
    """List the imports of one file that its layer does not allow."""
    found = []
    for name in imported(source, module, is_package):
        parts = name.split('.')
        if parts[0] == PACKAGE and len(parts) > 1 and parts[1] in LAYERS:
            allowed = parts[1] in LAYERS[layer]
        else:
            allowed = not (layer in WITHOUT_ROS and is_ros(name))
        if not allowed:
            found.append(f'{module} imports {name}')
    return found


@pytest.mark.parametrize('layer', LAYERS)
def test_layer_imports_only_what_lies_below(layer: str) -> None:
    files = sorted((ROOT / PACKAGE / layer).rglob('*.py'))
    assert files, f'no file in {PACKAGE}/{layer}: the rule would hold for nothing'
    found = []
    for path in files:
        parts = path.relative_to(ROOT).with_suffix('').parts
        is_package = parts[-1] == '__init__'
        module = '.'.join(parts[:-1] if is_package else parts)
        found += violations(layer, path.read_text(), module, is_package)
    assert found == []


@pytest.mark.parametrize(
    ('layer', 'source'),
    [
        ('core', 'import rclpy'),
        ('core', 'from sensor_msgs.msg import Image'),
        ('core', 'def f():\n    from cv_bridge import CvBridge'),
        ('core', 'from ..ros import node'),
        ('core', 'from ..ros.node import MonoDepthNode'),
        ('core', 'from mono_depth_ros.simulation import scene'),
        ('simulation', 'import mono_depth_ros.ros.node'),
        ('simulation', 'from rclpy.node import Node'),
        ('ros', 'from mono_depth_ros import cli'),
        ('offline', 'from sensor_msgs.msg import Image'),
        ('offline', 'from ..ros.images import image_to_rgb'),
    ],
)
def test_rule_sees_a_breach(layer: str, source: str) -> None:
    assert len(violations(layer, source, f'{PACKAGE}.{layer}.example')) == 1


@pytest.mark.parametrize(
    ('layer', 'source'),
    [
        ('core', 'from . import errors\nfrom .types import PinholeCamera\nimport numpy'),
        ('simulation', 'from ..core.camera import ray_grid\nimport torch'),
        ('ros', 'import rclpy\nfrom ..core import pipeline'),
        ('cli', 'from ..simulation import scene'),
        ('offline', 'from ..core.messages.images import image_to_rgb\nimport rosbags'),
    ],
)
def test_rule_allows_what_lies_below(layer: str, source: str) -> None:
    assert violations(layer, source, f'{PACKAGE}.{layer}.example') == []


def room(module: str) -> str:
    """Return the room of core/ that a module, or a name in one, belongs to; '' for none."""
    parts = module.split('.')
    if parts[:2] != [PACKAGE, 'core'] or len(parts) < 3:
        return ''
    if parts[2] in ROOMS:
        return parts[2]
    return 'top' if parts[2] in TOP else 'base'


def room_violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """List the imports of one file of core/ that its room does not allow."""
    allowed = ROOMS[room(module)] | {''}
    names = imported(source, module, is_package)
    return [f'{module} imports {name}' for name in names if room(name) not in allowed]


def test_rooms_are_those_that_there_are() -> None:
    folders = {path.parent.name for path in (ROOT / PACKAGE / 'core').glob('*/__init__.py')}
    assert folders == ROOMS.keys() - {'base', 'top'}
    assert all((ROOT / PACKAGE / 'core' / f'{name}.py').exists() for name in TOP)


def test_room_imports_only_what_lies_below() -> None:
    found = []
    for path in sorted((ROOT / PACKAGE / 'core').rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        is_package = parts[-1] == '__init__'
        module = '.'.join(parts[:-1] if is_package else parts)
        if room(module):
            found += room_violations(path.read_text(), module, is_package)
    assert found == []


@pytest.mark.parametrize(
    ('module', 'source'),
    [
        ('errors', 'from .camera import pinhole'),
        ('types', 'from .pipeline import Output'),
        ('camera.mask', 'from ..pipeline_settings import PipelineSettings'),
        ('camera.mask', 'def f():\n    from .. import pipeline'),
        ('files.npy', 'from ..network.estimator import Estimator'),
        ('network.cards', 'import mono_depth_ros.core.files.npy'),
        ('network.checkpoints.table', 'from ...scale.fitting import fit_robust'),
        ('scale.fitting', 'from mono_depth_ros.core.outputs import cloud'),
        ('outputs.cloud', 'from ..evaluation.metrics import depth_metrics'),
        ('evaluation.metrics', 'from ..pipeline import Pipeline'),
    ],
)
def test_rule_of_rooms_sees_a_breach(module: str, source: str) -> None:
    assert len(room_violations(source, f'{PACKAGE}.core.{module}')) == 1


@pytest.mark.parametrize(
    ('module', 'source'),
    [
        ('errors', 'import math\nfrom . import types'),
        ('camera.mask', 'from . import pinhole\nfrom ..errors import ImageError'),
        ('files.npy', 'from ..camera.pinhole import PinholeCamera'),
        ('network.checkpoints.table', 'from ...errors import CheckpointError\nimport torch'),
        ('scale.fitting', 'from ..files import depth_messages\nfrom ..network import estimator'),
        ('outputs.cloud', 'from ..types import AffineScale\nfrom . import colormap'),
        ('evaluation.metrics', 'from ..outputs.edge_filter import remove_flying_pixels'),
        ('pipeline', 'from . import pipeline_settings\nfrom .scale import fitting'),
    ],
)
def test_rule_of_rooms_allows_what_lies_below(module: str, source: str) -> None:
    assert room_violations(source, f'{PACKAGE}.core.{module}') == []


DEEP_IMPORT = re.compile(rf'(?:from|import)[ \t]+{PACKAGE}\.')


@pytest.mark.parametrize('pattern', ['README.md', 'docs/**/*.md', 'examples/*.py'])
def test_docs_and_examples_import_the_package_itself_only(pattern: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    assert paths
    texts = {path.name: path.read_text() for path in paths}
    assert [name for name, text in texts.items() if DEEP_IMPORT.search(text)] == []


@pytest.mark.parametrize(
    ('line', 'is_deep'),
    [
        ('from mono_depth_ros import MonoDepth', False),
        ('import mono_depth_ros', False),
        ('    from mono_depth_ros.core.types import AffineScale', True),
        ('import mono_depth_ros.core', True),
        ('python -m mono_depth_ros.cli.main', False),
    ],
)
def test_rule_of_the_public_door(line: str, is_deep: bool) -> None:
    assert bool(DEEP_IMPORT.search(line)) is is_deep

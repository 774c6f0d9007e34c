"""Imports point downwards only: ros and cli on top, then simulation and offline, then core."""

import ast
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

"""The examples for laser robots: the laser by a layer of its own, and our clouds beside it."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Graph
from test_nav2_config import STVL, STVL_SOURCE, VOXEL_LAYER, VOXEL_SOURCE, layer_of

from mono_depth_ros.offline.parameter_files import read_parameters
from mono_depth_ros.ros.node_settings import NodeSettings
from mono_depth_ros.ros.robot_recipes import RECIPES

CONFIG = Path(__file__).resolve().parents[2] / 'config'
FILES = {
    'nav2_laser_robot.yaml': ('voxel_layer', VOXEL_LAYER, VOXEL_SOURCE),
    'stvl_laser_robot.yaml': ('stvl_layer', STVL, STVL_SOURCE),
}
# ObstacleLayer::onInitialize declares these of what VoxelLayer::onInitialize does.
OBSTACLE_LAYER = {
    *('combination_method', 'enabled', 'footprint_clearing_enabled', 'observation_sources'),
    *('min_obstacle_height', 'max_obstacle_height'),
}
MAX = 1


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def require_declared(
    file: str, layer: str, of_layer: dict[str, type], of_source: dict[str, type]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    own, sources = layer_of(file, layer)
    assert own.pop('plugin')
    assert {key: type(value) for key, value in own.items()}.items() <= of_layer.items()
    for source in sources.values():
        assert {key: type(value) for key, value in source.items()}.items() <= of_source.items()
    return own, sources


def test_the_laser_marks_and_clears_by_its_own_layer(file: str) -> None:
    declared = {name: VOXEL_LAYER[name] for name in OBSTACLE_LAYER}
    layer, sources = require_declared(file, 'obstacle_layer', declared, VOXEL_SOURCE)
    (laser,) = sources.values()
    assert (laser['data_type'], laser['topic']) == ('LaserScan', '/scan')
    assert laser['marking']
    assert laser['clearing']
    assert laser['obstacle_max_range'] < laser['raytrace_max_range']
    assert layer['combination_method'] == MAX


def test_our_clouds_are_added_to_it(file: str) -> None:
    name, of_layer, of_source = FILES[file]
    costmap = yaml.safe_load((CONFIG / file).read_text())['local_costmap']['local_costmap']
    plugins = ['obstacle_layer', name, 'inflation_layer']
    assert costmap['ros__parameters']['plugins'] == plugins
    layer, sources = require_declared(file, name, of_layer, of_source)
    marking, clearing = sources.values()
    assert (marking['topic'], clearing['topic']) == (
        '/mono_depth/points',
        '/mono_depth/points_clearing',
    )
    assert (marking['marking'], marking['clearing']) == (True, False)
    assert (clearing['marking'], clearing['clearing']) == (False, True)
    assert layer['combination_method'] == MAX, 'it would erase what the laser has marked'
    assert 0 < marking['expected_update_rate'] < layer.get('voxel_decay', math.inf)


def test_what_marks_is_cleared(file: str) -> None:
    name, _, _ = FILES[file]
    layer, sources = layer_of(file, name)
    marking, clearing = sources.values()
    ours = NodeSettings().pipeline.clearing.range
    if name == 'stvl_layer':
        assert marking['obstacle_range'] < clearing['max_z'] == ours
        assert clearing['clear_after_reading']
        assert clearing['expected_update_rate'] == clearing['observation_persistence'] == 0
    else:
        assert marking['obstacle_max_range'] < clearing['raytrace_max_range'] == ours
        top = layer['origin_z'] + layer['z_voxels'] * layer['z_resolution']
        assert marking['max_obstacle_height'] <= layer['max_obstacle_height'] <= top
        assert clearing['min_obstacle_height'] < 0 < top < clearing['max_obstacle_height']
        assert clearing['expected_update_rate'] > 0


@pytest.mark.parametrize('name', sorted(RECIPES))
def test_the_node_takes_the_file_of_a_robot(graph: Graph, weights: Path, name: str) -> None:
    path = CONFIG / f'{name}.yaml'
    told = read_parameters(path)
    # The embedded network has no variant for streets; a floor needs the height of the camera.
    parameters = {
        'encoder': 'tiny',
        'variant': 'auto',
        'checkpoint': str(weights),
        'alignment.camera_height': 0.3,
    }
    node = graph.start({**parameters, 'autostart': False}, '--params-file', str(path))
    for parameter, value in told.items():
        if parameter not in parameters:
            assert node.get(parameter) == value, parameter
    assert told['alignment.source'].partition(',')[0] in {'scan', 'points'}
    assert told['rectify'], 'drivers publish raw images'
    node.close()

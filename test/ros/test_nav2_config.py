"""The examples for Nav2 say what its layers declare, about topics that the node has."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import Graph
from sensor_msgs.msg import PointCloud2

from mono_depth_ros.ros.node_settings import NodeSettings

CONFIG = Path(__file__).resolve().parents[2] / 'config'

# ObstacleLayer::onInitialize and VoxelLayer::onInitialize of nav2_costmap_2d, what Humble, Jazzy,
# Kilted and main have in common.
VOXEL_LAYER: dict[str, type] = {
    'combination_method': int,
    'enabled': bool,
    'footprint_clearing_enabled': bool,
    'mark_threshold': int,
    'max_obstacle_height': float,
    'min_obstacle_height': float,
    'observation_sources': str,
    'origin_z': float,
    'publish_voxel_map': bool,
    'unknown_threshold': int,
    'z_resolution': float,
    'z_voxels': int,
}
VOXEL_SOURCE: dict[str, type] = {
    'clearing': bool,
    'data_type': str,
    'expected_update_rate': float,
    'inf_is_valid': bool,
    'marking': bool,
    'max_obstacle_height': float,
    'min_obstacle_height': float,
    'observation_persistence': float,
    'obstacle_max_range': float,
    'obstacle_min_range': float,
    'raytrace_max_range': float,
    'raytrace_min_range': float,
    'sensor_frame': str,
    'topic': str,
}
# SpatioTemporalVoxelLayer::onInitialize, branch ros2 at 403d9ed.
STVL: dict[str, type] = {
    'combination_method': int,
    'decay_model': int,
    'enabled': bool,
    'map_save_duration': float,
    'mapping_mode': bool,
    'mark_threshold': int,
    'observation_sources': str,
    'publish_voxel_map': bool,
    'track_unknown_space': bool,
    'transform_tolerance': float,
    'update_footprint_enabled': bool,
    'voxel_decay': float,
    'voxel_size': float,
}
STVL_SOURCE: dict[str, type] = {
    'clear_after_reading': bool,
    'clearing': bool,
    'data_type': str,
    'decay_acceleration': float,
    'enabled': bool,
    'expected_update_rate': float,
    'filter': str,
    'horizontal_fov_angle': float,
    'inf_is_valid': bool,
    'marking': bool,
    'max_obstacle_height': float,
    'max_z': float,
    'min_obstacle_height': float,
    'min_z': float,
    'model_type': int,
    'observation_persistence': float,
    'obstacle_range': float,
    'sensor_frame': str,
    'topic': str,
    'vertical_fov_angle': float,
    'vertical_fov_padding': float,
    'voxel_min_points': int,
}
# GroundConsistencyLayer::onInitialize, main at 41cec62.
GROUND_LAYER: dict[str, type] = {
    'discretize_costs': bool,
    'enable_kpi_logging': bool,
    'footprint_clearing_enabled': bool,
    'ground_decay': float,
    'ground_inc': float,
    'ground_neighbor_search_cells': int,
    'ground_points_topic': str,
    'max_data_range': float,
    'max_score': float,
    'maximum_height_filter': float,
    'min_clearance': float,
    'nonground_decay': float,
    'nonground_inc': float,
    'nonground_occ_thresh': float,
    'nonground_points_topic': str,
    'nonground_prob_thresh': float,
    'robot_height': float,
    'tf_timeout': float,
}
LAYERS = [
    ('nav2_voxel_layer.yaml', 'voxel_layer', VOXEL_LAYER, VOXEL_SOURCE),
    ('stvl.yaml', 'stvl_layer', STVL, STVL_SOURCE),
]


def layer_of(file: str, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return a layer's own parameters, and those of its sources by name."""
    costmap = yaml.safe_load((CONFIG / file).read_text())['local_costmap']['local_costmap']
    layer = costmap['ros__parameters'][name]
    sources = layer['observation_sources'].split()
    own = {key: value for key, value in layer.items() if key not in sources}
    assert not any(isinstance(value, dict) for value in own.values())
    return own, {source: layer[source] for source in sources}


@pytest.mark.parametrize(('file', 'name', 'declared', 'of_sources'), LAYERS)
def test_parameters_have_names_and_types_that_the_layer_declares(
    file: str, name: str, declared: dict[str, type], of_sources: dict[str, type]
) -> None:
    layer, sources = layer_of(file, name)
    assert layer.pop('plugin')
    assert {key: type(value) for key, value in layer.items()}.items() <= declared.items()
    for source in sources.values():
        assert {key: type(value) for key, value in source.items()}.items() <= of_sources.items()


@pytest.mark.parametrize(('file', 'name'), [layer[:2] for layer in LAYERS])
def test_one_source_marks_and_another_clears_topics_of_the_node(
    file: str, name: str, graph: Graph, weights: Path
) -> None:
    _, sources = layer_of(file, name)
    marking, clearing = sources.values()
    assert (marking['marking'], marking['clearing']) == (True, False)
    assert (clearing['marking'], clearing['clearing']) == (False, True)
    node = graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    ).until('active')
    kinds = {p.topic_name: p.msg_type for p in node.node.publishers}
    for source in (marking, clearing):
        assert kinds[node.namespace + source['topic']] == PointCloud2
    node.close()


def test_ground_layer_reads_our_clouds_by_parameters_that_it_has(
    graph: Graph, weights: Path
) -> None:
    file = yaml.safe_load((CONFIG / 'nav2_ground_layer.yaml').read_text())
    costmap = file['local_costmap']['local_costmap']['ros__parameters']
    layer = costmap['ground_consistency_layer']
    assert layer.pop('plugin').endswith('::GroundConsistencyLayer')
    assert {key: type(value) for key, value in layer.items()}.items() <= GROUND_LAYER.items()
    # What is in neither cloud stays unknown, and nothing is overwritten.
    assert costmap['track_unknown_space'] is True
    assert costmap['plugins'][0] == 'ground_consistency_layer'
    ours = NodeSettings().pipeline.ground
    assert layer['min_clearance'] > ours.tolerance
    # A stray point or two must not be enough for an obstacle.
    assert layer['nonground_occ_thresh'] / layer['nonground_inc'] >= 3
    # It cuts by the cloud's own z, which for an optical frame is the distance ahead.
    assert layer['maximum_height_filter'] > NodeSettings().pipeline.max_depth
    node = graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    ).until('active')
    kinds = {p.topic_name: p.msg_type for p in node.node.publishers}
    for name in ('ground_points_topic', 'nonground_points_topic'):
        assert kinds[node.namespace + layer[name]] == PointCloud2
    node.close()


def test_voxel_layer_clears_whatever_it_marks() -> None:
    layer, sources = layer_of('nav2_voxel_layer.yaml', 'voxel_layer')
    marking, clearing = sources.values()
    assert layer['z_voxels'] <= 16
    top = layer['origin_z'] + layer['z_voxels'] * layer['z_resolution']
    assert marking['max_obstacle_height'] <= layer['max_obstacle_height'] <= top
    assert clearing['min_obstacle_height'] < 0 < top < clearing['max_obstacle_height']
    assert marking['obstacle_max_range'] < clearing['raytrace_max_range']
    ours = NodeSettings().pipeline.clearing
    assert clearing['raytrace_max_range'] == ours.range
    # Rays leave no cell of 5 cm out where there may be obstacles.
    assert marking['obstacle_max_range'] * math.radians(ours.spacing_deg) < 0.05
    assert marking['expected_update_rate'] > 0
    assert clearing['expected_update_rate'] > 0


def test_stvl_stops_before_it_forgets() -> None:
    layer, sources = layer_of('stvl.yaml', 'stvl_layer')
    marking, clearing = sources.values()
    assert 0 < marking['expected_update_rate'] < layer['voxel_decay']
    assert marking['obstacle_range'] < clearing['max_z']
    assert clearing['max_z'] == NodeSettings().pipeline.clearing.range
    # MeasurementBuffer::BufferROSCloud returns early for a source that only clears.
    assert clearing['expected_update_rate'] == clearing['observation_persistence'] == 0
    assert clearing['clear_after_reading']


def test_node_takes_what_the_tutorial_tells_its_network(graph: Graph, weights: Path) -> None:
    file = CONFIG / 'nav2_depth.yaml'
    told = yaml.safe_load(file.read_text())['/**']['ros__parameters']
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'autostart': False,
    }
    node = graph.start(parameters, '--params-file', str(file))
    assert told == {
        'input_size': node.get('input_size'),
        'cloud': {'stride': node.get('cloud.stride')},
    }
    node.close()


def test_node_takes_what_marks_by_stereo() -> None:
    file = CONFIG / 'nav2_stereo.yaml'
    told = yaml.safe_load(file.read_text())['/**']['ros__parameters']
    assert set(told) == {'uncertainty_limit'}
    settings = NodeSettings()
    limited = replace(settings.pipeline, uncertainty_limit=told['uncertainty_limit'])
    assert limited.uncertainty_limit == 0.05

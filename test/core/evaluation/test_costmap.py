"""Marking and clearing by Nav2's rules; test_clearing_voxels.py replays our two clouds."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.evaluation.costmap import (
    FREE,
    LETHAL,
    NO_INFORMATION,
    CostmapSettings,
    VoxelLayer,
    near_cells,
)

CONFIG = Path(__file__).resolve().parents[3] / 'config/nav2_voxel_layer.yaml'
ORIGIN = np.array((0.01, 0.01, 0.4))


def cost(layer: VoxelLayer, x: float, y: float = 0.0) -> int:
    return int(layer.cost[layer.cell(x, y)])


def at(*points: tuple[float, float, float]) -> np.ndarray:
    return np.array(points)


def test_defaults_are_those_of_the_example_for_nav2() -> None:
    root = yaml.safe_load(CONFIG.read_text())['local_costmap']['local_costmap']
    layer = root['ros__parameters']['voxel_layer']
    marking, clearing = (layer[name] for name in layer['observation_sources'].split())
    ours = CostmapSettings()
    for name in (
        *('min_obstacle_height', 'max_obstacle_height'),
        *('obstacle_min_range', 'obstacle_max_range'),
    ):
        assert getattr(ours, name) == marking[name], name
    assert ours.raytrace_max_range == clearing['raytrace_max_range']
    assert (ours.z_resolution, ours.z_voxels) == (layer['z_resolution'], layer['z_voxels'])
    # What is left out has no effect at these values.
    assert layer['origin_z'] == layer['mark_threshold'] == clearing['raytrace_min_range'] == 0
    top = ours.z_resolution * ours.z_voxels
    assert clearing['min_obstacle_height'] < 0 < top < clearing['max_obstacle_height']
    assert layer['min_obstacle_height'] <= marking['min_obstacle_height']
    assert layer['max_obstacle_height'] >= marking['max_obstacle_height']


@pytest.mark.parametrize(
    ('point', 'marks'),
    [
        ((2.0, 0.0, 0.4), True),
        ((2.0, 0.0, 0.14), False),
        ((2.0, 0.0, 0.16), True),
        ((2.0, 0.0, 1.49), True),
        ((2.0, 0.0, 1.51), False),
        ((0.25, 0.0, 0.4), False),
        ((0.35, 0.0, 0.4), True),
        ((3.48, 0.0, 0.4), True),
        ((3.52, 0.0, 0.4), False),
        ((9.0, 0.0, 0.4), False),
    ],
)
def test_heights_and_ranges_mark(point: tuple[float, float, float], marks: bool) -> None:
    layer = VoxelLayer()
    layer.mark(at(point), ORIGIN)
    assert layer.lethal.sum() == marks
    if marks:
        assert cost(layer, point[0]) == LETHAL


def test_a_ray_clears_up_to_two_cells_before_its_end() -> None:
    layer = VoxelLayer()
    layer.mark(at((1.02, 0.0, 0.4), (1.92, 0.0, 0.4), (2.02, 0.0, 0.4)), ORIGIN)
    layer.clear(at((2.02, 0.01, 0.4)), ORIGIN)
    assert cost(layer, 1.02) == FREE
    assert [cost(layer, x) for x in (1.97, 2.02)] == [NO_INFORMATION, LETHAL]
    assert cost(layer, 0.5, 0.5) == NO_INFORMATION


def test_a_cell_is_free_when_its_last_voxel_is() -> None:
    layer = VoxelLayer()
    layer.mark(at((1.02, 0.0, 0.45), (1.02, 0.0, 0.25)), ORIGIN)
    high, low = at((3.0, 0.01, 0.4)), at((2.0, 0.01, 0.0))
    layer.clear(high, ORIGIN)
    assert cost(layer, 1.02) == LETHAL
    layer.clear(np.concatenate((low, high)), ORIGIN)
    assert cost(layer, 1.02) == FREE


def test_rays_end_at_their_maximum_and_at_the_edge_of_the_map() -> None:
    short = VoxelLayer(CostmapSettings(raytrace_max_range=1.0))
    short.clear(at((4.0, 0.01, 0.4)), ORIGIN)
    assert [cost(short, x) for x in (0.98, 1.12)] == [FREE, NO_INFORMATION]
    layer = VoxelLayer()
    layer.clear(at((90.0, 0.01, 0.4), (-90.0, 0.01, 90.0), (0.01, 6.0, -3.0)), ORIGIN)
    assert [cost(layer, x) for x in (4.9, 5.2)] == [FREE, NO_INFORMATION]
    assert (layer.cost == FREE).sum() > 100


@pytest.mark.parametrize('origin', [(0.0, 0.0, 1.7), (0.0, 0.0, -0.1), (7.0, 0.0, 0.4)])
def test_a_sensor_outside_the_grid_clears_nothing(origin: tuple[float, float, float]) -> None:
    layer = VoxelLayer()
    layer.clear(at((2.0, 0.0, 0.4)), np.array(origin))
    assert (layer.cost == NO_INFORMATION).all()


def test_no_points_change_nothing() -> None:
    layer = VoxelLayer()
    layer.clear(np.zeros((0, 3)), ORIGIN)
    layer.mark(np.zeros((0, 3)), ORIGIN)
    layer.clear(ORIGIN[None], ORIGIN)
    assert (layer.cost != NO_INFORMATION).sum() <= 1


def test_the_map_begins_and_ends_where_it_is_told() -> None:
    layer = VoxelLayer(low=(1.0, -2.0), high=(3.0, -1.0))
    assert layer.cost.shape == (40, 20)
    origin = np.array((1.5, -1.5, 0.4))
    layer.mark(at((2.02, -1.52, 0.4), (3.02, -1.52, 0.4), (0.9, -1.5, 0.4)), origin)
    assert np.argwhere(layer.lethal).tolist() == [[20, 9]]


@pytest.mark.parametrize('high', [(6000.0, 1.0), (-1.0, 1.0)])
def test_a_map_of_no_size_or_too_large_is_refused(high: tuple[float, float]) -> None:
    with pytest.raises(SettingsError, match='1 to 5000 along each side'):
        VoxelLayer(low=(0.0, 0.0), high=high)


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(SettingsError, match='raise max_obstacle_height'):
        CostmapSettings(min_obstacle_height=2.0)
    with pytest.raises(SettingsError, match='raise obstacle_max_range'):
        CostmapSettings(obstacle_min_range=4.0)


def test_near_cells_are_within_ten_centimeters() -> None:
    cells = np.zeros((9, 9), bool)
    cells[4, 4] = True
    x, y = np.mgrid[-4:5, -4:5]
    assert (near_cells(cells, 0.05) == (x**2 + y**2 <= 4)).all()
    assert near_cells(cells, 0.025).sum() > near_cells(cells, 0.05).sum()
    assert not near_cells(np.zeros((9, 9), bool), 0.05).any()

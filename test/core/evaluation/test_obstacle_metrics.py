"""Obstacles found and imagined on a floor of which all is known."""

import numpy as np
import pytest
import torch
from floors import CAMERA, HEIGHT_M, PINHOLE, room

from mono_depth_ros.core.evaluation.costmap import CostmapSettings
from mono_depth_ros.core.evaluation.obstacle_metrics import (
    false_obstacle_density,
    median_errors,
    obstacle_recall,
)
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.scale.tilt import Tilt

LEFT, RIGHT = (2.0, 0.2, 0.8), (2.0, -0.8, -0.2)
TRUTH = room(LEFT, RIGHT)
BOXES = room() > TRUTH


@pytest.mark.parametrize(
    ('factor', 'found'), [(1.0, 1), (1.28, 1), (0.72, 1), (1.32, 0), (0.68, 0), (np.nan, 0)]
)
def test_a_box_is_found_within_30_percent(factor: float, found: float) -> None:
    depth = torch.where(BOXES, factor * TRUTH, TRUTH)
    assert obstacle_recall(depth, TRUTH, CAMERA) == found


def test_columns_count_each() -> None:
    assert obstacle_recall(room(LEFT), TRUTH, CAMERA) == pytest.approx(0.5, abs=0.02)
    valid = torch.zeros_like(BOXES)
    valid[:, :80] = True
    assert obstacle_recall(room(LEFT), TRUTH, CAMERA, valid) == 1
    assert obstacle_recall(room(RIGHT), TRUTH, CAMERA, valid) == 0


def test_the_floor_and_what_is_far_are_no_obstacles() -> None:
    assert obstacle_recall(TRUTH, room(), CAMERA) is None
    assert obstacle_recall(TRUTH, room((3.2, -1.0, 1.0)), CAMERA) is None
    level = PosedCamera.above_floor(PINHOLE, HEIGHT_M, Tilt(0.0))
    assert obstacle_recall(room(), room(), level) == 1, 'a wrong pitch lifts the floor'
    low = CostmapSettings(min_obstacle_height=0.7)
    assert obstacle_recall(TRUTH, TRUTH, CAMERA, settings=low) is None


def test_without_a_mount_rows_above_the_middle_are_searched() -> None:
    level = PosedCamera.above_floor(PINHOLE, HEIGHT_M, Tilt(0.0))
    truth = room(LEFT, RIGHT, camera=level)
    assert obstacle_recall(truth, truth) == 1
    assert obstacle_recall(room(LEFT, camera=level), truth) == pytest.approx(0.5, abs=0.02)
    assert obstacle_recall(truth, room(camera=level)) is None, 'no floor in the band'


def test_unknown_truth_is_not_judged() -> None:
    truth = torch.where(BOXES, torch.nan, TRUTH)
    assert obstacle_recall(TRUTH, truth, CAMERA) is None


def test_false_cells_per_square_meter() -> None:
    truth = room()
    points = CAMERA.map_points(truth)[truth < 7].numpy()
    near = points[np.linalg.norm(points - [0, 0, HEIGHT_M], axis=1) < 3.5]
    free_m2 = len(np.unique(np.floor(near[:, :2] / 0.05), axis=0)) * 0.05**2
    assert false_obstacle_density(truth, truth, CAMERA) == 0
    # The front of a box fills a row of cells, 0.6 m long.
    imagined = room((2.02, 0.2, 0.8))
    density = false_obstacle_density(imagined, truth, CAMERA)
    assert density * free_m2 == pytest.approx(0.6 / 0.05, abs=1.5)
    twice = false_obstacle_density(room((2.02, 0.2, 0.8), (2.02, -0.8, -0.2)), truth, CAMERA)
    assert twice == pytest.approx(2 * density, rel=0.1)


def test_what_is_near_a_true_obstacle_is_not_false() -> None:
    assert false_obstacle_density(room((2.07, 0.2, 0.8)), room((2.02, 0.2, 0.8)), CAMERA) == 0
    assert false_obstacle_density(room((1.7, 0.2, 0.8)), room((2.02, 0.2, 0.8)), CAMERA) > 0


def test_without_free_floor_there_is_no_density() -> None:
    assert false_obstacle_density(TRUTH, TRUTH, CAMERA, BOXES) is None
    up = PosedCamera.above_floor(PINHOLE, HEIGHT_M, Tilt(-1.2))
    assert false_obstacle_density(TRUTH, TRUTH, up) is None


def test_median_error_by_true_distance() -> None:
    truth = torch.tensor([[0.5, 1.0, 1.9, 2.0, 4.0, 4.9, 5.0, 11.0, torch.nan]])
    error = torch.tensor([[0.1, -0.2, 0.3, 0.5, -0.5, 3.0, torch.nan, 1.0, 1.0]])
    assert median_errors(truth + error, truth) == {
        (0, 2): pytest.approx(0.2),
        (2, 5): pytest.approx(0.5),
    }
    assert median_errors(truth + error, truth, truth < 2).keys() == {(0, 2)}


@pytest.mark.parametrize('measure', [obstacle_recall, median_errors])
def test_shapes_must_agree(measure: object) -> None:
    with pytest.raises(ValueError, match='differ'):
        measure(torch.ones(2, 3), torch.ones(3, 2))

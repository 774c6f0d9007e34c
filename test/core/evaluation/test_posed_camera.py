"""Depth and points in a map."""

import math

import pytest
import torch
from floors import CAMERA, HEIGHT_M, PINHOLE, room

from mono_depth_ros.core.errors import CalibrationError
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.scale.tilt import Tilt


def test_points_ahead_left_and_up() -> None:
    level = PosedCamera.above_floor(PINHOLE, 0.4, Tilt(0.0))
    seen = torch.tensor([[0, 0, 2], [-1, 0, 2], [0, 0.4, 2]], dtype=torch.float64)
    assert level.in_map(seen).tolist() == [[2, 0, 0.4], [2, 1, 0.4], [2, 0, 0]]
    down = PosedCamera.above_floor(PINHOLE, 0.4, Tilt(math.radians(30)))
    (place,) = down.in_map(torch.tensor([[0.0, 0, 2]])).tolist()
    assert place == pytest.approx([math.sqrt(3), 0, 0.4 - 1])


def test_a_roll_clockwise_lowers_what_is_to_the_right() -> None:
    rolled = PosedCamera.above_floor(PINHOLE, 1.0, Tilt(0.0, math.radians(30)))
    (place,) = rolled.in_map(torch.tensor([[1.0, 0, 2]])).tolist()
    assert place == pytest.approx([2, -math.sqrt(3) / 2, 1 - 0.5])


def test_depth_of_the_floor_has_height_0_and_unknown_depth_no_place() -> None:
    depth = room()
    depth[0] = torch.nan
    points = CAMERA.map_points(depth)
    assert points[0].isnan().all()
    assert float(points[-40:, :, 2].abs().max()) < 1e-6
    assert CAMERA.position.tolist() == [0, 0, HEIGHT_M]


@pytest.mark.parametrize('pitch', [math.pi / 2, -math.pi / 2])
def test_straight_down_nothing_is_ahead(pitch: float) -> None:
    with pytest.raises(CalibrationError, match='must be below pi/2'):
        PosedCamera.above_floor(PINHOLE, 0.4, Tilt(pitch))


@pytest.mark.parametrize(
    'pose',
    [
        torch.eye(3),
        2 * torch.eye(4),
        torch.diag(torch.tensor((1.0, 1, -1, 1))),
        torch.full((4, 4), torch.nan),
        torch.eye(4).index_fill(0, torch.tensor([3]), 1.0),
    ],
)
def test_what_is_no_pose_is_refused(pose: torch.Tensor) -> None:
    with pytest.raises(CalibrationError, match='4x4 rotation and translation'):
        PosedCamera(PINHOLE, pose)

"""A costmap made of depth against that of the truth, in one place and over a drive."""

import math

import pytest
import torch
from floors import CAMERA, HEIGHT_M, PINHOLE, room

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.evaluation.costmap import CostmapSettings
from mono_depth_ros.core.evaluation.costmap_agreement import (
    CostmapComparison,
    costmap_agreement,
)
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera

LEFT, RIGHT = (2.02, 0.2, 0.8), (2.02, -0.8, -0.2)
TRUTH = room(LEFT, RIGHT)


def test_the_truth_agrees_with_itself() -> None:
    agreement = costmap_agreement(TRUTH, TRUTH, CAMERA)
    assert (agreement.precision, agreement.recall) == (1, 1)
    # Two fronts of 0.6 m, a cell deep.
    assert agreement.lethal == agreement.true == pytest.approx(24, abs=3)


@pytest.mark.parametrize(('off_m', 'right'), [(0.09, 1), (-0.09, 1), (0.2, 0), (-0.2, 0)])
def test_cells_are_right_within_ten_centimeters(off_m: float, right: float) -> None:
    moved = [(front + off_m, *sides) for front, *sides in (LEFT, RIGHT)]
    agreement = costmap_agreement(room(*moved), TRUTH, CAMERA)
    assert (agreement.precision, agreement.recall) == (right, right)


def test_what_is_missed_and_what_is_imagined() -> None:
    missed = costmap_agreement(room(LEFT), TRUTH, CAMERA)
    assert missed.precision == 1
    assert missed.recall == pytest.approx(0.5, abs=0.05)
    imagined = costmap_agreement(TRUTH, room(LEFT), CAMERA)
    assert imagined.precision == pytest.approx(0.5, abs=0.05)
    assert imagined.recall == 1
    nothing = costmap_agreement(room(), TRUTH, CAMERA)
    assert (nothing.precision, nothing.recall, nothing.lethal) == (None, 0, 0)
    assert costmap_agreement(TRUTH, room(), CAMERA).recall is None


def test_pixels_that_do_not_count_neither_mark_nor_are_missed() -> None:
    valid = torch.zeros_like(TRUTH, dtype=torch.bool)
    valid[:, :80] = True
    agreement = costmap_agreement(room(LEFT), TRUTH, CAMERA, valid)
    assert (agreement.precision, agreement.recall) == (1, 1)
    unknown = torch.where(valid, TRUTH, torch.nan)
    assert costmap_agreement(TRUTH, unknown, CAMERA) == agreement


def test_over_a_drive_what_was_imagined_is_cleared_and_places_are_those_of_the_map() -> None:
    comparison = CostmapComparison([CAMERA, driven(1.0)])
    comparison.add_depth(room(LEFT, RIGHT, (1.5, -0.1, 0.1)), TRUTH, CAMERA)
    at_first = comparison.agreement()
    assert at_first.precision < 0.95
    # A meter further the same boxes are seen a meter nearer.
    ahead = driven(1.0)
    comparison.add_depth(room(LEFT, RIGHT, camera=ahead), room(LEFT, RIGHT, camera=ahead), ahead)
    then = comparison.agreement()
    assert (then.precision, then.recall) == (1, 1)
    assert then.lethal < at_first.lethal
    x, y = comparison.layer.cell(2.02, 0.5)
    assert comparison.layer.lethal[x, y]


def test_a_pose_turns_the_map() -> None:
    """Looking along y, what is ahead lies along y."""
    quarter = torch.tensor(((0.0, -1, 0), (1, 0, 0), (0, 0, 1)), dtype=torch.float64)
    turned = CAMERA.pose.clone()
    turned[:3, :3] = quarter @ CAMERA.pose[:3, :3]
    turned[:3, 3] = torch.tensor((10.0, 20.0, HEIGHT_M))
    camera = PosedCamera(PINHOLE, turned)
    comparison = CostmapComparison([camera])
    comparison.add_depth(TRUTH, TRUTH, camera)
    assert comparison.layer.lethal[comparison.layer.cell(10.0 - 0.5, 22.02)]
    assert not comparison.layer.lethal[comparison.layer.cell(10.0, 22.02)]
    assert math.isclose(comparison.agreement().lethal, 24, abs_tol=3)


def driven(ahead_m: float) -> PosedCamera:
    pose = CAMERA.pose.clone()
    pose[0, 3] += ahead_m
    return PosedCamera(PINHOLE, pose)


def ramp(*boxes: tuple[float, float, float]) -> torch.Tensor:
    """Return the depth of a floor that rises by 10 degrees from 1.2 m on, and of boxes."""
    x, y = PINHOLE.rays().double()
    rays = torch.stack((x, y, torch.ones_like(x)), dim=-1) @ CAMERA.pose[:3, :3].T
    slope, origin = math.tan(math.radians(10.0)), CAMERA.position
    # z = slope (x - 1.2)
    along = (slope * (origin[0] - 1.2) - origin[2]) / (rays[..., 2] - slope * rays[..., 0])
    rises = (along > 0) & (origin[0] + along * rays[..., 0] > 1.2)
    return torch.minimum(room(*boxes), torch.where(rises, along, torch.inf).float())


def test_a_ramp_marks_unless_only_what_stands_on_the_ground_does() -> None:
    box = (1.0, 0.1, 0.4)
    found = {
        marks: costmap_agreement(
            ramp(box), room(box), CAMERA, settings=CostmapSettings(marks=marks)
        )
        for marks in ('points', 'points_nonground')
    }
    assert found['points'].precision < 0.5
    assert found['points_nonground'].precision == 1
    assert found['points_nonground'].recall == 1


def test_only_clouds_of_the_node_mark() -> None:
    with pytest.raises(SettingsError, match='marks'):
        CostmapSettings(marks='points_ground')

import itertools
import math

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.views import render_sample, sample_view


def test_shots_keep_to_the_stated_ranges() -> None:
    shots = [sample_view(seed, 160, 90) for seed in range(40)]
    fovs = [2 * math.degrees(math.atan(80 / shot.camera.fx)) for shot in shots]
    heights = [float(shot.pose.position[2]) for shot in shots]
    pitches = [-math.degrees(math.asin(float(shot.pose.rotation[2, 2]))) for shot in shots]
    assert (shots[0].camera.width, shots[0].camera.height) == (160, 90)
    assert min(fovs) >= 50
    assert max(fovs) <= 100
    assert max(fovs) - min(fovs) > 35
    assert 0.15 <= min(heights) < 0.5
    assert 1.5 < max(heights) <= 2.2
    assert -10.01 <= min(pitches) < 0
    assert 25 < max(pitches) <= 35.01
    clear = [float(shot.scene.clearance(shot.pose.position[None])[0]) for shot in shots]
    assert min(clear) >= 0.25


def test_a_seed_always_gives_the_same_shot() -> None:
    one, two = sample_view(4), sample_view(4)
    assert one.camera == two.camera
    assert torch.equal(one.pose.position, two.pose.position)
    assert torch.equal(one.pose.rotation, two.pose.rotation)


def test_training_image_has_the_shape_and_depth_of_the_shot() -> None:
    view = render_sample(4, 84, 63)
    assert view.rgb.shape == (63, 84, 3)
    assert torch.equal(view.depth, cast(*sample_view(4, 84, 63)).depth)


def test_pose_axes() -> None:
    pose = Pose.looking((1, 2, 3), math.pi / 2, math.radians(30), 0)
    right, down, forward = pose.rotation.T
    torch.testing.assert_close(right, torch.tensor([1.0, 0, 0]).double(), atol=1e-12, rtol=0)
    assert float(forward[2]) == pytest.approx(-0.5)
    assert float(forward[1]) == pytest.approx(math.cos(math.radians(30)))
    assert float(down[2]) < 0
    assert float(torch.linalg.det(pose.rotation)) == pytest.approx(1)
    rolled = Pose.looking((1, 2, 3), math.pi / 2, 0, math.radians(10))
    assert float(rolled.rotation[2, 0]) == pytest.approx(-math.sin(math.radians(10)))
    moved = pose.moved(0.1).position - pose.position
    torch.testing.assert_close(moved, 0.1 * right)


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_drive_is_closed_smooth_and_touches_nothing(seed: int) -> None:
    drive = Drive(seed, speed_m_s=0.5)
    assert drive.period_s == pytest.approx(drive.length_m / 0.5)
    times = [drive.period_s * k / 200 for k in range(201)]
    poses = [drive.pose_at(t) for t in times]
    places = torch.stack([pose.position for pose in poses])
    torch.testing.assert_close(places[0], places[-1], atol=1e-9, rtol=0)
    assert float(drive.scene.clearance(places).min()) > 0.4
    steps = (places[1:] - places[:-1]).norm(dim=1)
    assert float(steps.max()) < 1.05 * drive.length_m / 200
    turns = [
        float((one.rotation.T @ two.rotation).diagonal().sum())
        for one, two in itertools.pairwise(poses)
    ]
    degrees = math.degrees(math.acos(min(1.0, (min(turns) - 1) / 2)))
    assert degrees / (drive.length_m / 200) < 150
    camera = PinholeCamera.from_fov(40, 30, 75)
    assert float(cast(drive.scene, camera, drive.pose_at(3.3)).depth.min()) > 0.25


def test_drives_repeat_and_differ() -> None:
    assert torch.equal(Drive(5).pose_at(2.5).position, Drive(5).pose_at(2.5).position)
    assert Drive(5).scene.seed != Drive(6).scene.seed
    with pytest.raises(ValueError, match='speed_m_s'):
        Drive(5, 0.0)

"""The demo's room: every table and chair is there, is passed, and is never touched."""

import math

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.simulation.drive import CLEARANCE_M
from mono_depth_ros.simulation.furnished_drive import HEIGHT_M, PITCH_DEG, FurnishedDrive
from mono_depth_ros.simulation.furnished_room import DINING_AT
from mono_depth_ros.simulation.furnished_room import HEIGHT_M as CEILING_M
from mono_depth_ros.simulation.renderer import render

CAMERA = PinholeCamera.from_fov(80, 60, 75.0)
VIEWS = 24


@pytest.fixture(scope='module')
def drive() -> FurnishedDrive:
    return FurnishedDrive()


def test_the_room_is_the_same_every_time(drive: FurnishedDrive) -> None:
    other = FurnishedDrive(1.2)
    assert torch.equal(other.scene.solids.center, drive.scene.solids.center)
    assert torch.equal(other.scene.materials.color, drive.scene.materials.color)
    assert other.period_s == pytest.approx(drive.period_s / 2)
    with pytest.raises(ValueError, match='speed_m_s is 0'):
        FurnishedDrive(0.0)


def test_the_camera_keeps_clear_level_and_high(drive: FurnishedDrive) -> None:
    poses = [drive.pose_at(k * drive.period_s / VIEWS) for k in range(VIEWS)]
    places = torch.stack([pose.position for pose in poses])
    assert float(drive.scene.clearance(places).min()) > CLEARANCE_M
    assert (places[:, 2] == HEIGHT_M).all()
    for pose in poses:
        assert math.degrees(-math.asin(float(pose.rotation[2, 2]))) == pytest.approx(PITCH_DEG)
    again = drive.pose_at(drive.period_s + 1.0)
    assert torch.allclose(again.matrix, drive.pose_at(1.0).matrix)


def test_everything_stands_inside_the_room(drive: FurnishedDrive) -> None:
    center = drive.scene.solids.center
    assert bool((center[:, 2] > 0).all())
    assert bool((center[:, 2] < CEILING_M).all())
    low, high = drive.scene.rooms.low[0] - 0.2, drive.scene.rooms.high[0] + 0.2
    assert bool(((center > low) & (center < high)).all())


def test_the_drive_passes_every_piece_of_furniture(drive: FurnishedDrive) -> None:
    """Tables, chairs, sofa, shelf and desk are each in the middle of some view."""
    pieces = {
        'dining table': (*DINING_AT, 0.75),
        'chair': (DINING_AT[0] + 0.42, DINING_AT[1] - 0.68, 0.45),
        'low table': (-1.9, -1.0, 0.42),
        'sofa': (-1.9, -2.4, 0.4),
        'armchair': (-3.0, -0.75, 0.4),
        'shelf': (-3.42, 1.3, 0.9),
        'plant': (-3.1, 2.4, 1.0),
        'desk': (3.2, -1.5, 0.74),
        'office chair': (2.4, -1.6, 0.5),
        'sideboard': (-1.75, 2.66, 0.4),
    }
    poses = [drive.pose_at(k * drive.period_s / VIEWS) for k in range(VIEWS)]
    for name, place in pieces.items():
        point = torch.tensor(place, dtype=torch.float64)
        local = [(point - pose.position) @ pose.rotation for pose in poses]
        seen = [
            abs(float(p[0])) < 0.5 * float(p[2]) and abs(float(p[1])) < 0.4 * float(p[2])
            for p in local
        ]
        assert any(seen), name


def test_tables_and_chairs_stand_out_of_the_floor_in_depth(drive: FurnishedDrive) -> None:
    for k in range(0, VIEWS, 6):
        view = render(drive.scene, CAMERA, drive.pose_at(k * drive.period_s / VIEWS))
        assert 0.5 < float(view.depth.min()) < float(view.depth.max()) < 8
        assert 60 < float(view.rgb.float().mean()) < 200
        assert float(view.rgb.float().std()) > 25

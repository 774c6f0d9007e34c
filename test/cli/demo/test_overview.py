"""The README's picture: a view by stereo alone and by the node."""

from dataclasses import replace
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.cli.demo.overview import draw_overview, frame_of
from mono_depth_ros.cli.demo.recorder import Sample
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.simulated_camera import SimulatedCameraSettings, drive_for
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

CAMERA = SimulatedCameraSettings(room='furnished', width=96, height=72, rate=5.0, views=3)
LENS = PinholeCamera.from_fov(CAMERA.width, CAMERA.height, CAMERA.field_of_view)
WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'


def sample(truth: np.ndarray, factor: float) -> Sample:
    color = np.full((*truth.shape, 3), 99, np.uint8)
    return Sample(0, factor * truth, truth, color)


@pytest.fixture(scope='module')
def second() -> StereoFrame:
    """The second view of the drive, as the simulated camera renders it."""
    drive = drive_for(CAMERA)
    pose = drive.pose_at(1 / CAMERA.rate)
    return StereoRig(LENS, CAMERA.baseline).capture(drive.scene, pose, 1)


def test_a_view_is_found_by_its_depth(second: StereoFrame) -> None:
    found = frame_of(second.depth.numpy(), CAMERA, LENS)
    assert torch.equal(found.left, second.left)
    assert torch.equal(found.right, second.right)
    with pytest.raises(ValueError, match='none of 3 views'):
        frame_of(second.depth.numpy() + 1, CAMERA, LENS)


@pytest.mark.skipif(not WEIGHTS.is_file(), reason='needs the weights of encoder tiny')
def test_the_picture_has_two_rows_of_four(second: StereoFrame, tmp_path: Path) -> None:
    path = tmp_path / 'overview.jpg'
    seen = replace(sample(second.depth.numpy(), 1.1), color=second.left.numpy())
    draw_overview(path, seen, CAMERA, LENS)
    picture = cv2.imread(str(path))
    assert picture.shape[1] == pytest.approx(4 * 330 + 10, abs=2)
    shown = cv2.resize(picture[70:310, 11:331, ::-1], (96, 72), interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(float) - second.left.numpy()).mean() < 12
    assert len(path.read_bytes()) < 300_000

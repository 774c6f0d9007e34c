"""Calibrations of camera_calibration."""

from pathlib import Path

import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError
from mono_depth_ros.offline.calibration_files import read_calibration

CAMERA = """
image_width: 640
image_height: 480
camera_name: head
camera_matrix:
  rows: 3
  cols: 3
  data: [500., 0., 320., 0., 510., 240., 0., 0., 1.]
"""
LENS = """
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.002, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480, 0, 310, 0, 0, 490, 230, 0, 0, 0, 1, 0]}
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_full_file(tmp_path: Path) -> None:
    calibration = read_calibration(written(tmp_path / 'head.yaml', CAMERA + LENS))
    assert calibration.D == (0.1, -0.2, 0.001, 0.002, 0.0)
    assert calibration.distortion_model == 'plumb_bob'
    assert calibration.raw_camera() == PinholeCamera(640, 480, 500, 510, 320, 240)
    assert calibration.rectified_camera() == PinholeCamera(640, 480, 480, 490, 310, 230)


def test_the_camera_matrix_alone_will_do(tmp_path: Path) -> None:
    calibration = read_calibration(written(tmp_path / 'head.yaml', CAMERA))
    assert calibration.is_rectified
    assert calibration.rectified_camera() == PinholeCamera(640, 480, 500, 510, 320, 240)


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'no calibration'),
        ('image_width: 640', "'camera_matrix' is missing"),
        (CAMERA.replace('image_height: 480', ''), "'image_height' is missing"),
        (CAMERA.replace('500., ', ''), 'cannot reshape'),
        (CAMERA.replace('500.', '-5.'), 'focal lengths must be positive'),
        (CAMERA.replace('500.', 'five'), 'could not convert'),
        ('a: [', 'is no YAML'),
    ],
)
def test_what_is_none_says_why(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path / 'head.yaml', text)
    with pytest.raises(CalibrationError, match=reason) as error:
        read_calibration(path)
    assert str(path) in str(error.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r'none\.yaml cannot be read: No such file'):
        read_calibration(tmp_path / 'none.yaml')

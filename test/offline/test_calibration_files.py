"""Calibrations of ROS in files, and files that hold none."""

from pathlib import Path

import pytest
from damage import damaged, outcome

from mono_depth_ros.core.camera.calibration import CameraCalibration
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


def test_a_full_calibration(tmp_path: Path) -> None:
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
        ('', 'is empty'),
        ('image_width: 640', 'is no calibration: it holds image_width; read are camera_calib'),
        (CAMERA.replace('image_height: 480', ''), 'states no size of the image; add lines'),
        (CAMERA.replace('500., ', ''), 'cannot reshape'),
        (CAMERA.replace('500.', '-5.'), 'focal lengths must be positive'),
        (CAMERA.replace('500.', 'five'), 'could not convert'),
        (CAMERA.replace('500.', '4.').replace('510.', '4.'), r'\(4, 4\) px .* in pixels'),
        (CAMERA.replace('640', '1280').replace('480', '960'), 'that of about 641x481 px'),
        ('a: [', 'damaged or no calibration'),
    ],
)
def test_what_is_no_calibration_says_why(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path / 'head.yaml', text)
    with pytest.raises(CalibrationError, match=reason) as error:
        read_calibration(path)
    assert str(path) in str(error.value)


def test_a_missing_calibration(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r'none\.yaml cannot be read: No such file'):
        read_calibration(tmp_path / 'none.yaml')


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('date', CAMERA.replace('480', '2001-99-99')),
        ('infinite', CAMERA.replace('640', '.inf')),
        ('nan', CAMERA.replace('640', '.nan')),
        ('deep', CAMERA + 'x: ' + '[' * 9000),
        ('alias', CAMERA + 'x: &a [1]\ny: [*a, *a]\n'),
        ('huge', CAMERA.replace('640', '9' * 5000)),
        ('json', '{"width": ' + '[' * 90000),
        ('utf16', CAMERA.encode('utf-16').decode('latin1')),
        ('tag', CAMERA.replace('640', '!!python/name:os.getcwd')),
    ],
)
def test_values_that_no_camera_has(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / f'{name}.yaml'
    path.write_text(text, encoding='latin1')
    with pytest.raises(CalibrationError, match=f'{name}.yaml'):
        read_calibration(path)


def test_whatever_byte_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / 'head.yaml'
    for content in damaged((CAMERA + LENS).encode(), places=150):
        path.write_bytes(content)
        found = outcome(lambda: read_calibration(path))
        assert isinstance(found, CameraCalibration) or str(path) in str(found)

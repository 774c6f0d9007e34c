"""Parameters of the node, from its files and from a command line, and calibrations."""

from pathlib import Path

import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError, SettingsError
from mono_depth_ros.core.settings import updated
from mono_depth_ros.offline.yaml_files import (
    OfflineSettings,
    parse_assignments,
    read_calibration,
    read_parameters,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_nodes_own_file_is_the_defaults() -> None:
    values = read_parameters(ROOT / 'config' / 'mono.yaml')
    assert values['frame_id'] == 'camera_optical_frame'
    assert updated(OfflineSettings(), values) == OfflineSettings()


def test_nested_and_dotted_names(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(
        '/**:\n  ros__parameters:\n    encoder: tiny\n    scale: 2.5\n'
        '    cloud:\n      stride: 3\n    edge_filter.enabled: false\n'
    )
    settings = updated(OfflineSettings(), read_parameters(path))
    assert settings.estimator.encoder == 'tiny'
    assert settings.pipeline.scale == 2.5
    assert settings.pipeline.cloud.stride == 3
    assert settings.pipeline.edge_filter.enabled is False


def test_assignments() -> None:
    values = parse_assignments(
        ['max_depth=100', 'cloud.voxel_size=0.02', 'edge_filter.enabled=false', 'checkpoint=007']
    )
    assert values == {
        'max_depth': 100.0,
        'cloud.voxel_size': 0.02,
        'edge_filter.enabled': False,
        'checkpoint': '007',
    }
    assert isinstance(values['max_depth'], float)


@pytest.mark.parametrize(
    ('assignment', 'reason'),
    [('max_depth', 'must be NAME=VALUE'), ('far=3', 'far is no parameter'), ('scale=[', 'scale')],
)
def test_what_is_no_assignment(assignment: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        parse_assignments([assignment])


def test_values_are_held_to_their_ranges() -> None:
    with pytest.raises(SettingsError, match=r'max_depth is -1\.0 m'):
        updated(OfflineSettings(), parse_assignments(['max_depth=-1']))
    with pytest.raises(SettingsError, match='belong to a relative network'):
        updated(OfflineSettings(), parse_assignments(['scale=2']))


@pytest.mark.parametrize(
    ('text', 'reason'), [('a: [', 'no YAML'), ('a: 1', 'no parameters below ros__parameters')]
)
def test_what_is_no_parameter_file(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        read_parameters(path)
    with pytest.raises(SettingsError, match='cannot be read'):
        read_parameters(tmp_path / 'missing.yaml')


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
        ('', 'no calibration'),
        ('image_width: 640', "'camera_matrix' is missing"),
        (CAMERA.replace('image_height: 480', ''), "'image_height' is missing"),
        (CAMERA.replace('500., ', ''), 'cannot reshape'),
        (CAMERA.replace('500.', '-5.'), 'focal lengths must be positive'),
        (CAMERA.replace('500.', 'five'), 'could not convert'),
        (CAMERA.replace('500.', '4.').replace('510.', '4.'), r'\(4, 4\) px .* in pixels'),
        (CAMERA.replace('640', '1280').replace('480', '960'), 'that of about 641x481 px'),
        ('a: [', 'is no YAML'),
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

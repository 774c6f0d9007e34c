"""Calibrations through messages: what drivers send, crop and bin, and what nonsense says."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError
from mono_depth_ros.core.files.camera_info import calibration_from_info
from mono_depth_ros.ros.messages import camera_to_info

K = [500.0, 0.0, 319.5, 0.0, 510.0, 239.5, 0.0, 0.0, 1.0]
P = [480.0, 0.0, 310.0, -48.0, 0.0, 490.0, 230.0, 0.0, 0.0, 0.0, 1.0, 0.0]
EYE = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def info(**fields: object) -> CameraInfo:
    msg = CameraInfo(width=640, height=480, distortion_model='plumb_bob')
    msg.d, msg.k, msg.r, msg.p = [0.1, -0.2, 0.001, 0.002, 0.0], K, EYE, P
    for name, value in fields.items():
        setattr(msg, name, value)
    return msg


def read(**fields: object) -> CameraCalibration:
    calibration = calibration_from_info(info(**fields))
    assert calibration is not None
    return calibration


def replaced(numbers: list[float], index: int, value: float) -> list[float]:
    return [*numbers[:index], value, *numbers[index + 1 :]]


def test_a_full_message() -> None:
    calibration = read()
    assert calibration == CameraCalibration(
        width=640,
        height=480,
        K=((500.0, 0.0, 319.5), (0.0, 510.0, 239.5), (0.0, 0.0, 1.0)),
        D=(0.1, -0.2, 0.001, 0.002, 0.0),
        distortion_model='plumb_bob',
        R=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        P=((480.0, 0.0, 310.0, -48.0), (0.0, 490.0, 230.0, 0.0), (0.0, 0.0, 1.0, 0.0)),
    )
    assert calibration.raw_camera() == PinholeCamera(640, 480, 500, 510, 319.5, 239.5)
    assert calibration.rectified_camera() == PinholeCamera(640, 480, 480, 490, 310, 230)
    assert hash(calibration) == hash(read())


@pytest.mark.parametrize('msg', [CameraInfo(), info(k=replaced(K, 0, 0.0))])
def test_uncalibrated(msg: CameraInfo) -> None:
    assert calibration_from_info(msg) is None


def test_zeros_stand_for_the_identity_and_for_k() -> None:
    calibration = read(r=[0.0] * 9, p=[0.0] * 12, d=[])
    assert calibration.R == ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert calibration.rectified_camera() == calibration.raw_camera()
    assert calibration.is_rectified


def test_region_of_interest_moves_the_principal_point() -> None:
    roi = RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240)
    calibration = read(roi=roi)
    assert calibration.raw_camera() == PinholeCamera(320, 240, 500, 510, 219.5, 199.5)
    assert calibration.rectified_camera() == PinholeCamera(320, 240, 480, 490, 210, 190)
    assert calibration.P[0][3] == -48


def test_region_without_size_reaches_to_the_corner() -> None:
    calibration = read(roi=RegionOfInterest(x_offset=100, y_offset=40))
    assert calibration.raw_camera() == PinholeCamera(540, 440, 500, 510, 219.5, 199.5)


def test_full_region_changes_nothing() -> None:
    assert read(roi=RegionOfInterest(width=640, height=480, do_rectify=True)) == read()
    assert read(binning_x=1, binning_y=1) == read()


def test_binning_follows_the_region() -> None:
    roi = RegionOfInterest(x_offset=100, y_offset=40, width=320, height=240)
    calibration = read(roi=roi, binning_x=2, binning_y=4)
    # Full pixels 100 and 101 make binned pixel 0, whose center is at 100.5.
    cx, cy = (319.5 - 100.5) / 2, (239.5 - 41.5) / 4
    assert calibration.raw_camera() == PinholeCamera(160, 60, 250, 127.5, cx, cy)
    assert calibration.rectified_camera().fx == 240
    assert calibration.P[0][3] == -24


def test_odd_region_loses_its_last_pixels_to_binning() -> None:
    roi = RegionOfInterest(x_offset=101, y_offset=41, width=321, height=241)
    calibration = read(roi=roi, binning_x=2, binning_y=2)
    cx, cy = (319.5 - 101.5) / 2, (239.5 - 41.5) / 2
    assert calibration.raw_camera() == PinholeCamera(160, 120, 250, 255, cx, cy)


@pytest.mark.parametrize(
    ('fields', 'complaint'),
    [
        ({'k': replaced(K, 0, float('nan'))}, 'K is .*nan.* finite'),
        ({'k': replaced(K, 5, float('inf'))}, 'K is .*inf.* finite'),
        ({'k': replaced(K, 0, -500.0)}, r'\(-500.0, 510.0.* positive'),
        ({'k': replaced(K, 4, 0.0)}, r'\(500.0, 0.0.* positive'),
        ({'p': replaced(P, 0, -480.0)}, r'\(-480.0, 490.0.* positive'),
        ({'p': replaced(P, 3, float('nan'))}, 'P is .*nan.* finite'),
        ({'d': [0.1, float('nan')]}, 'D is .*nan.* finite'),
        ({'r': replaced(EYE, 0, 0.5)}, 'R is .*0.5.* rotation'),
        ({'r': replaced(EYE, 8, -1.0)}, 'R is .*-1.0.* rotation'),
        ({'k': replaced(K, 8, 0.0)}, 'K is .* last row must be 0 0 1'),
        ({'p': replaced(P, 10, 0.0)}, 'P is .* last row must be 0 0 1'),
        ({'width': 0}, 'camera size is 0x480 px'),
        ({'roi': RegionOfInterest(x_offset=400, width=320)}, r'320x480 px at \(400, 0\)'),
        ({'roi': RegionOfInterest(y_offset=480)}, r'640x0 px at \(0, 480\)'),
        ({'roi': RegionOfInterest(x_offset=700)}, r'-60x480 px at \(700, 0\)'),
        ({'binning_x': 1000}, 'camera size is 0x480 px'),
    ],
)
def test_bad_message(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(CalibrationError, match=complaint):
        calibration_from_info(info(**fields))


def test_camera_becomes_a_rectified_message() -> None:
    camera = PinholeCamera(686, 518, 510.5, 520.25, 340.0, 260.0)
    header = Header(frame_id='optical')
    msg = camera_to_info(camera, header)
    assert (msg.width, msg.height, msg.header) == (686, 518, header)
    assert (msg.distortion_model, list(msg.d)) == ('plumb_bob', [0.0] * 5)
    np.testing.assert_array_equal(msg.k, [510.5, 0, 340, 0, 520.25, 260, 0, 0, 1])
    np.testing.assert_array_equal(msg.r, np.eye(3).ravel())
    np.testing.assert_array_equal(msg.p, [510.5, 0, 340, 0, 0, 520.25, 260, 0, 0, 0, 1, 0])
    assert (msg.binning_x, msg.binning_y, msg.roi) == (0, 0, RegionOfInterest())


def test_camera_makes_the_round_trip() -> None:
    camera = PinholeCamera(33, 21, 30.1, 30.2, 15.7, 9.9)
    calibration = calibration_from_info(camera_to_info(camera, Header()))
    assert calibration is not None
    assert calibration.is_rectified
    assert calibration.rectified_camera() == calibration.raw_camera() == camera

"""Calibrations as other programs write them, by the values that they state."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError
from mono_depth_ros.offline.calibration_files import read_calibration

OPENCV = """%YAML:1.0
---
calibration_time: "Sat Jan  1 10:00:00 2022"
image_width: 640
image_height: 480
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 5.0e+02, 0., 3.2e+02, 0., 5.1e+02, 2.4e+02, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ 0.1, -0.2, 1.0e-03, 2.0e-03, 0. ]
"""
OPENCV_TUTORIAL = (
    OPENCV.replace('image_width', 'image_Width')
    .replace('camera_matrix', 'Camera_Matrix')
    .replace('distortion_coefficients', 'Distortion_Coefficients')
)
ORB_SLAM = """%YAML:1.0

Camera.type: "PinHole"
Camera.fx: 500.0
Camera.fy: 510.0
Camera.cx: 320.0
Camera.cy: 240.0
Camera.k1: 0.1
Camera.k2: -0.2
Camera.p1: 0.001
Camera.p2: 0.002
Camera.width: 640
Camera.height: 480
Camera.fps: 20.0
ORBextractor.nFeatures: 1200
"""
ORB_SLAM3 = (
    ORB_SLAM.replace('Camera.', 'Camera1.')
    .replace('Camera1.width', 'Camera.width')
    .replace('Camera1.height', 'Camera.height')
    .replace('Camera1.type', 'Camera.type')
)
KALIBR = """cam0:
  cam_overlaps: []
  camera_model: pinhole
  distortion_coeffs: [0.1, -0.2, 0.001, 0.002]
  distortion_model: radtan
  intrinsics: [500.0, 510.0, 320.0, 240.0]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
"""
EUROC = """sensor_type: camera
comment: VI-Sensor cam0
rate_hz: 20
resolution: [640, 480]
camera_model: pinhole
intrinsics: [500.0, 510.0, 320.0, 240.0] #fu, fv, cu, cv
distortion_model: radial-tangential
distortion_coefficients: [0.1, -0.2, 0.001, 0.002]
"""
ECHO = """header:
  stamp:
    sec: 1
    nanosec: 2
  frame_id: camera
height: 480
width: 640
distortion_model: plumb_bob
d:
- 0.1
- -0.2
- 0.001
- 0.002
- 0.0
k: [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
p: [500.0, 0.0, 320.0, 0.0, 0.0, 510.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0]
binning_x: 0
binning_y: 0
roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}
---
header: [cut off
"""
OPEN3D = """{"width": 640, "height": 480,
"intrinsic_matrix": [500.0, 0, 0, 0, 510.0, 0, 320.0, 240.0, 1]}"""
OPEN3D_VIEW = '{"class_name": "PinholeCameraParameters", "intrinsic": ' + OPEN3D + '}'
REALSENSE = """{"width": 640, "height": 480, "ppx": 320.0, "ppy": 240.0, "fx": 500.0, "fy": 510.0,
"model": "Inverse Brown Conrady", "coeffs": [0, 0, 0, 0, 0]}"""
NERF = """{"camera_model": "OPENCV", "fl_x": 500, "fl_y": 510, "cx": 320, "cy": 240, "w": 640,
"h": 480, "k1": 0.1, "k2": -0.2, "p1": 0.001, "p2": 0.002, "frames": []}"""
COLMAP = """# Camera list with one line of data per camera:
#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]
# Number of cameras: 1
1 OPENCV 640 480 500 510 320.5 240.5 0.1 -0.2 0.001 0.002
"""
COLMAP_PLAIN = '3 PINHOLE 640 480 500 510 320.5 240.5\n'
MIDDLEBURY = """cam0=[500 0 320; 0 510 240; 0 0 1]
cam1=[500 0 351.0; 0 510 240; 0 0 1]
doffs=31
baseline=193.001
width=640
height=480
ndisp=280
"""
LENS = (0.1, -0.2, 0.001, 0.002)


@pytest.mark.parametrize(
    ('name', 'text', 'lens'),
    [
        ('opencv.yml', OPENCV, LENS),
        ('tutorial.yml', OPENCV_TUTORIAL, LENS),
        ('tum1.yaml', ORB_SLAM, LENS),
        ('orb3.yaml', ORB_SLAM3, LENS),
        ('camchain.yaml', KALIBR, LENS),
        ('sensor.yaml', EUROC, LENS),
        ('echo.yaml', ECHO, LENS),
        ('ros1.yaml', ECHO.replace('\nk:', '\nK:').replace('\nd:', '\nD:'), LENS),
        ('camera.json', OPEN3D, ()),
        ('view.json', OPEN3D_VIEW, ()),
        ('realsense.json', REALSENSE, ()),
        ('transforms.json', NERF, LENS),
        ('cameras.txt', COLMAP, LENS),
        ('plain/cameras.txt', COLMAP_PLAIN, ()),
        ('calib.txt', MIDDLEBURY, ()),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str, lens: tuple[float, ...]) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    calibration = read_calibration(path)
    assert calibration.raw_camera() == PinholeCamera(640, 480, 500, 510, 320, 240)
    assert calibration.D[:4] == lens
    assert not any(calibration.D[4:])
    assert calibration.distortion_model == 'plumb_bob'


@pytest.mark.parametrize('suffix', ['yaml', 'yml', 'json'])
def test_what_opencv_writes_itself(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f'own.{suffix}'
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write('image_width', 640)
    storage.write('image_height', 480)
    storage.write('K', np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]]))
    storage.write('D', np.array([[0.1, -0.2, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0]]))
    storage.release()
    calibration = read_calibration(path)
    assert calibration.raw_camera() == PinholeCamera(640, 480, 500, 510, 320, 240)
    assert calibration.D == (0.1, -0.2, 0, 0, 0, 0.3, 0, 0)
    assert calibration.distortion_model == 'rational_polynomial'


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('k.yaml', KALIBR.replace('radtan', 'equidistant')),
        (
            'orb.yaml',
            ORB_SLAM.replace('PinHole', 'KannalaBrandt8').replace('p1', 'k3').replace('p2', 'k4'),
        ),
        (
            'fisheye.yml',
            OPENCV.replace('calibration_time:', 'fisheye_model: 1\nt:')
            .replace(', 0. ]\n', ' ]\n')
            .replace('rows: 5', 'rows: 4'),
        ),
        ('cameras.txt', COLMAP.replace('OPENCV', 'OPENCV_FISHEYE')),
    ],
)
def test_fisheye_lenses(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    calibration = read_calibration(tmp_path / name)
    assert calibration.distortion_model == 'equidistant'
    assert calibration.D == LENS


def test_colmap_models(tmp_path: Path) -> None:
    path = tmp_path / 'cameras.txt'
    rows = {
        'SIMPLE_PINHOLE 640 480 500 320.5 240.5': (),
        'SIMPLE_RADIAL 640 480 500 320.5 240.5 0.1': (0.1, 0, 0, 0, 0),
        'RADIAL 640 480 500 320.5 240.5 0.1 0.2': (0.1, 0.2, 0, 0, 0),
        'FULL_OPENCV 640 480 500 500 320.5 240.5 1 2 3 4 5 6 7 8': (1, 2, 3, 4, 5, 6, 7, 8),
    }
    for row, lens in rows.items():
        path.write_text(f'1 {row}\n')
        calibration = read_calibration(path)
        assert calibration.raw_camera() == PinholeCamera(640, 480, 500, 500, 320, 240)
        assert lens == calibration.D


def test_of_several_cameras_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'camchain.yaml'
    path.write_text(KALIBR + KALIBR.replace('cam0', 'cam1').replace('500.0', '550.0'))
    with pytest.raises(CalibrationError, match=r'several cameras: cam0, cam1; name one: .*:cam0'):
        read_calibration(path)
    assert read_calibration(Path(f'{path}:cam1')).raw_camera().fx == 550
    with pytest.raises(CalibrationError, match="no camera 'cam2', but cam0, cam1"):
        read_calibration(Path(f'{path}:cam2'))
    path = tmp_path / 'cameras.txt'
    path.write_text(COLMAP + COLMAP_PLAIN)
    with pytest.raises(CalibrationError, match='several cameras: 1, 3'):
        read_calibration(path)
    assert read_calibration(Path(f'{path}:3')).D == ()


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        (OPENCV.replace('image_width: 640\n', ''), 'states no size of the image; add lines'),
        (ORB_SLAM.replace('Camera.width: 640\n', ''), 'states no size of the image'),
        (KALIBR.replace('pinhole', 'omni'), "camera model is 'omni'; calibrate with pinhole"),
        (KALIBR.replace('radtan', 'fov'), "lens is of the model 'fov'; known are plumb_bob"),
        (COLMAP.replace('OPENCV', 'THIN_PRISM_FISHEYE'), 'of the model THIN_PRISM_FISHEYE'),
        (MIDDLEBURY.replace('width=640\n', ''), 'states no width and height'),
        ('<?xml version="1.0"?>\n<opencv_storage>', 'is XML: have OpenCV write YAML'),
        ('P0: 7.2e+02 0 6.0e+02 0 0 7.2e+02 1.8e+02 0 0 0 1 0\n', 'a calibration of KITTI'),
        ('# oST version 5.0 parameters\n\n\n[image]\n\nwidth\n640\n', r'the \.ini of camera'),
        ('{"name": "Ann", "age": 4}', 'is no calibration: it holds name, age; read are'),
        ('just words', 'is no calibration, but a str'),
        (ECHO.replace('k: [500.0', 'k: [0.0'), 'the camera is not calibrated'),
        (OPEN3D.replace('500.0', '5.0').replace('510.0', '5.0'), 'must be in pixels'),
    ],
)
def test_what_was_found_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / 'some.yaml'
    path.write_text(text)
    with pytest.raises(CalibrationError, match=reason) as refused:
        read_calibration(path)
    assert str(path) in str(refused.value)


def test_binary_files_are_no_calibration(tmp_path: Path) -> None:
    np.savez(tmp_path / 'calib.npz', mtx=np.eye(3), dist=np.zeros(5))
    with pytest.raises(CalibrationError, match='is no text; read are'):
        read_calibration(tmp_path / 'calib.npz')

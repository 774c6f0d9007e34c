"""Calibrations in YAML or JSON: ROS, OpenCV, Kalibr, ORB-SLAM, Open3D, RealSense."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError
from ..core.files.camera_info import calibration_from_info

Table = Mapping[str, Any]
Cameras = dict[str, Callable[[], CameraCalibration]]

_SIZES = (
    *(('imagewidth', 'imageheight'), ('width', 'height'), ('w', 'h')),
    *(('camerawidth', 'cameraheight'), ('cols', 'rows')),
)
_SIZE = ('imagesize', 'resolution', 'size')
_MATRIX = ('cameramatrix', 'k', 'intrinsicmatrix', 'intrinsics', 'mtx')
_DISTORTION = (
    *('distortioncoefficients', 'distortioncoeffs', 'distcoeffs', 'distcoefs', 'distortion'),
    *('d', 'dist', 'coeffs'),
)
_FOCAL = (('fx', 'fy'), ('flx', 'fly'))
_CENTER = (('cx', 'cy'), ('ppx', 'ppy'))
_BROWN = ('k1', 'k2', 'p1', 'p2', 'k3')
_MODELS = {
    **dict.fromkeys(('plumbbob', 'radtan', 'radialtangential', 'brownconrady'), 'plumb_bob'),
    **dict.fromkeys(('opencv', 'pinhole', 'distortionbrownconrady', ''), 'plumb_bob'),
    **dict.fromkeys(('rationalpolynomial', 'rational'), 'rational_polynomial'),
    **dict.fromkeys(('equidistant', 'equi', 'fisheye', 'kannalabrandt', 'kb4'), 'equidistant'),
    **dict.fromkeys(('kannalabrandt8', 'kannalabrandt4', 'opencvfisheye'), 'equidistant'),
    **dict.fromkeys(('none', 'rectified', 'distortionnone'), ''),
}
"""Names of lenses, in small letters and digits, -> ROS's; '' = no distortion."""
_PLUMB_BOB_COUNT = 5


def kalibr_cameras(table: Table) -> Cameras:
    """Return the cameras of a camchain of Kalibr, or the one of a sensor.yaml of EuRoC."""
    named = {'': table} if _is_kalibr(table) else {n: t for n, t in table.items() if _is_kalibr(t)}
    return {name: partial(_kalibr_camera, camera) for name, camera in named.items()}


def orb_slam_cameras(table: Table) -> Cameras:
    """Return the cameras of a settings file of ORB-SLAM: Camera.fx, Camera1.fx, Camera2.fx."""
    starts = [name.removesuffix('fx') for name in table if re.fullmatch(r'Camera\d?\.fx', name)]
    return {start.rstrip('.'): partial(_orb_slam_camera, table, start) for start in starts}


def message_camera(table: Table) -> Cameras:
    """Return the camera of a printed CameraInfo message."""
    lower = {name.lower(): value for name, value in table.items()}
    is_message = {'header', 'width', 'k', 'p'} <= lower.keys()
    return {'': partial(_message_camera, lower)} if is_message else {}


def open3d_camera(table: Table) -> Cameras:
    """Return the camera of Open3D, whose matrix is written column by column."""
    inner = table.get('intrinsic', table)
    if not isinstance(inner, Mapping) or 'intrinsic_matrix' not in inner:
        return {}
    return {'': partial(_matrix_camera, inner, transpose=True)}


def matrix_camera(table: Table) -> Cameras:
    """Return the camera of a file with a 3x3 matrix: camera_calibration, OpenCV and others."""
    values = _plain_names(table)
    has_matrix = any(_is_matrix(values.get(name)) for name in _MATRIX)
    return {'': partial(_matrix_camera, table)} if has_matrix else {}


def flat_camera(table: Table) -> Cameras:
    """Return the camera of a file with fx, fy, cx, cy: RealSense, nerfstudio and others."""
    values = _plain_names(table)
    focal, center = _pair(values, _FOCAL), _pair(values, _CENTER)
    if focal is None or center is None:
        return {}
    return {'': partial(_flat_camera, values, [*focal, *center])}


def _kalibr_camera(camera: Table) -> CameraCalibration:
    model = camera['camera_model']
    if model != 'pinhole':
        raise CalibrationError(
            f'its camera model is {model!r}', 'calibrate with pinhole-radtan or pinhole-equi'
        )
    distortion = camera.get('distortion_coeffs', camera.get('distortion_coefficients', ()))
    lens = str(camera.get('distortion_model', ''))
    return calibration_of(_plain_names(camera), camera['intrinsics'], distortion, lens)


def _is_kalibr(camera: Any) -> bool:
    return isinstance(camera, Mapping) and {'camera_model', 'intrinsics'} <= camera.keys()


def _orb_slam_camera(table: Table, start: str) -> CameraCalibration:
    lens = str(table.get('Camera.type', ''))
    order = ('k1', 'k2', 'k3', 'k4') if _plain(lens).startswith('kannala') else _BROWN
    numbers = {name: table.get(f'{start}{name}', 0.0) for name in order}
    intrinsics = [table[f'{start}{name}'] for name in ('fx', 'fy', 'cx', 'cy')]
    return calibration_of(_plain_names(table), intrinsics, list(numbers.values()), lens)


def _message_camera(message: Table) -> CameraCalibration:
    roi = {'x_offset': 0, 'y_offset': 0, 'width': 0, 'height': 0, **(message.get('roi') or {})}
    fields = {'d': (), 'r': (), 'binning_x': 0, 'binning_y': 0, **message}
    info = SimpleNamespace(**{**fields, 'roi': SimpleNamespace(**roi)})
    calibration = calibration_from_info(info)
    if calibration is None:
        raise CalibrationError('its K begins with 0: the camera is not calibrated')
    return calibration


def _matrix_camera(table: Table, transpose: bool = False) -> CameraCalibration:
    values = _plain_names(table)
    matrix = next(_numbers(values[name]) for name in _MATRIX if _is_matrix(values.get(name)))
    k = matrix.reshape(3, 3).T if transpose else matrix.reshape(3, 3)
    distortion = next((values[name] for name in _DISTORTION if name in values), ())
    lens = str(values.get('distortionmodel', values.get('model', '')))
    is_fisheye = any(values.get(name) in (1, True) for name in ('fisheyemodel', 'fisheye'))
    r, p = (values.get(name) for name in ('rectificationmatrix', 'projectionmatrix'))
    return calibration_of(values, k, distortion, 'fisheye' if is_fisheye else lens, r, p)


def _flat_camera(values: Table, intrinsics: list[Any]) -> CameraCalibration:
    lens = str(values.get('distortionmodel', values.get('cameramodel', values.get('model', ''))))
    listed = next((values[name] for name in _DISTORTION if name in values), None)
    order = ('k1', 'k2', 'k3', 'k4') if _MODELS.get(_plain(lens)) == 'equidistant' else _BROWN
    distortion = [values.get(name, 0.0) for name in order] if listed is None else listed
    return calibration_of(values, intrinsics, distortion, lens)


def calibration_of(
    values: Table,
    intrinsics: Any,
    distortion: Any,
    lens: str,
    r: Any = None,
    p: Any = None,
) -> CameraCalibration:
    """Return the calibration of (fx, fy, cx, cy) or a matrix; `values` state the size."""
    k = _numbers(intrinsics)
    if k.size == 4:
        fx, fy, cx, cy = k
        k = np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1])
    d = _numbers(distortion)
    model = _MODELS.get(_plain(lens))
    if model is None and d.any():
        raise CalibrationError(
            f'its lens is of the model {lens!r}',
            'known are plumb_bob (radtan), rational_polynomial and equidistant (fisheye)',
        )
    if model != 'equidistant' and (not model or not d.any()):
        d = np.zeros(0)
    if model != 'equidistant':
        model = 'plumb_bob' if d.size <= _PLUMB_BOB_COUNT else 'rational_polynomial'
    width, height = _size(values)
    rest = [() if matrix is None else _numbers(matrix) for matrix in (r, p)]
    return CameraCalibration.of_numbers(width, height, k, d, model, *rest)


def _size(values: Table) -> tuple[int, int]:
    listed = next((values[name] for name in _SIZE if name in values), None)
    pair = _pair(values, _SIZES) if listed is None else _numbers(listed)
    if pair is None or len(pair) != 2:
        raise CalibrationError(
            'it states no size of the image', 'add lines image_width: ... and image_height: ...'
        )
    return int(pair[0]), int(pair[1])


def _numbers(value: Any) -> npt.NDArray[np.float64]:
    """Return the numbers of a list, however nested, or of a matrix with `data`."""
    data = value.get('data', ()) if isinstance(value, Mapping) else value
    return np.asarray(data, np.float64).ravel()


def _is_matrix(value: Any) -> bool:
    if isinstance(value, Mapping):
        return 'data' in value
    return isinstance(value, list) and len(value) in (3, 9)


def _pair(values: Table, names: tuple[tuple[str, str], ...]) -> tuple[Any, Any] | None:
    return next(((values[a], values[b]) for a, b in names if a in values and b in values), None)


def _plain_names(table: Table) -> dict[str, Any]:
    return {_plain(name): value for name, value in table.items()}


def _plain(name: str) -> str:
    """Return a name in small letters and digits, without what separates its words."""
    return re.sub('[^a-z0-9]', '', str(name).lower())

"""Calibrations in lines of text: COLMAP, Middlebury."""

import re
from collections.abc import Callable
from functools import partial

from ..core.camera.calibration import CameraCalibration
from ..core.errors import CalibrationError
from .calibration_tables import calibration_of

_COLMAP_LINE = re.compile(r'^(\d+)[ \t]+([A-Z][A-Z_0-9]*)[ \t]+(\d+)[ \t]+(\d+)((?:[ \t]+\S+)+)$')
_COLMAP = {
    'SIMPLE_PINHOLE': 'f cx cy',
    'PINHOLE': 'fx fy cx cy',
    'SIMPLE_RADIAL': 'f cx cy k1',
    'RADIAL': 'f cx cy k1 k2',
    'OPENCV': 'fx fy cx cy k1 k2 p1 p2',
    'OPENCV_FISHEYE': 'fx fy cx cy k1 k2 k3 k4',
    'FULL_OPENCV': 'fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6',
}
"""Models of COLMAP that ROS has, too -> their parameters, those of the lens in ROS's order."""
_CORNER_TO_CENTER = -0.5
"""COLMAP counts from the corner of the first pixel, ROS and OpenCV from its center."""

_MIDDLEBURY_MATRIX = re.compile(r'^(cam\d)\s*=\s*\[([^\]]*)\]', re.MULTILINE)
_MIDDLEBURY_SIDE = re.compile(r'^(width|height)\s*=\s*(\d+)\s*$', re.MULTILINE)
_LEFT = 'cam0'

_UNREAD = {
    r'\s*<\?xml|\s*<opencv_storage': 'XML: have OpenCV write YAML (a file called .yaml)',
    r'\s*(?:calib_time:.*\n)?\s*(?:P0|S_00|K_00|corner_dist):': (
        'a calibration of KITTI, which mixes cameras and states sizes elsewhere: write P of your '
        'camera as projection_matrix of a YAML'
    ),
    r'[^\n]*\n?\s*\[image\]': 'the .ini of camera_calibration: take its .yaml',
    r'\s*<(?:!DOCTYPE )?html': 'a web page',
}
"""How other texts begin -> what they are."""


def colmap_cameras(text: str) -> dict[str, Callable[[], CameraCalibration]]:
    """Return the cameras of a cameras.txt by their numbers, none if it is no such text."""
    lines = [line.strip() for line in text.splitlines()]
    rows = [line for line in lines if line and not line.startswith('#')]
    found = [_COLMAP_LINE.match(row) for row in rows]
    if not rows or None in found:
        return {}
    return {row[1]: partial(_colmap_camera, row) for row in found if row is not None}


def _colmap_camera(row: re.Match[str]) -> CameraCalibration:
    _, model, width, height, rest = row.groups()
    if model not in _COLMAP:
        raise CalibrationError(
            f'its camera {row[1]} is of the model {model}',
            f'undistort the pictures with COLMAP, or choose one of {", ".join(_COLMAP)}',
        )
    names, numbers = _COLMAP[model].split(), [float(number) for number in rest.split()]
    if len(names) != len(numbers):
        raise CalibrationError(f'{model} has {len(numbers)} numbers; it takes {names}')
    value = dict(zip(names, numbers, strict=True))
    fx, fy = (value[name] if name in value else value['f'] for name in ('fx', 'fy'))
    cx, cy = (value[name] + _CORNER_TO_CENTER for name in ('cx', 'cy'))
    d = [number for name, number in value.items() if name[0] in 'kp']
    is_fisheye = model == 'OPENCV_FISHEYE'
    if not is_fisheye:
        d += [0.0] * (5 - len(d))
    size = {'width': width, 'height': height}
    return calibration_of(size, (fx, fy, cx, cy), d, 'fisheye' if is_fisheye else 'opencv')


def middlebury_cameras(text: str) -> dict[str, Callable[[], CameraCalibration]]:
    """Return the left camera of a calib.txt of Middlebury or ETH3D, none if it is no such text."""
    matrices = {found[1]: found[2] for found in _MIDDLEBURY_MATRIX.finditer(text)}
    if _LEFT not in matrices:
        return {}
    return {_LEFT: partial(_middlebury_camera, text, matrices[_LEFT])}


def _middlebury_camera(text: str, matrix: str) -> CameraCalibration:
    size = dict(_MIDDLEBURY_SIDE.findall(text))
    if not all(map(int, (size.get('width', 0), size.get('height', 0)))):
        raise CalibrationError('it states no width and height', 'add width=... and height=...')
    return calibration_of(size, [row.split() for row in matrix.split(';')], (), 'pinhole')


def unread_text(text: str) -> str:
    """Return what a text of a known other format is and what to do, '' for all others."""
    return next((what for start, what in _UNREAD.items() if re.match(start, text)), '')

"""Calibrations from the files of camera_calibration, OpenCV, SLAM systems and data sets."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.camera.calibration import CameraCalibration
from ..core.camera.plausibility import require_plausible
from ..core.errors import CalibrationError
from ..core.files.yaml_texts import MAX_TEXT_BYTES
from ..core.parsing import parsing, read_bytes
from ..core.yaml_loading import plain_yaml
from .calibration_tables import (
    flat_camera,
    kalibr_cameras,
    matrix_camera,
    message_camera,
    open3d_camera,
    orb_slam_cameras,
)
from .calibration_texts import colmap_cameras, middlebury_cameras, unread_text

Cameras = Mapping[str, Callable[[], CameraCalibration]]

READ = (
    'camera_calibration YAML, `ros2 topic echo camera_info`, OpenCV FileStorage (YAML, JSON), '
    'Kalibr camchain, ORB-SLAM YAML, Open3D and RealSense JSON, COLMAP cameras.txt, Middlebury '
    'calib.txt'
)
"""The formats, for messages."""

_OF_TEXTS: tuple[Callable[[str], Cameras], ...] = (colmap_cameras, middlebury_cameras)
_OF_TABLES: tuple[Callable[[Mapping[str, Any]], Cameras], ...] = (
    kalibr_cameras,
    orb_slam_cameras,
    message_camera,
    open3d_camera,
    matrix_camera,
    flat_camera,
)
_SHOWN = 6


def read_calibration(path: Path) -> CameraCalibration:
    """Return the calibration in a file of any of the formats `READ`.

    Of several cameras in a file one is named behind a colon: camchain.yaml:cam1. Rectification
    and projection may be missing: then they are the identity and the camera matrix.

    Raises:
        CalibrationError: The file cannot be read, or is no plausible calibration.
    """
    file, wanted = path, ''
    if not path.exists() and ':' in path.name:
        stem, _, wanted = path.name.rpartition(':')
        file = path.with_name(stem)
    content = read_bytes(file, MAX_TEXT_BYTES, CalibrationError)
    with parsing(file, 'calibration', CalibrationError, f'read are {READ}'):
        if b'\0' in content:
            raise CalibrationError(f'{file} is no text', f'read are {READ}')
        cameras = _cameras(file, content.decode('utf-8-sig'))
        calibration = _chosen(file, cameras, wanted)()
        require_plausible(calibration)
        return calibration


def _cameras(file: Path, text: str) -> Cameras:
    for of_text in _OF_TEXTS:
        if cameras := of_text(text):
            return cameras
    if what := unread_text(text):
        raise CalibrationError(f'{file} is {what}', f'read are {READ}')
    table = json.loads(text) if text.lstrip().startswith('{') else plain_yaml(text)
    if isinstance(table, Mapping):
        named = {str(name): value for name, value in table.items()}
        for of_table in _OF_TABLES:
            if cameras := of_table(named):
                return cameras
        found = ', '.join(list(named)[:_SHOWN]) + (', ...' if len(named) > _SHOWN else '')
        raise CalibrationError(f'{file} is no calibration: it holds {found}', f'read are {READ}')
    raise CalibrationError(f'{file} is no calibration, but a {type(table).__name__}')


def _chosen(file: Path, cameras: Cameras, wanted: str) -> Callable[[], CameraCalibration]:
    names = ', '.join(cameras)
    if wanted and wanted not in cameras:
        raise CalibrationError(f'{file} has no camera {wanted!r}, but {names or "one"}')
    if not wanted and len(cameras) > 1:
        first = next(iter(cameras))
        raise CalibrationError(
            f'{file} holds several cameras: {names}', f'name one: --calibration {file}:{first}'
        )
    return cameras[wanted] if wanted else next(iter(cameras.values()))

"""Calibrations as camera_calibration writes them (YAML)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..core.camera.calibration import CameraCalibration, Matrix
from ..core.errors import CalibrationError


def read_calibration(path: Path) -> CameraCalibration:
    """Return the calibration in a file of image_width, camera_matrix and so on.

    Rectification and projection may be missing: then they are the identity and the camera matrix.

    Raises:
        CalibrationError: The file cannot be read, or is none, or has nonsense in it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise CalibrationError(f'{path} cannot be read: {error.strerror}') from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise CalibrationError(f'{path} is no YAML: {error}') from error
    try:
        return _calibration(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f'{error} is missing' if isinstance(error, KeyError) else str(error)
        raise CalibrationError(
            f'{path} is no calibration of camera_calibration: {reason}'
        ) from error


def _calibration(content: Mapping[str, Any]) -> CameraCalibration:
    intrinsics = _matrix(content['camera_matrix'], 3, 3)
    rotation, projection = (content.get(f'{name}_matrix') for name in _OPTIONAL)
    return CameraCalibration(
        width=int(content['image_width']),
        height=int(content['image_height']),
        K=intrinsics,
        D=tuple(map(float, content.get('distortion_coefficients', {}).get('data', ()))),
        distortion_model=str(content.get('distortion_model', 'plumb_bob')),
        R=_matrix(rotation, 3, 3) if rotation else _rows(np.eye(3)),
        P=_matrix(projection, 3, 4) if projection else tuple((*row, 0.0) for row in intrinsics),
    )


_OPTIONAL = ('rectification', 'projection')


def _matrix(entry: Mapping[str, Any], rows: int, columns: int) -> Matrix:
    return _rows(np.array(entry['data'], np.float64).reshape(rows, columns))


def _rows(matrix: np.ndarray) -> Matrix:
    return tuple(map(tuple, matrix.tolist()))

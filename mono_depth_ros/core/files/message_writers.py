"""The fields of outgoing messages as plain values, for the message classes of any library."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from ..camera.pinhole import PinholeCamera

BYTE_PLACES = (2, 1, 0) if sys.byteorder == 'little' else (1, 2, 3)
"""Which byte of 0x00RRGGBB is red, green, blue; PCL and RViz read a float32 of these bits."""
_FLOAT32 = 7  # sensor_msgs/PointField.FLOAT32


def image_fields(pixels: npt.NDArray[Any], encoding: str) -> dict[str, Any]:
    """Return the fields of a sensor_msgs/Image of (H, W[, C]), header left out; data is uint8."""
    return {
        'height': pixels.shape[0],
        'width': pixels.shape[1],
        'encoding': encoding,
        'is_bigendian': int(sys.byteorder == 'big'),
        'step': pixels[:1].nbytes,
        'data': _bytes(pixels),
    }


def camera_info_fields(camera: PinholeCamera) -> dict[str, Any]:
    """Return the fields of a sensor_msgs/CameraInfo, without header and roi, of a rectified image.

    No distortion, R identity, P = K, no binning.
    """
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return {
        'height': camera.height,
        'width': camera.width,
        'distortion_model': 'plumb_bob',
        'd': np.zeros(5),
        'k': np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64),
        'r': np.eye(3).ravel(),
        'p': np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        'binning_x': 0,
        'binning_y': 0,
    }


def cloud_fields(points: npt.NDArray[np.float32], *, is_dense: bool) -> dict[str, Any]:
    """Return the fields of a sensor_msgs/PointCloud2, header left out; data is uint8.

    Points are (N, C) or, for an organized cloud, (H, W, C) float32. C = 3 is x y z [m]; C = 4 also
    the color as the bits 0x00RRGGBB, C = 5 a standard deviation [m]. `is_dense` says that no point
    is NaN.

    Raises:
        ValueError: The array has another shape or type.
    """
    names = ('x', 'y', 'z', 'rgb', 'uncertainty')[: points.shape[-1]]
    is_known = points.ndim in (2, 3) and points.shape[-1] in (3, 4, 5)
    if not is_known or points.dtype != np.float32:
        raise ValueError(
            f'points are {points.dtype} {points.shape}; float32 (N, 3 to 5) or (H, W, 3 to 5)'
        )
    height, width = points.shape[:2] if points.ndim == 3 else (1, len(points))
    return {
        'height': height,
        'width': width,
        'fields': [
            {'name': name, 'offset': 4 * i, 'datatype': _FLOAT32, 'count': 1}
            for i, name in enumerate(names)
        ],
        'is_bigendian': sys.byteorder == 'big',
        'point_step': 4 * len(names),
        'row_step': 4 * len(names) * width,
        'data': _bytes(points),
        'is_dense': is_dense,
    }


def unpack_color(packed: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return (..., 3) uint8 RGB of (...) float32 whose bits are 0x00RRGGBB."""
    parts = np.ascontiguousarray(packed, np.float32)[..., None].view(np.uint8)
    return np.ascontiguousarray(parts[..., list(BYTE_PLACES)])


def _bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)

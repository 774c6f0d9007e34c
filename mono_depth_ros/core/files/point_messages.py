"""Coordinates of points from messages of clouds."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import PointsError
from .message_protocols import PointCloudFields

_TYPES = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 8: 'f8'}
"""`datatype` of a sensor_msgs/PointField -> type of its values."""


def cloud_to_points(msg: PointCloudFields) -> npt.NDArray[np.float64]:
    """Return (N, 3) x y z [m] of the points of a cloud, in its order, organized or not.

    Points with a coordinate that is not finite are left out. x, y and z may have any type and lie
    anywhere in a point; bytes between points and rows are skipped.

    Raises:
        PointsError: A coordinate is missing, or sizes and data contradict each other.
    """
    places = [_place(msg, name) for name in ('x', 'y', 'z')]
    width, height, step = msg.width, msg.height, msg.point_step
    size = f'a cloud of {width}x{height} points has point_step {step}, row_step {msg.row_step}'
    if width < 0 or height < 0:
        raise PointsError(f'{size}; a count cannot be negative')
    if not width or not height:
        return np.empty((0, 3))
    end = max(offset + dtype.itemsize for offset, dtype in places)
    if step < end:
        raise PointsError(f'{size}; its coordinates end at byte {end} of a point')
    # Of a single row, many drivers do not state the step.
    row_step = step * width if height == 1 else msg.row_step
    if row_step < step * width:
        raise PointsError(f'{size}; a row of points has {step * width} bytes')
    needed = (height - 1) * row_step + width * step
    if len(msg.data) < needed:
        raise PointsError(f'{size} and {len(msg.data)} bytes; these are {needed} bytes')
    grid = np.empty((height, width, 3))
    for axis, (offset, dtype) in enumerate(places):
        strides = row_step, step
        with np.errstate(invalid='ignore'):  # of NaN that signal
            grid[..., axis] = np.ndarray((height, width), dtype, msg.data, offset, strides)
    points = grid.reshape(-1, 3)
    return points[np.isfinite(points).all(axis=1)]


def _place(msg: PointCloudFields, name: str) -> tuple[int, np.dtype[Any]]:
    """Return where in a point a coordinate begins [bytes], and its type."""
    field = next((field for field in msg.fields if field.name == name), None)
    if field is None:
        names = ', '.join(field.name for field in msg.fields) or 'no fields'
        raise PointsError(f'a cloud has {names}; x, y and z are needed')
    if field.datatype not in _TYPES:
        raise PointsError(f'field {name} of a cloud has datatype {field.datatype}; 1 to 8 exist')
    if field.offset < 0:
        raise PointsError(
            f'field {name} of a cloud has offset {field.offset}; it must be 0 or more'
        )
    order = '>' if msg.is_bigendian else '<'
    return field.offset, np.dtype(order + _TYPES[field.datatype])

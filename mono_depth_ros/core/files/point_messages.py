"""Coordinates of points from messages of clouds and of laser scans."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import PointsError
from .message_protocols import LaserScanFields, PointCloudFields

FloatArray = npt.NDArray[np.float64]

_MOST_TURN = 2.2 * math.pi
"""Angle between the first and the last ray of a scan; some drivers overlap a little."""
_LONGEST_S = 2.0
"""A scan that takes longer is none of a robot's laser: they turn 5 to 40 times a second."""
NO_ECHO_M = (65.533, 65.535)
"""What drivers of lasers and ToF sensors send where nothing came back: 16 bits of millimeters."""
_SAME_M = 1e-5  # single precision says that of 65 m
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


def scan_to_points(msg: LaserScanFields) -> tuple[FloatArray, FloatArray]:
    """Return the points that a laser scan saw, and when during the scan it saw each.

    Rays without an echo within the range of the laser are left out (REP-117). So are those of
    exactly `range_max`, as laser_geometry does it, and of `NO_ECHO_M`: that is what drivers send
    who do not send infinity.

    Returns:
        (N, 3) x y z [m] in the frame of the laser (x along angle 0, z along its axis), and (N,)
        seconds after the stamp.

    Raises:
        PointsError: The angles or the range make no scan.
    """
    ranges = np.asarray(msg.ranges, np.float64)
    limits = f'range_min {msg.range_min}, range_max {msg.range_max}'
    steps = f'angle_min {msg.angle_min}, angle_increment {msg.angle_increment}'
    if not 0 <= msg.range_min < msg.range_max:
        raise PointsError(f'a laser scan has {limits} [m]', '0 <= range_min < range_max must hold')
    turn = abs(msg.angle_increment) * len(ranges)
    if not ((math.isfinite(msg.angle_min) and 0 < turn <= _MOST_TURN) or len(ranges) == 0):
        raise PointsError(
            f'a laser scan of {len(ranges)} rays has {steps} [rad]',
            'the angles must be finite, in radians, and not go round twice',
        )
    if not 0 <= msg.time_increment * len(ranges) < _LONGEST_S:
        raise PointsError(
            f'a laser scan of {len(ranges)} rays has time_increment {msg.time_increment} s',
            'it must be the time between two rays, or 0',
        )
    angles = msg.angle_min + msg.angle_increment * np.arange(len(ranges))
    seen = (ranges >= msg.range_min) & (ranges < msg.range_max) & has_echo(ranges)
    rays = np.stack((np.cos(angles), np.sin(angles), np.zeros_like(angles)), axis=1)
    passed_s = np.flatnonzero(seen).astype(np.float64) * msg.time_increment
    return rays[seen] * ranges[seen, None], passed_s


def has_echo(distances: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which distances [m] of any shape are finite, and not what drivers send for none."""
    found = np.isfinite(distances)
    for marker in NO_ECHO_M:
        found &= np.abs(distances - marker) > _SAME_M
    return found


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

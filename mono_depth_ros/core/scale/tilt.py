"""Tilt of a camera against gravity, from a parameter, an accelerometer or a rotation."""

import math
from dataclasses import dataclass

from ..errors import AlignmentError

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""x, y, z, w, as ROS orders them."""

_STANDARD_GRAVITY = 9.80665
_GRAVITY_TOLERANCE = 0.15  # relative; a mean acceleration off by more is not of a camera at rest
_TIME_CONSTANT_S = 0.5  # of the mean: longer than the vibration of a base, shorter than a ramp
_MAX_AGE_S = 1.0


@dataclass(frozen=True)
class Tilt:
    """Attitude of an optical frame (x right, y down, z forward) to the level floor.

    Down is (sin r cos p, cos r cos p, sin p) in it.

    Attributes:
        pitch_rad: p, positive = looking down.
        roll_rad: r, positive = turned clockwise, seen from behind the camera.
    """

    pitch_rad: float
    roll_rad: float = 0.0

    @property
    def down(self) -> Vector:
        """The unit vector that points down, in the optical frame."""
        across, roll = math.cos(self.pitch_rad), self.roll_rad
        return math.sin(roll) * across, math.cos(roll) * across, math.sin(self.pitch_rad)

    @classmethod
    def of_down(cls, down: Vector) -> 'Tilt':
        """Return the tilt of an optical frame in which this vector, of any length, points down."""
        x, y, z = down
        return cls(math.atan2(z, math.hypot(x, y)), math.atan2(x, y))


class Gravity:
    """Direction of gravity from an accelerometer, averaged over half a second.

    At rest an accelerometer reads 9.81 m/s^2 upwards (REP-145). `stamp_ns` is that of the latest
    reading [ns], 0 before the first.
    """

    def __init__(self) -> None:
        self._mean: Vector | None = None
        self.stamp_ns = 0

    def add(self, stamp_ns: int, acceleration: Vector) -> None:
        """Add a reading [m/s^2] if it is finite; a stamp that jumps restarts the mean."""
        if not all(map(math.isfinite, acceleration)):
            return
        passed_s = (stamp_ns - self.stamp_ns) / 1e9
        self.stamp_ns = stamp_ns
        if self._mean is None or not 0 <= passed_s < _MAX_AGE_S:
            self._mean = acceleration
            return
        share = 1 - math.exp(-passed_s / _TIME_CONSTANT_S)
        x, y, z = (m + share * (a - m) for m, a in zip(self._mean, acceleration, strict=True))
        self._mean = x, y, z

    def down(self, stamp_ns: int) -> Vector:
        """Return the direction of gravity near a stamp [ns], in the accelerometer's frame.

        Raises:
            AlignmentError: There is no reading near that stamp, or the mean is not gravity.
        """
        if self._mean is None:
            raise AlignmentError('no imu message came, and alignment.camera_pitch_from is imu')
        apart_s = abs(stamp_ns - self.stamp_ns) / 1e9
        if apart_s > _MAX_AGE_S:
            what = f'the newest imu message is {apart_s:.1f} s away from the image'
            raise AlignmentError(what, f'at most {_MAX_AGE_S} s are allowed')
        x, y, z = self._mean
        length = math.hypot(x, y, z)
        if abs(length / _STANDARD_GRAVITY - 1) > _GRAVITY_TOLERANCE:
            what = f'the mean acceleration of the imu is {length:.2f} m/s^2'
            rule = f'with gravity in it, as REP-145 demands, it is about {_STANDARD_GRAVITY:.2f}'
            raise AlignmentError(what, rule)
        return -x, -y, -z


def optical_rotation(pitch_rad: float) -> Quaternion:
    """Return the orientation (x, y, z, w) of an optical frame in a base frame (REP-103).

    The camera looks along the base's x, and down by the pitch (positive = looking down) [rad].
    """
    # A turn by the pitch about y (left), after the quarter turns (-1/2, 1/2, -1/2, 1/2).
    s, c = math.sin(pitch_rad / 2), math.cos(pitch_rad / 2)
    return -(c + s) / 2, (c + s) / 2, (s - c) / 2, (c - s) / 2

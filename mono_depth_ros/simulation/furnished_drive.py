"""The drive of the demo: once round the furnished room, past its tables and chairs."""

import math

import torch

from .drive import SAMPLES, Drive
from .furnished_room import furnished_room
from .pose import Pose

HEIGHT_M = 1.15
PITCH_DEG = 20.0
"""Of a camera on a robot that serves tables: above their tops, with the floor in view."""
_STOPS = (
    # x, y of the camera and of what it looks at [m]
    (-0.55, -0.35, 1.9, 1.35),  # the dining table
    (0.35, -0.75, 2.2, 1.2),
    (0.85, -0.9, 3.0, -1.0),  # the desk
    (0.75, -0.55, 1.6, -1.9),
    (0.35, 0.1, -1.6, -1.8),  # the sofa
    (-0.15, 0.7, -2.2, -1.2),
    (-0.65, 1.05, -3.0, 0.6),  # armchair and shelf
    (-0.85, 0.5, -1.2, 2.4),
)


class FurnishedDrive(Drive):
    """A round trip at constant speed; height and pitch stay the same.

    Args:
        speed_m_s: Speed along the path [m/s].
    """

    def __init__(self, speed_m_s: float = 0.6) -> None:
        self.height_m = HEIGHT_M
        self.scene = furnished_room()
        stops = torch.tensor(_STOPS, dtype=torch.float64)
        curve = _closed_curve(stops)
        self._targets = torch.cat((curve[:, 2:], curve[:1, 2:]))
        self._follow(curve[:, :2], speed_m_s)

    def pose_at(self, t_s: float) -> Pose:
        """Return the pose at a time [s]; rounds repeat."""
        phase = (t_s / self.period_s) % 1.0
        place, target = self._point(phase), self._between(self._targets, phase)
        x, y = (target - place).tolist()
        yaw = math.atan2(y, x)
        return Pose.looking((*place.tolist(), self.height_m), yaw, math.radians(PITCH_DEG))


def _closed_curve(stops: torch.Tensor) -> torch.Tensor:
    """Return (SAMPLES, C) of a smooth closed curve through (S, C): trigonometric interpolation."""
    count = len(stops)
    spectrum = torch.fft.rfft(stops, dim=0)
    if count % 2 == 0:
        spectrum[-1] /= 2  # of two equal frequencies, one is kept
    curve: torch.Tensor = torch.fft.irfft(spectrum * (SAMPLES / count), n=SAMPLES, dim=0)
    return curve

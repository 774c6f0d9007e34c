"""How a camera sits on a robot."""

import math


def optical_rotation(pitch_rad: float) -> tuple[float, float, float, float]:
    """Return the orientation (x, y, z, w) of an optical frame in a base frame (REP-103).

    The base frame has x forward, y left, z up; the optical one z forward, x right, y down. The
    camera looks along the base's x, and down by the pitch (positive = looking down) [rad].
    """
    # A turn by the pitch about y (left), after the quarter turns (-1/2, 1/2, -1/2, 1/2).
    s, c = math.sin(pitch_rad / 2), math.cos(pitch_rad / 2)
    return -(c + s) / 2, (c + s) / 2, (s - c) / 2, (c - s) / 2

"""Where a sensor stood, seen from an image of another time: by TF, as far as that is known."""

import math

import numpy as np
import pytest

from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import TransformError
from mono_depth_ros.core.scale.sensor_reading import SensorPlacement

MS = 1_000_000
RATE = 1.0
"""The robot turns by 1 rad/s; odometry is known up to a stamp."""


class Turning:
    """TF of a robot that carries camera and laser and turns on the spot."""

    def __init__(self, known_until_ns: int) -> None:
        self.known_until_ns = known_until_ns

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        if {target, source} == {'camera', 'laser'}:
            return RigidTransform.identity()
        assert stamp_ns is not None
        if stamp_ns > self.known_until_ns:
            raise TransformError(f'{stamp_ns} is later than all that is known')
        half = RATE * stamp_ns / 1e9 / 2
        place = RigidTransform.of((0, 0, 0), (0, 0, math.sin(half), math.cos(half)))
        return place if target == 'odom' else place.inverse()


def turned_rad(
    known_until_ns: int, image_ns: int, scan_ns: int, passed_s: float, said: list[str]
) -> float:
    frames = Turning(known_until_ns)
    placement = SensorPlacement(
        frames, ('camera', image_ns), ('laser', scan_ns), 'odom', said.append
    )
    x, y, _ = placement.pose_at(passed_s).apply(np.array([[1.0, 0.0, 0.0]]))[0]
    return math.atan2(y, x)


@pytest.mark.parametrize(
    ('known_until_ns', 'passed_s', 'expected'),
    [
        (1000 * MS, 0.0, -0.05),  # all is known
        (1000 * MS, 0.05, 0.0),
        (995 * MS, 0.0, -0.04),  # 10 ms of the turn are not
        (940 * MS, 0.05, 0.0),  # both ends of that are the last that is known
    ],
)
def test_where_odometry_lags_its_last_place_counts(
    known_until_ns: int, passed_s: float, expected: float
) -> None:
    said: list[str] = []
    found = turned_rad(known_until_ns, 1000 * MS, 950 * MS, passed_s, said)
    assert found == pytest.approx(expected, abs=0.011)
    assert not said


def test_where_it_lags_more_the_robot_is_taken_to_stand_still_and_that_is_said() -> None:
    said: list[str] = []
    assert turned_rad(890 * MS, 1000 * MS, 850 * MS, 0.0, said) == 0
    assert len(said) == 1
    assert '1000000000 is later than all that is known' in said[0]

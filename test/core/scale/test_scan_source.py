"""Source `scan`: where the rays of a laser end in an image."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import AlignmentError, PointsError
from mono_depth_ros.core.files.point_messages import scan_to_points
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.scan_source import ScanSource, placed_at_stamp
from mono_depth_ros.core.scale.sensor_reading import SensorReading
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera.from_fov(160, 120, 90.0)
# x forward and z up, as lasers have it, 0.3 m below the camera: optical x right, y down.
BELOW = RigidTransform.of((0.0, 0.3, 0.0), (0.5, -0.5, 0.5, 0.5))


def scan(ranges: list[float] | np.ndarray, **fields: float) -> SimpleNamespace:
    """Return a scan of one ray for each degree, from the right to the left."""
    half = math.radians((len(ranges) - 1) / 2)
    stated = {
        'angle_min': -half,
        'angle_increment': math.radians(1),
        'time_increment': 0.0,
        'range_min': 0.1,
        'range_max': 12.0,
    }
    return SimpleNamespace(ranges=ranges, **{**stated, **fields})


def measured(message: SimpleNamespace, pose: RigidTransform = BELOW) -> np.ndarray:
    blank = torch.zeros(CAMERA.height, CAMERA.width)
    frame = PredictedFrame(blank, blank, CAMERA, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, '')
    settings = AlignmentSettings(source='scan')
    found = ScanSource().measure(frame, SensorReading.fixed(message, pose), settings)
    return found.inverse_depth.numpy()


def test_a_wall_is_a_line_of_the_image() -> None:
    """A wall 2 m ahead, seen by a laser 0.3 m below the camera."""
    angles = np.radians(np.arange(-40, 41))
    found = measured(scan(2.0 / np.cos(angles)))
    v, u = np.isfinite(found).nonzero()
    row = CAMERA.cy + CAMERA.fy * 0.3 / 2.0
    assert len(v) == 81
    assert set(v.tolist()) == {round(row)}
    np.testing.assert_allclose(found[v, u], 0.5, rtol=1e-6)
    # The first ray, at -40 degrees, goes to the right of the image.
    assert u.max() == round(CAMERA.cx + CAMERA.fx * math.tan(math.radians(40)))


def test_what_stands_before_a_wall_hides_none_of_it_above_the_laser() -> None:
    """Between two legs of a table the wall behind is seen by the camera as by the laser."""
    ranges = np.full(41, 3.0)
    ranges[[14, 15, 25, 26]] = 0.8
    assert np.isfinite(measured(scan(ranges))).sum() == 41


def test_rays_without_an_echo_are_left_out() -> None:
    """REP-117: +Inf is no echo, -Inf too near, NaN an error; others send 0 or too much."""
    message = scan([math.inf, -math.inf, math.nan, 0.0, 0.05, 12.5, 12.0, 2.0])
    points, _ = scan_to_points(message)
    assert points.shape == (1, 3)
    assert math.hypot(*points[0]) == pytest.approx(2.0)
    with pytest.raises(AlignmentError, match=r'none of 5 rays .* between 0\.1 m and 12\.0 m'):
        measured(scan([math.inf] * 5))


@pytest.mark.parametrize('marker', [12.0, 65.533, 65.535])
def test_what_drivers_send_for_no_echo_is_none(marker: float) -> None:
    """As from a message, whose numbers have single precision."""
    ranges = np.array([marker, 2.0, marker], np.float32)
    points, _ = scan_to_points(scan(ranges, range_max=12.0 if marker == 12 else 100.0))
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), [2.0])
    with pytest.raises(AlignmentError, match=r'3 rays of the scan .* range_max is none'):
        measured(scan(np.full(3, marker), range_max=12.0))


@pytest.mark.parametrize(
    ('fields', 'said'),
    [
        ({'angle_increment': math.nan}, 'angle_increment nan'),
        ({'angle_min': math.inf}, 'angle_min inf'),
        ({'angle_increment': 0.0}, 'angle_increment 0'),
        ({'angle_increment': 1.0}, 'must be finite, in radians'),
        ({'range_min': -1.0}, 'range_min -1'),
        ({'range_max': math.nan}, 'range_max nan'),
        ({'range_max': 0.05}, '0 <= range_min < range_max'),
        ({'time_increment': math.nan}, 'time_increment nan s'),
        ({'time_increment': -0.1}, 'time_increment -0.1 s'),
        ({'time_increment': 10.0}, 'time between two rays'),
    ],
)
def test_scans_that_are_none_are_refused(fields: dict[str, float], said: str) -> None:
    with pytest.raises(PointsError, match=said):
        scan_to_points(scan([1.0] * 30, **fields))


def test_the_turn_of_the_robot_during_a_scan_is_undone() -> None:
    """A robot that turns by 1 rad/s sees a wall with a laser that takes 0.1 s for 91 rays."""
    turn, duration_s = 1.0, 0.1
    angles = np.radians(np.arange(-45, 46))
    time_s = np.linspace(0, duration_s, len(angles))
    ranges = 2.0 / np.cos(angles + turn * time_s)  # at each ray's own time the laser has turned

    def pose_at(passed_s: float) -> RigidTransform:
        half = turn * passed_s / 2
        return BELOW @ RigidTransform.of((0, 0, 0), (0, 0, math.sin(half), math.cos(half)))

    message = scan(ranges, time_increment=duration_s / (len(angles) - 1))
    straight = placed_at_stamp(SensorReading(message, pose_at))
    bent = placed_at_stamp(SensorReading.fixed(message, BELOW))
    assert np.abs(straight[:, 0] - 2.0).max() < 0.005
    assert np.abs(bent[:, 0] - 2.0).max() > 0.15

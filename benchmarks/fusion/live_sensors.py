"""Sensors in front of the running node: what each sends of a view, and which pixels it gives."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.core.scale.sensor_pose import parse_pose
from mono_depth_ros.core.scale.stereo_matching import MatchingSettings, match_disparity
from mono_depth_ros.ros.messages import cloud_to_message, depth_to_image
from mono_depth_ros.ros.simulated_camera import disparity_message
from mono_depth_ros.simulation.rig import StereoFrame

from ..alignment.live import RIG
from .patterns import PATTERNS
from .scenes import Scene

POSE = '0 -0.1 -0.05 0.5 -0.5 0.5 0.5'
"""A LiDAR 0.1 m above the camera and 0.05 m behind it: x forward, y left, z up."""


@dataclass(eq=False)
class LiveSensor:
    """What measures views.

    Attributes:
        name: In the report.
        source: `alignment.source`.
        topic: Relative name.
        message: Its type.
        about: What it measures, for the report.
        given: (H, W) flags of the pixels that it gives of each view.
    """

    name: str
    source: str
    topic: str
    message: type
    about: str
    given: list[np.ndarray] = field(default_factory=list)
    _sent: list[Any] = field(default_factory=list)

    def prepare(self, frames: list[StereoFrame]) -> None:
        """Measure all views ahead, so that sending one costs nothing."""
        for number, frame in enumerate(frames):
            message, given = _MEASURES[self.source](frame, number)
            self._sent.append(message)
            self.given.append(given)

    def at(self, view: int, header: Header) -> Any:
        """Return the message of a view."""
        message = self._sent[view]
        message.header = header
        if self.source == 'disparity':
            message.image.header = header
        return message


def _disparity(frame: StereoFrame, _: int) -> tuple[DisparityImage, np.ndarray]:
    disparity = match_disparity(frame.left, frame.right, _MATCHING)
    message = disparity_message(disparity, RIG, _MATCHING, Header())
    return message, disparity.isfinite().numpy()


def _depth(frame: StereoFrame, number: int) -> tuple[Image, np.ndarray]:
    depth = _disturbed('dense', frame, number)
    return depth_to_image(depth, Header(), '32FC1'), np.isfinite(depth)


def _points(frame: StereoFrame, number: int) -> tuple[PointCloud2, np.ndarray]:
    depth = _disturbed('16 beams', frame, number)
    x, y = RIG.camera.rays().numpy()
    seen = np.isfinite(depth)
    points = np.stack((x * depth, y * depth, depth), axis=-1)[seen].astype(np.float64)
    pose = parse_pose(POSE)
    of_sensor = (points - pose.position) @ pose.rotation
    given = measure_points(of_sensor, pose, RIG.camera).inverse_depth.isfinite().numpy()
    return cloud_to_message(of_sensor.astype(np.float32), Header(), is_dense=True), given


def _disturbed(pattern: str, frame: StereoFrame, number: int) -> np.ndarray:
    """Return depth (H, W) float32 [m] as a sensor of that pattern measures it, NaN not given."""
    measured = PATTERNS[pattern].measure(Scene(frame.left, frame.depth.reciprocal(), {}), number)
    assert measured is not None
    depth: np.ndarray = measured[1].reciprocal().numpy()
    return depth


_MATCHING = MatchingSettings()
_MEASURES = {'disparity': _disparity, 'depth': _depth, 'points': _points}
SENSORS = (
    LiveSensor('stereo', 'disparity', 'disparity', DisparityImage, 'SGBM on the simulated pair'),
    LiveSensor(
        'depth camera',
        'depth',
        'registered_depth',
        Image,
        '2 % noise, 10 % outliers, 25 % of the image missing in random blocks',
    ),
    LiveSensor(
        'LiDAR',
        'points',
        'lidar_points',
        PointCloud2,
        f'16 beams with 2 % noise and 10 % outliers, `alignment.sensor_pose: {POSE}`',
    ),
)

"""Source `scan`: the rays of a 2D laser."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from ..camera.pinhole import PinholeCamera
from ..errors import AlignmentError
from ..files.point_messages import scan_to_points
from ..network.predicted_frame import PredictedFrame
from .depth_measurement import DepthMeasurement
from .point_projection import OutOfViewError
from .points_source import measure_points
from .sensor_reading import SensorReading
from .source import Source

if TYPE_CHECKING:
    from .scale_settings import AlignmentSettings


class ScanSource(Source):
    """Inverse depth of the pixels that see where the rays of a laser end."""

    topic: ClassVar[str] = 'scan'
    message_type: ClassVar[str] = 'sensor_msgs/msg/LaserScan'
    has_pose: ClassVar[bool] = True
    question: ClassVar[str] = 'is the laser on?'

    def measure(
        self, frame: PredictedFrame, evidence: SensorReading, settings: 'AlignmentSettings'
    ) -> DepthMeasurement:
        """Return what a scan says about an image."""
        return measure_scan(evidence, frame.camera)


def measure_scan(reading: SensorReading, camera: PinholeCamera | None) -> DepthMeasurement:
    """Return what a scan says about the rectified image of a camera, None if that is unknown.

    Raises:
        PointsError: It is no scan.
        TransformError: Nothing tells where the laser stood.
        AlignmentError: The camera is unknown, or sees the end of no ray.
    """
    scan, pose = reading.message, reading.pose_at(0.0)
    points = placed_at_stamp(reading)
    if not len(points):
        raise AlignmentError(
            f'none of {len(scan.ranges)} rays of the scan has an echo between '
            f'{scan.range_min} m and {scan.range_max} m; exactly range_max is none'
        )
    axis = pose.rotation[:, 2]
    # A ray is free in its own plane. So what hides its end from the camera is what the camera
    # passes beside it, not above or below.
    seen_from = pose.position - (pose.position @ axis) * axis
    try:
        measured = measure_points(points, pose, camera, seen_from)
    except OutOfViewError as error:
        raise OutOfViewError(
            f'none of {len(scan.ranges)} rays ends within the image: does the laser look where '
            f'the camera does? {error.what}',
            error.remedy,
        ) from error
    return replace(measured, origin=f'{len(scan.ranges)} rays')


def placed_at_stamp(reading: SensorReading) -> npt.NDArray[np.float64]:
    """Return where the rays of a scan end, (N, 3) [m] in the frame of the laser at the stamp.

    A laser turns for a tenth of a second or so and the robot with it: one that turns by 1 rad/s
    would have the last ray 6 degrees aside. Between the first and the last ray it moves evenly.
    """
    points, passed_s = scan_to_points(reading.message)
    if not len(points) or passed_s[-1] == 0:
        return points
    last_s = float(passed_s[-1])
    motion = reading.pose_at(0.0).inverse() @ reading.pose_at(last_s)
    share = (passed_s / last_s)[:, None]
    return (1 - share) * points + share * motion.apply(points)

"""Source `points`: a cloud of a LiDAR, a ToF sensor or a radar, or of landmarks."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from ..camera.pinhole import PinholeCamera
from ..camera.rigid_transform import RigidTransform
from ..errors import AlignmentError, PointsError
from ..files.point_messages import cloud_to_points, has_echo
from ..network.predicted_frame import PredictedFrame
from .depth_measurement import DepthMeasurement
from .point_projection import OutOfViewError, project_points
from .sensor_pose import place_text
from .sensor_reading import SensorReading
from .source import Source

if TYPE_CHECKING:
    from .scale_settings import AlignmentSettings

_DEPTH_NOISE_M = 0.02
"""A LiDAR errs by 1 to 3 cm at any range (data sheets of Velodyne VLP-16 and Ouster OS1)."""
_RELATIVE_NOISE = 0.02
"""Landmarks and time of flight err by a few percent of depth. So does a LiDAR in an image: half a
pixel at f = 500 px is 1 % of the depth of a floor 10 camera heights away."""
_FARTHEST_M = 1e5
"""No sensor measures farther."""
_FARTHEST_MOUNT_M = 5.0
_UNITS = {
    1000.0: 'points are in millimeters; they must be in meters (REP-103)',
    100.0: 'points are in centimeters; they must be in meters (REP-103)',
}
"""See `DepthMeasurement.units`."""


class PointsSource(Source):
    """Inverse depth of the pixels that see the points of a sensor beside the camera."""

    topic: ClassVar[str] = 'lidar_points'
    message_type: ClassVar[str] = 'sensor_msgs/msg/PointCloud2'
    has_pose: ClassVar[bool] = True

    def measure(
        self, frame: PredictedFrame, evidence: SensorReading, settings: 'AlignmentSettings'
    ) -> DepthMeasurement:
        """Return what a cloud says about an image."""
        points = cloud_to_points(evidence.message)
        return measure_points(points, evidence.pose_at(0.0), frame.camera)


def measure_points(
    points: npt.NDArray[np.float64],
    pose: RigidTransform,
    camera: PinholeCamera | None,
    seen_from: npt.NDArray[np.float64] | None = None,
) -> DepthMeasurement:
    """Return what points (N, 3) [m] of a sensor say about the rectified image of a camera.

    Points at the origin of the sensor, not finite or endlessly far have no echo, and are left out;
    so are those whose z is one of `NO_ECHO_M`, as grids of ToF sensors have it.

    Args:
        points: In the frame of the sensor.
        pose: Of the sensor in the optical frame.
        camera: Of the rectified image, None if unknown.
        seen_from: (3,) in the optical frame [m], from where what hides points from the camera was
            seen; None is the place of the sensor. One farther than 5 m from the camera is no
            sensor of the robot: then the camera saw them itself, and nothing hides them.

    Raises:
        PointsError: The points have another shape.
        AlignmentError: The camera is unknown, or sees none of the points.
    """
    if points.ndim != 2 or points.shape[1] != 3:
        raise PointsError(f'points have shape {points.shape}; it must be (N, 3), x y z in meters')
    if camera is None:
        what = f'{len(points)} points were measured, and the camera that sees them is unknown'
        raise AlignmentError(
            what, 'publish camera_info, or set fov_deg; /diagnostics tells if one is refused'
        )
    square = np.einsum('ni,ni->n', points, points)  # of the distance; NaN fails both comparisons
    is_seen = (square > 0) & (square < _FARTHEST_M**2) & has_echo(points[:, 2])
    placed = pose.apply(points[is_seen])
    if not len(placed):
        raise AlignmentError(
            f'none of {len(points)} points has an echo: all are at 0 0 0, NaN, beyond 100 km, or '
            '65.535 m ahead, which 16 bits of millimeters say for no echo'
        )
    origin = pose.position if seen_from is None else seen_from
    if np.linalg.norm(origin) > _FARTHEST_MOUNT_M:  # landmarks in a frame that stands still
        origin = np.zeros(3)
    try:
        inverse_depth = torch.from_numpy(project_points(placed, origin, camera))
    except OutOfViewError as error:
        raise OutOfViewError(f'{error.what}; {place_text(pose)}', error.remedy) from error
    return DepthMeasurement(
        inverse_depth,
        0.0,
        f'{len(points)} points',
        _UNITS,
        relative_noise=_RELATIVE_NOISE,
        depth_noise_m=_DEPTH_NOISE_M,
    )

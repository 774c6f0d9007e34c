"""Source `range`: the one distance of an ultrasonic or infrared sensor."""

import math
from typing import TYPE_CHECKING, ClassVar

import torch

from ..camera.pinhole import PinholeCamera
from ..camera.rigid_transform import RigidTransform
from ..errors import AlignmentError, PointsError
from ..files.message_protocols import RangeFields
from ..network.predicted_frame import PredictedFrame
from ..types import PredictionKind
from .depth_measurement import DepthMeasurement
from .sensor_pose import place_text
from .sensor_reading import SensorReading
from .source import Source

if TYPE_CHECKING:
    from .scale_settings import AlignmentSettings

_UNITS = {
    1000.0: 'the range is in millimeters; it must be in meters (REP-117)',
    100.0: 'the range is in centimeters; it must be in meters (REP-117)',
}
"""See `DepthMeasurement.units`."""
_NOISE_M = 0.02
_RELATIVE_NOISE = 0.03
"""Sound is 3 % faster if it is 17 K warmer than the sensor assumes (0.17 % per kelvin); time of
flight errs by about as much (data sheet of the VL53L1X)."""
_NEAREST_SHARE = 0.02
_LEAST_PIXELS = 9
"""Pixels of the cone that have to be nearest, by the prediction, for a thing to be seen there."""
_MOST_PIXELS = 32  # of that thing, since they are one measurement
_SAME = 0.1
"""Others within this share of their prediction belong to the same thing: two standard deviations
of a network's inverse depth, `_MODEL_ERROR`."""
_LEAST_RADIUS_PX = 2.0  # of the cone: the place of a beam is known to a pixel; 9 or more are in


class RangeSource(Source):
    """Inverse depth of the nearest thing in the cone of a sensor that tells one distance.

    Where in the cone that is, only the prediction says: it is taken to be where the prediction is
    nearest. The more the prediction varies over the cone, the less is known about what was
    measured, and the greater the stated noise. One distance gives the level, never a shape.
    """

    topic: ClassVar[str] = 'range'
    message_type: ClassVar[str] = 'sensor_msgs/msg/Range'
    has_pose: ClassVar[bool] = True
    is_fused: ClassVar[bool] = False

    def measure(
        self, frame: PredictedFrame, evidence: SensorReading, settings: 'AlignmentSettings'
    ) -> DepthMeasurement:
        """Return what a distance says about an image."""
        message = evidence.message
        range_m = measured_range(message)
        if frame.camera is None:
            raise AlignmentError('a range needs a camera_info, or fov_deg')
        pose = evidence.pose_at(0.0)
        depth = _depth_in_cone(frame.camera, pose, range_m, message.field_of_view)
        seen = depth.isfinite() & frame.values.cpu().isfinite()
        if not bool(seen.any()):
            raise AlignmentError(
                f'no pixel sees what lies {range_m:.2f} m in front of the sensor, in its cone of '
                f'{message.field_of_view:.2f} rad: does it look where the camera does? '
                f'{place_text(pose)}'
            )
        return _nearest(frame, depth.masked_fill(~seen, torch.nan), range_m)


def measured_range(message: RangeFields) -> float:
    """Return the distance that a message measures [m].

    Raises:
        PointsError: The limits or the field of view are none of a sensor.
        AlignmentError: Nothing was measured: it is infinite, or beyond the limits (REP-117).
    """
    low, high, range_m = message.min_range, message.max_range, message.range
    if not 0 <= low <= high < math.inf:
        raise PointsError(
            f'a range has min_range {low}, max_range {high} [m]',
            '0 <= min_range <= max_range must hold',
        )
    if not 0 <= message.field_of_view < math.pi:
        raise PointsError(
            f'a range has field_of_view {message.field_of_view} rad', 'it must be 0 to pi'
        )
    if low == high:
        raise AlignmentError(
            f'min_range and max_range are both {low:g} m: such a sensor says whether something is '
            'nearer than that, and measures no distance'
        )
    if range_m == high:
        raise AlignmentError(
            f'the range is max_range, {high:g} m, which many drivers send where nothing came '
            'back: nothing was measured',
            'raise max_range if it is a distance',
        )
    if not (range_m > 0 and low <= range_m < high):  # NaN is not
        raise AlignmentError(
            f'the range is {range_m:g} m: nothing was measured between min_range {low:g} m and '
            f'max_range {high:g} m'
        )
    return float(range_m)


def _depth_in_cone(
    camera: PinholeCamera, pose: RigidTransform, range_m: float, fov_rad: float
) -> torch.Tensor:
    """Return (H, W) [m]: the depth at which a pixel sees the end of the cone, NaN outside.

    It is a piece of a sphere about the sensor at s. The ray z (x, y, 1) = z d of a pixel ends on
    it where |z d - s| = r, at the greater z.
    """
    x, y = camera.rays()
    d = torch.stack((x, y, torch.ones_like(x)), dim=-1)
    sensor = torch.from_numpy(pose.position).float()
    axis = torch.from_numpy(pose.rotation[:, 0].copy()).float()
    a, b = d.square().sum(-1), d @ sensor
    root = (b.square() - a * (float(sensor @ sensor) - range_m**2)).sqrt()  # NaN beside it
    depth = (b + root) / a
    cosine = ((depth[..., None] * d - sensor) @ axis) / range_m
    half_rad = max(fov_rad / 2, _LEAST_RADIUS_PX / min(camera.fx, camera.fy))
    return depth.masked_fill(~((depth > 0) & (cosine >= math.cos(half_rad))), torch.nan)


def _nearest(frame: PredictedFrame, depth: torch.Tensor, range_m: float) -> DepthMeasurement:
    """Return the measurement of what is nearest in the cone by the prediction.

    Args:
        frame: The prediction (H, W).
        depth: (H, W) [m] in the cone, NaN outside; somewhere it is known.
        range_m: What was measured [m].
    """
    is_depth = frame.kind.fitted is PredictionKind.DEPTH
    nearness = -frame.values.cpu() if is_depth else frame.values.cpu()
    seen = nearness[depth.isfinite()].double()
    count = min(max(round(_NEAREST_SHARE * len(seen)), _LEAST_PIXELS), len(seen))
    near, middle = float(seen.topk(count).values[-1]), float(seen.median())
    largest = -middle if is_depth else near
    ambiguity = min((near - middle) / largest, 1.0) if largest > 0 else 1.0
    chosen = (depth.isfinite() & (nearness >= near - _SAME * abs(near))).flatten().nonzero()
    some = chosen[:: max(1, len(chosen) // _MOST_PIXELS), 0]
    inverse_depth = torch.full_like(depth, torch.nan)
    inverse_depth.view(-1)[some] = depth.flatten()[some].reciprocal()
    return DepthMeasurement(
        inverse_depth,
        0.0,
        f'a range of {range_m:.2f} m',
        _UNITS,
        relative_noise=math.hypot(_RELATIVE_NOISE, ambiguity),
        depth_noise_m=_NOISE_M,
    )

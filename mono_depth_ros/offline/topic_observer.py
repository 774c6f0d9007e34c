"""What makes measurements of the messages of a topic: maps, points, scans, ranges, images."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from ..core.camera.calibration import CameraCalibration
from ..core.camera.decoding import DecodingSettings
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError
from ..core.files.color_messages import ColorDecoder
from ..core.files.point_messages import cloud_to_points
from ..core.scale.depth_measurement import DepthMeasurement, measure_depth, require_same_view
from ..core.scale.disparity_measurement import measure_disparity
from ..core.scale.disparity_source import disparity_message_measurement
from ..core.scale.image_texture import without_guesses
from ..core.scale.points_source import measure_points
from ..core.scale.scan_source import measure_scan
from ..core.scale.sensor_reading import SensorReading
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from .bag_camera import is_called_rectified, require_registered
from .bags import Bag, depth_of
from .images import ImageFrame, limited

_SENSED = {'points': 'points', 'scan': 'laser scans', 'range': 'ranges'}
Observe = Callable[[Any, ImageFrame, PinholeCamera | None], DepthMeasurement | SensorReading]
"""Makes a measurement of a message, the frame of its stamp and the frame's camera."""
Place = Callable[[Any, ImageFrame], SensorReading]
"""Tells where the sensor of a message stood in the camera of a frame."""


def topic_observer(
    bag: Bag,
    images: str,
    topic: str,
    matching: MatchingSettings,
    reading: DecodingSettings,
    place: Place | None = None,
) -> Observe:
    """Return what makes measurements of a topic's messages.

    Args:
        bag: Where they are.
        images: Topic that is measured.
        topic: Topic that measures.
        matching: Of right images.
        reading: Of right images.
        place: Of sensors beside the camera, None if nothing tells where they stand.

    Raises:
        RecordingError: There is no such topic.
        CalibrationError: Depth is not registered, a pair not calibrated or not rectified, or the
            place of a sensor not known.
    """
    holds = bag.topics[topic].holds if topic in bag.topics else ''
    if holds == 'disparity':
        return _observe_disparity
    if holds == 'depth':
        require_registered(bag, topic)
        return _observe_depth
    if holds in ('points', 'scan', 'range'):
        if place is None:
            raise CalibrationError(
                f'{topic} holds {_SENSED[holds]}, and nothing tells where their sensor is'
            )
        return partial(_observe_sensor, place)
    right = bag.calibration(bag.find_topic('picture', topic))
    left = bag.calibration(images)
    if left is None or right is None:
        raise CalibrationError(f'images to be matched with {topic} and it need a camera_info each')
    for name, calibration in ((images, left), (topic, right)):
        # image_proc publishes image_rect beside the camera_info of the raw image.
        if not (calibration.is_rectified or is_called_rectified(name)):
            raise CalibrationError(
                f'{name} is not rectified: D, R or K and P of its camera_info say so',
                'rectify both first (image_proc); topics called rect... are taken as rectified',
            )
    return _matcher(topic, left, right, matching, ColorDecoder(reading))


def _observe_disparity(
    message: Any, frame: ImageFrame, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a disparity message says where the picture has texture."""
    measurement = disparity_message_measurement(message, camera)
    return without_guesses(measurement, torch.tensor(frame.rgb))


def _observe_sensor(
    place: Place, message: Any, frame: ImageFrame, camera: PinholeCamera | None
) -> DepthMeasurement | SensorReading:
    """Return what a cloud or a scan says, or the reading of a range."""
    reading = place(message, frame)
    if hasattr(message, 'fields'):
        return measure_points(cloud_to_points(message), reading.pose_at(0.0), camera)
    return measure_scan(reading, camera) if hasattr(message, 'ranges') else reading


def _observe_depth(
    message: Any, _: ImageFrame | None, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a depth message says, raw or compressed."""
    depth = depth_of(message)
    if camera is not None:
        height, width = depth.shape
        require_same_view(width, height, 0.0, camera, 'registered depth')
    return measure_depth(torch.from_numpy(depth))


def _matcher(
    topic: str,
    left: CameraCalibration,
    right: CameraCalibration,
    matching: MatchingSettings,
    decoder: ColorDecoder,
) -> Observe:
    """Return what matches a left image with a message of the right one."""
    (f, _, cx_right, tx), *_ = right.P
    baseline_m = -tx / f
    if not baseline_m > 0:
        raise CalibrationError(
            f'camera_info of {topic} has P[3] = {tx}; that of a right camera is -f * baseline < 0'
        )
    doffs_px = cx_right - left.P[0][2]

    def observe(message: Any, frame: ImageFrame, _: PinholeCamera | None) -> DepthMeasurement:
        right = torch.tensor(limited(decoder.rgb(message), max(frame.rgb.shape[:2])))
        disparity = match_disparity(torch.tensor(frame.rgb), right, matching)
        size = frame.reduction
        return measure_disparity(disparity, size * f, baseline_m, doffs_px=size * doffs_px)

    return observe

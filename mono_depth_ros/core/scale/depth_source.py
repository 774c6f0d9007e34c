"""Source `depth`: a depth image registered to the camera (32FC1 [m] or 16UC1 [mm])."""

from typing import ClassVar

import torch

from ..camera.pinhole import PinholeCamera
from ..files.depth_messages import image_to_depth
from ..files.message_protocols import ImageFields
from ..network.predicted_frame import PredictedFrame
from .depth_measurement import DepthMeasurement, measure_depth, require_same_view
from .scale_settings import AlignmentSettings
from .source import Source


class DepthSource(Source):
    """Inverse depth from registered depth, dense or sparse."""

    topic: ClassVar[str] = 'registered_depth'
    message_type: ClassVar[str] = 'sensor_msgs/msg/Image'

    def measure(
        self, frame: PredictedFrame, evidence: ImageFields, settings: AlignmentSettings
    ) -> DepthMeasurement:
        """Return what a depth message says about an image."""
        return depth_message_measurement(evidence, frame.camera)


def depth_message_measurement(msg: ImageFields, camera: PinholeCamera | None) -> DepthMeasurement:
    """Return what registered depth says about the rectified image of a camera.

    Args:
        msg: May have another resolution than the image; 0 and NaN = nothing measured.
        camera: Of the rectified image, None if unknown.

    Raises:
        ImageError: Size, step, encoding and buffer contradict each other.
        CalibrationError: Another camera made it.
    """
    if camera is not None:
        require_same_view(msg.width, msg.height, 0.0, camera, 'registered depth')
    return measure_depth(torch.from_numpy(image_to_depth(msg)))

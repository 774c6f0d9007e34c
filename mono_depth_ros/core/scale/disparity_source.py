"""Source `disparity`: stereo_msgs/DisparityImage of the image as the left one of a pair."""

from typing import TYPE_CHECKING, ClassVar

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import ImageError
from ..files.depth_messages import image_to_depth
from ..files.message_protocols import DisparityFields
from ..network.predicted_frame import PredictedFrame
from .depth_measurement import DepthMeasurement, require_same_view
from .disparity_measurement import measure_disparity
from .image_texture import without_guesses
from .source import Source

if TYPE_CHECKING:
    from .scale_settings import AlignmentSettings


class DisparitySource(Source):
    """Inverse depth from disparity: 1/Z = d / (f t)."""

    topic: ClassVar[str] = 'disparity'
    message_type: ClassVar[str] = 'stereo_msgs/msg/DisparityImage'
    is_matched: ClassVar[bool] = True
    question: ClassVar[str] = 'do the matcher and both cameras run?'

    def measure(
        self, frame: PredictedFrame, evidence: DisparityFields, settings: 'AlignmentSettings'
    ) -> DepthMeasurement:
        """Return what a disparity message says about an image, where that has texture."""
        measurement = disparity_message_measurement(evidence, frame.camera)
        return without_guesses(measurement, frame.color)


def disparity_message_measurement(
    msg: DisparityFields, camera: PinholeCamera | None
) -> DepthMeasurement:
    """Return what a disparity message says about the rectified image of a camera.

    `valid_window` is ignored: stereo_image_proc fills it before the size is known.

    Args:
        msg: May have another resolution than the image.
        camera: Of the rectified image, None if unknown.

    Raises:
        ImageError: Size, step, encoding and buffer contradict each other.
        CalibrationError: f or t is not positive, or another camera made it.
    """
    if msg.image.encoding != '32FC1':
        raise ImageError(f'disparity has encoding {msg.image.encoding!r}; it must be 32FC1 [px]')
    measurement = measure_disparity(
        torch.from_numpy(image_to_depth(msg.image)),
        msg.f,
        msg.t,
        min_disparity=msg.min_disparity,
        max_disparity=msg.max_disparity,
    )
    if camera is not None:
        require_same_view(msg.image.width, msg.image.height, msg.f, camera, 'disparity')
    return measurement

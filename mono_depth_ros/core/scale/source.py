"""What a source of metric scale is: one object that turns evidence into a depth measurement."""

from typing import Any, ClassVar

import numpy as np

from ..network.predicted_frame import PredictedFrame
from .correspondences import Correspondences
from .depth_measurement import DepthMeasurement
from .scale_settings import AlignmentSettings


class Source:
    """One value of `alignment.source`, and by itself `none`: nothing is measured.

    A new source is a file with a subclass, a row of `SOURCES`, and what it needs of the settings.

    Attributes:
        topic: Relative name of the topic it listens to; '' if it listens to none.
        message_type: ROS type of that topic, such as `sensor_msgs/msg/Image`.
        measures_images: Whether it measures every image by itself, without a message.
        is_matched: Whether it comes from matching images, so that pixels without texture are
            guesses.
        has_pose: Whether it measures from a place of its own, `alignment.sensor_pose`, and so in
            another frame.
        is_fused: Whether what it says of a pixel was measured there, so that it can be fused.
        is_estimate: Whether it assumes what stands there rather than measuring it, as of a floor;
            it then yields to what measures, see `fit_jointly`.
        question: What to ask first where its messages stop.
    """

    topic: ClassVar[str] = ''
    message_type: ClassVar[str] = ''
    measures_images: ClassVar[bool] = False
    is_matched: ClassVar[bool] = False
    has_pose: ClassVar[bool] = False
    is_fused: ClassVar[bool] = True
    is_estimate: ClassVar[bool] = False
    question: ClassVar[str] = 'is the sensor on?'

    def measure(
        self, frame: PredictedFrame, evidence: Any, settings: AlignmentSettings
    ) -> DepthMeasurement:
        """Return what the evidence says about an image.

        Args:
            frame: The image and its prediction.
            evidence: The message of `topic`, by its fields; for a source that measures images the
                tilt of the camera, or None for that of the settings.
            settings: Of the alignment.

        Raises:
            MonoDepthError: It says nothing, or it is invalid, or of another view.
        """
        raise NotImplementedError

    def usable(self, points: Correspondences, random: np.random.Generator) -> Correspondences:
        """Return those points that show what the source takes them for, by default all.

        Raises:
            AlignmentError: They are too few.
        """
        return points

    def note(self, settings: AlignmentSettings) -> str:
        """Return what a user should know of every fit to this source, '' for nothing."""
        return ''

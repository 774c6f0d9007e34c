"""Source `ground`: the floor, for a camera whose height and tilt are known."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..errors import AlignmentError
from ..network.prediction import Prediction
from .correspondences import Correspondences
from .depth_measurement import DepthMeasurement
from .ground import free_floor, measure_ground, pitch_warning
from .source import Source
from .tilt import Tilt

if TYPE_CHECKING:
    from .scale_settings import AlignmentSettings


class GroundSource(Source):
    """Inverse depth of a level floor in the lower central part of every image."""

    measures_images: ClassVar[bool] = True
    corrects_level: ClassVar[bool] = False

    def measure(
        self,
        frame: Prediction,
        evidence: Callable[[], Tilt | None] | None,
        settings: 'AlignmentSettings',
    ) -> DepthMeasurement:
        """Return the inverse depth that a level floor has in an image."""
        if frame.camera is None:
            raise AlignmentError('alignment.source is ground, which needs a camera_info')
        tilt = (evidence() if evidence else None) or Tilt(settings.camera_pitch)
        size = frame.camera.height, frame.camera.width
        return measure_ground(frame.camera, settings.camera_height, tilt, size)

    def usable(self, points: Correspondences, random: np.random.Generator) -> Correspondences:
        """Return the points on free floor."""
        return free_floor(points, random)

    def note(self, settings: 'AlignmentSettings') -> str:
        """Return what an error of the pitch does to depth."""
        return pitch_warning(settings.camera_height)

"""Source `ground`: the floor, for a camera whose height and tilt are known."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from ..errors import AlignmentError
from ..network.prediction import Prediction
from .depth_measurement import DepthMeasurement
from .fitting import Fit
from .ground import measure_ground, require_floor
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

    def require_fit(self, fit: Fit) -> None:
        """Refuse a fit to an image that shows no floor."""
        require_floor(fit)

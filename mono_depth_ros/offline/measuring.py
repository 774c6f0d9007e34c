"""What measures images of files: one object that is asked for each of them."""

from pathlib import Path

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError
from ..core.scale.depth_measurement import DepthMeasurement
from ..core.scale.sensor_reading import SensorReading
from .images import ImageFrame


class Measuring:
    """Anything that measures what images show."""

    @property
    def is_projected(self) -> bool:
        """Whether it is projected into the image as the pipeline rectifies it.

        Else it belongs to the pixels of an image that is rectified already.
        """
        return False

    def begin(self, path: Path) -> None:
        """Prepare for a source; by default each image has a file of its own.

        Raises:
            MonoDepthError: Nothing can be measured there.
        """

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement | SensorReading | None:
        """Return what was measured of the image at a path, None if nothing was.

        A reading says something only with the prediction: see `Source.measure`.

        Raises:
            AlignmentError: It cannot be used.
            MonoDepthError: It is missing, damaged, or of another view.
        """
        raise NotImplementedError

    def doubts(self) -> str:
        """Return what may be behind an image without a fit, '' if nothing is known."""
        return ''

    def note(self) -> str:
        """Return what a user should know of what was measured, '' for nothing."""
        return ''


def required_camera(path: Path, camera: PinholeCamera | None) -> PinholeCamera:
    """Return the camera of the image at a path.

    Raises:
        CalibrationError: It is not known.
    """
    if camera is None:
        raise CalibrationError(
            f'{path}: a measurement needs a calibration of the image: give --calibration, --focal '
            'or --fov'
        )
    return camera

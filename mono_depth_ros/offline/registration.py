"""Whether depth in a bag is of the same view as its pictures."""

from ..core.errors import CalibrationError
from ..core.scale.depth_measurement import require_same_view
from .bags import Bag


def require_registered(bag: Bag, depth_topic: str) -> None:
    """Refuse depth of another field of view than a picture's, where both are calibrated.

    Raises:
        CalibrationError: The fields of view differ.
    """
    depth = bag.calibration(depth_topic)
    for topic in bag.topics.values():
        picture = bag.calibration(topic.name) if topic.holds == 'picture' else None
        if depth is None or picture is None:
            continue
        seen = depth.rectified_camera()
        try:
            require_same_view(
                seen.width, seen.height, seen.fx, picture.rectified_camera(), depth_topic
            )
        except CalibrationError as error:
            raise CalibrationError(
                f'{error}; register the depth to {topic.name} first, as '
                'depth_image_proc::register does'
            ) from error

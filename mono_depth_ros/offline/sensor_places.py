"""Where a sensor of a bag stood in the camera of its images."""

from typing import Any

from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import TransformError
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.sensor_pose import place_text
from ..core.scale.sensor_reading import SensorPlacement, SensorReading
from .bag_transforms import BagTransforms
from .bags import Bag
from .images import ImageFrame

_SAME = RigidTransform.identity()


class SensorPlaces:
    """Places the sensor of a source: by `alignment.sensor_pose`, or by the transforms of a bag.

    Attributes:
        doubt: What a user should know of where it was placed, '' for nothing.
    """

    def __init__(self, bag: Bag, source: str, alignment: AlignmentSettings) -> None:
        self.doubt = ''
        self._source = source
        self._pose = alignment.pose_of(source)
        self._fixed_frame = alignment.fixed_frame
        self._transforms = BagTransforms(bag)

    def reading(self, message: Any, frame: ImageFrame) -> SensorReading:
        """Return the reading of a message for an image.

        Points that nothing places are taken to be in the frame of the camera, which is a doubt.

        Raises:
            TransformError: Nothing tells where a laser or a range sensor stood.
        """
        sensor, camera = message.header.frame_id, frame.frame_id
        if self._pose is not None or sensor == camera:
            pose = self._pose or _SAME
            if sensor != camera and place_text(pose) == place_text(_SAME):
                self.doubt = _taken_as_one(sensor, camera)
            return SensorReading.fixed(message, pose)
        self._transforms.read_to(frame.logged_ns)
        stamp = message.header.stamp
        placement = SensorPlacement(
            self._transforms,
            (camera, frame.stamp_ns),
            (sensor, stamp.sec * 1_000_000_000 + stamp.nanosec),
            self._fixed_frame,
            self._take_doubt,
        )
        try:
            placement.pose_at(0.0)
        except TransformError as error:
            if self._source != 'points':
                raise TransformError(error.what, 'give --sensor-pose') from error
            self.doubt = _taken_as_one(sensor, camera)
            return SensorReading.fixed(message, _SAME)
        return placement.reading(message)

    def _take_doubt(self, doubt: str) -> None:
        self.doubt = doubt


def _taken_as_one(sensor: str, camera: str) -> str:
    return (
        f'points are in frame {sensor!r}, images in {camera!r}, and nothing says how they stand '
        'to each other, so they are taken as one: give --sensor-pose'
    )

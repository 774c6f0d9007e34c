"""A picture file as a camera that always sees the same."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from ...core.errors import MonoDepthError
from ...ros.image_messages import rgb_to_image
from .stream import Stream


@dataclass(frozen=True, eq=False)
class Picture:
    """One image without a calibration.

    Attributes:
        path: Its file.
        rgb: (H, W, 3) uint8, upright.
        stamp: When it was opened [ns].

    The others are those of `Recording`, for something that no topic and no sensor came with.
    """

    path: Path
    rgb: npt.NDArray[np.uint8]
    stamp: int
    topic: str = ''
    frame_id: str = 'picture_optical_frame'
    count: int = 1
    info: CameraInfo | None = None
    depth: Stream | None = None
    is_compressed: bool = False

    @classmethod
    def open(cls, path: Path) -> 'Picture':
        """Read the file.

        Raises:
            MonoDepthError: It is no picture that OpenCV reads.
        """
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            raise MonoDepthError(f'{path} is neither a bag nor a picture that can be read')
        return cls(path, np.ascontiguousarray(bgr[..., ::-1], np.uint8), time.time_ns())

    def size(self) -> tuple[int, int]:
        """Return height and width [px]."""
        return self.rgb.shape[0], self.rgb.shape[1]

    def images(self, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield the picture once, as a serialized message, with its stamp [ns]."""
        stamp = Time(nanoseconds=self.stamp).to_msg()
        header = Header(stamp=stamp, frame_id=self.frame_id)
        yield serialize_message(rgb_to_image(self.rgb, header)), self.stamp

    def depths(self, stamps: Iterable[int]) -> dict[int, Image]:
        """Return nothing: nobody measured."""
        return {}

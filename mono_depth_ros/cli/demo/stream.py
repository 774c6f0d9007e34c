"""One topic of a recording."""

from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage

from ...core.files.depth_messages import DEPTH_ENCODINGS
from ...core.files.encodings import ENCODINGS


@dataclass(frozen=True, eq=False)
class Stream:
    """A topic of pictures or of depth, and the calibration beside it.

    Attributes:
        topic: Full name.
        count: Number of its messages.
        first: Its first message.
        info: The first camera_info, None if there is none.
    """

    topic: str
    count: int
    first: Any
    info: CameraInfo | None

    @property
    def is_compressed(self) -> bool:
        """Whether it holds CompressedImage messages."""
        return isinstance(self.first, CompressedImage)

    @property
    def frame_id(self) -> str:
        """Frame of its messages."""
        return str(self.first.header.frame_id)

    @property
    def is_depth(self) -> bool:
        """Whether it holds depth in an encoding that we read."""
        if self.is_compressed or self.first.encoding in ENCODINGS:
            return False
        return self.first.encoding in DEPTH_ENCODINGS

"""A message as it lies in a bag, and what its fields hold."""

import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from ..core.errors import RecordingError
from ..core.files.color_messages import compressed_to_rgb, image_to_rgb
from ..core.files.depth_messages import compressed_to_depth, image_to_depth
from ..core.files.encodings import Pixels

Depth = npt.NDArray[np.float32]

_STAMP_AT = 4


@dataclass(frozen=True, eq=False)
class Recorded:
    """A message of a bag.

    Attributes:
        topic: Where it came.
        logged_ns: When it was recorded [ns].
        raw: As it lies in the bag (CDR).
        msgtype: What it is.
    """

    topic: str
    logged_ns: int
    raw: bytes
    msgtype: str

    def stamp_ns(self) -> int:
        """Return the stamp [ns] of a type that begins with a header, 0 where it is too short."""
        if len(self.raw) < _STAMP_AT + 8:
            return 0
        # CDR: the second byte tells the byte order.
        order = '<' if self.raw[1] & 1 else '>'
        seconds, nanoseconds = struct.unpack_from(f'{order}iI', self.raw, _STAMP_AT)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)

    def message(self) -> Any:
        """Return its fields, by the names that they have in ROS.

        Raises:
            RecordingError: It is damaged.
        """
        try:
            return typestore().deserialize_cdr(self.raw, self.msgtype)
        except Exception as error:  # of any kind, by which byte is wrong
            raise RecordingError(
                f'a message of {self.topic} ({len(self.raw)} bytes) is damaged: {error}'
            ) from error


@cache
def typestore() -> Typestore:
    """Return the message types of ROS 2; those that we read are alike in all distributions."""
    return get_typestore(Stores.ROS2_JAZZY)


def stamp_ns(message: Any) -> int:
    """Return the stamp of a message's header [ns]."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def rgb_of(message: Any) -> Pixels:
    """Return (H, W, 3) uint8 RGB of an Image or CompressedImage.

    Raises:
        ImageError: It does not hold the picture that it claims to hold.
    """
    return compressed_to_rgb(message) if _is_compressed(message) else image_to_rgb(message)


def depth_of(message: Any) -> Depth:
    """Return depth (H, W) float32 [m], NaN unknown, of an Image or CompressedImage.

    Raises:
        ImageError: It does not hold the depth that it claims to hold.
    """
    return compressed_to_depth(message) if _is_compressed(message) else image_to_depth(message)


def _is_compressed(message: Any) -> bool:
    return not hasattr(message, 'encoding')

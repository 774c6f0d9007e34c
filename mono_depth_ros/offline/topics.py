"""The topics of a bag: which of them are pictures, depth, disparity and calibration."""

from dataclasses import dataclass
from typing import Any

from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader

from ..core.files.depth_messages import DEPTH_ENCODINGS
from ..core.files.encodings import ENCODINGS
from .recorded import Recorded

CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
_HOLDS = {CAMERA_INFO: 'camera_info', 'stereo_msgs/msg/DisparityImage': 'disparity'}
_IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_TRANSPORTS = ('/compressed', '/compressedDepth')


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: Full name.
        msgtype: Such as sensor_msgs/msg/Image.
        count: Number of its messages.
        holds: 'picture' or 'depth' for images, 'disparity', 'camera_info', or ''.
    """

    name: str
    msgtype: str
    count: int
    holds: str


def described(reader: Reader, connection: Connection) -> Topic:
    """Return what a connection holds, by its first message."""
    holds = _HOLDS.get(connection.msgtype, '')
    if connection.msgtype in _IMAGES and connection.msgcount:
        first = next(iter(reader.messages([connection])), None)
        if first is not None:
            recorded = Recorded(connection.topic, first[1], bytes(first[2]), connection.msgtype)
            holds = _image_holds(recorded.message())
    return Topic(connection.topic, connection.msgtype, connection.msgcount, holds)


def _image_holds(message: Any) -> str:
    if not hasattr(message, 'encoding'):
        return 'depth' if 'compresseddepth' in message.format.lower() else 'picture'
    # mono16 is a picture here: depth cameras that publish depth so are from before REP-118.
    if message.encoding in ENCODINGS:
        return 'picture'
    return 'depth' if message.encoding in DEPTH_ENCODINGS else ''


def base(topic: str) -> str:
    """Return a topic's name without the transport that image_transport adds."""
    for transport in _TRANSPORTS:
        topic = topic.removesuffix(transport)
    return topic

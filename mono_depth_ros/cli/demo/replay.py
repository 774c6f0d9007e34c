"""The process that plays a bag or a picture to the node, over and over, until it is ended."""

import argparse
import sys
from itertools import chain, repeat
from pathlib import Path

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ...ros.process import run
from .recording import Recording, open_recording


class Replay(Node):
    """Publishes frames with their own stamps, and the camera_info at each frame's stamp.

    Args:
        recording: The frames; when all are through it begins again.
        frames: How many to use at most.
        rate_hz: Frames per second.
        listeners: Subscribers to wait for, since what is published before is lost.
    """

    def __init__(self, recording: Recording, frames: int, rate_hz: float, listeners: int) -> None:
        super().__init__('replay')
        self._listeners = listeners
        self._frames = chain.from_iterable(recording.images(frames) for _ in repeat(None))
        kind, topic = Image, 'image_raw'
        if recording.is_compressed:
            kind, topic = CompressedImage, 'image_raw/compressed'
        self._images = self.create_publisher(kind, topic, QoSProfile(depth=2))
        self._infos = self.create_publisher(CameraInfo, 'camera_info', QoSProfile(depth=2))
        self._info = recording.info
        self.create_timer(1 / rate_hz, self._tick)

    def _tick(self) -> None:
        if self._images.get_subscription_count() < self._listeners:
            return
        image, stamp = next(self._frames)
        if self._info is not None:
            self._info.header.stamp = Time(nanoseconds=stamp).to_msg()
            self._infos.publish(self._info)
        self._images.publish(image)


def main() -> int:
    """Play until told to stop."""
    parser = argparse.ArgumentParser(description='Play a bag or a picture over and over.')
    parser.add_argument('path', type=Path)
    parser.add_argument('--frames', type=int, required=True)
    parser.add_argument('--rate', type=float, required=True)
    parser.add_argument('--listeners', type=int, required=True)
    args = parser.parse_args(remove_ros_args(sys.argv)[1:])
    return run(
        'replay',
        lambda: Replay(open_recording(args.path), args.frames, args.rate, args.listeners),
    )


if __name__ == '__main__':
    sys.exit(main())

"""Cameras as a process: python -m benchmarks.latency.cameras front,rear 640x480 30."""

import argparse
import json
import signal
import sys
import time

import numpy as np
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.messages import camera_to_info, rgb_to_image

from ..measuring import size


class Cameras:
    """Publishers of one made picture, stamped anew for each image."""

    def __init__(self, node: Node, names: list[str], width: int, height: int) -> None:
        self._node = node
        self._camera = PinholeCamera.from_fov(width, height, 70.0)
        coarse = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
        self._picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
        self._images = [node.create_publisher(Image, f'{n}/image_raw', 2) for n in names]
        self._infos = [node.create_publisher(CameraInfo, f'{n}/camera_info', 2) for n in names]
        self._messages = [rgb_to_image(self._picture, Header(frame_id=name)) for name in names]

    def send(self) -> None:
        """Publish an image of each camera."""
        for image, info, message in zip(self._images, self._infos, self._messages, strict=True):
            message.header.stamp = self._node.get_clock().now().to_msg()
            info.publish(camera_to_info(self._camera, message.header))
            image.publish(message)


def main() -> None:
    """Send until told to stop; then print when [s since the epoch] as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names')
    parser.add_argument('size', type=size)
    parser.add_argument('rate', type=float)
    arguments = parser.parse_args()
    rclpy.init(args=[])
    node = rclpy.create_node('benchmark_cameras')
    cameras = Cameras(node, arguments.names.split(','), *arguments.size)
    sent_s: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    due_s = time.monotonic()
    try:
        while True:
            sent_s.append(time.time())
            cameras.send()
            due_s += 1 / arguments.rate
            time.sleep(max(0.0, due_s - time.monotonic()))
    finally:
        print(json.dumps(sent_s), flush=True)


if __name__ == '__main__':
    main()

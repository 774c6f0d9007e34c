"""Memory of the node over many frames: python -m benchmarks.memory --frames 2000.

The node runs as a process of its own with the embedded network; this one is the camera and
listens to depth, cloud and camera_info. A line is fitted to its resident memory after warming up.
"""

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rich.progress import track
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.messages import camera_to_info, rgb_to_image
from mono_depth_ros.ros.ros_domain import claimed_domain

from .measuring import size
from .node_process import node_process

BUDGET_KB = 1.0
WARM_UP = 500
EVERY = 20
TIMEOUT_S = 60.0
RESEND_S = 1.0


class Camera(Node):
    """Sends one frame at a time and waits for what the node makes of it."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__('benchmark_camera')
        self._camera = PinholeCamera.from_fov(width, height, 70.0)
        self._rng = np.random.default_rng(0)
        self._sent = 0
        self._done = threading.Event()
        self._image = self.create_publisher(Image, 'image_raw', 2)
        self._info = self.create_publisher(CameraInfo, 'camera_info', 2)
        self._subscriptions = [
            self.create_subscription(kind, f'mono_depth/{topic}', self._on_result, 2)
            for kind, topic in (
                (Image, 'depth/image_rect'),
                (CameraInfo, 'depth/camera_info'),
                (PointCloud2, 'points'),
            )
        ]

    def exchange(self) -> None:
        """Send a frame and wait for its cloud, the last of its outputs."""
        self._sent += 1
        self._done.clear()
        header = Header(stamp=Time(sec=self._sent), frame_id='camera')
        shape = (self._camera.height, self._camera.width, 3)
        picture = rgb_to_image(self._rng.integers(0, 256, shape, np.uint8), header)
        for _ in range(int(TIMEOUT_S / RESEND_S)):
            self._info.publish(camera_to_info(self._camera, header))
            self._image.publish(picture)
            if self._done.wait(RESEND_S):
                return
        raise TimeoutError(f'frame {self._sent} was not answered within {TIMEOUT_S} s')

    def _on_result(self, msg: Image | CameraInfo | PointCloud2) -> None:
        if isinstance(msg, PointCloud2) and msg.header.stamp.sec == self._sent:
            self._done.set()


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process [kB]."""
    lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('VmRSS:'))


@contextmanager
def camera(width: int, height: int) -> Iterator[Camera]:
    """Run the camera in a thread of its own."""
    rclpy.init()
    made = Camera(width, height)

    def spin() -> None:
        try:
            rclpy.spin(made)
        except ExternalShutdownException:
            return

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield made
    finally:
        rclpy.shutdown()
        thread.join(TIMEOUT_S)


def measure(frames: int, width: int, height: int) -> np.ndarray:
    """Return (N, 2): frames sent and resident memory [kB]."""
    found = []
    with node_process({}) as pid, camera(width, height) as source:
        for i in track(range(1, frames + 1), 'frames'):
            source.exchange()
            if i % EVERY == 0:
                found.append((i, resident_kb(pid)))
    return np.array(found)


def main() -> int:
    """Print the slope after warming up; 1 if it is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=2000)
    parser.add_argument('--size', type=size, default=(320, 240), help='of the image')
    arguments = parser.parse_args()
    with claimed_domain() as domain:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        samples = measure(arguments.frames, *arguments.size)
    for sent, kb in samples[:: max(1, len(samples) // 10)]:
        print(f'{kb / 1e3:8.1f} MB after {sent} frames')
    counted, resident = samples[samples[:, 0] > min(WARM_UP, arguments.frames // 2)].T
    slope, _ = np.polyfit(counted, resident, 1)
    print(
        f'{resident[0] / 1e3:.0f} MB after {counted[0]} frames, {resident[-1] / 1e3:.0f} MB after '
        f'{counted[-1]}: {slope:.3f} kB per frame (budget {BUDGET_KB})'
    )
    return int(slope > BUDGET_KB)


if __name__ == '__main__':
    sys.exit(main())

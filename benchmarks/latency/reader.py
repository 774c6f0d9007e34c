"""A reader as a process: python -m benchmarks.latency.reader front/mono_depth/points 20."""

import argparse
import json
import sys
import time
from collections import defaultdict

import rclpy
from sensor_msgs.msg import Image, PointCloud2

WARM_UP = 5  # messages of each topic
PATIENCE_S = 120.0


def main() -> None:
    """Say `ready` after some messages of each topic, and print those of the time that follows.

    It is JSON: by topic, when each was received [s since the epoch] and its stamp [s].
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('topics')
    parser.add_argument('seconds', type=float)
    arguments = parser.parse_args()
    topics = arguments.topics.split(',')
    rclpy.init(args=[])
    node = rclpy.create_node('benchmark_reader')
    received: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for topic in topics:

        def on_message(message: Image | PointCloud2, topic: str = topic) -> None:
            stamp = message.header.stamp
            received[topic].append((time.time(), stamp.sec + stamp.nanosec / 1e9))

        kind = PointCloud2 if topic.endswith('points') else Image
        node.create_subscription(kind, topic, on_message, 5)
    end_s = time.monotonic() + PATIENCE_S
    while any(len(received[topic]) < WARM_UP for topic in topics):
        if time.monotonic() > end_s:
            sys.exit(f'nothing came on {topics} within {PATIENCE_S} s')
        rclpy.spin_once(node, timeout_sec=0.1)
    print('ready', flush=True)
    received.clear()
    end_s = time.monotonic() + arguments.seconds
    while time.monotonic() < end_s:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps(received), flush=True)


if __name__ == '__main__':
    main()

"""The node as a process of its own, as launch starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

END_S = 60.0


@contextmanager
def node_process(parameters: dict[str, str]) -> Iterator[int]:
    """Run the node on the CPU, in the ROS domain of this process; yield its process id."""
    rules = {'encoder': 'tiny', 'device': 'cpu', 'scale': '1.0', **parameters}
    arguments = [part for rule in rules.items() for part in ('-p', ':='.join(rule))]
    command = [sys.executable, '-m', 'mono_depth_ros.ros.node', '--ros-args', *arguments]
    # Camera and listener take the other half of the processors.
    threads = str(max(1, len(os.sched_getaffinity(0)) // 2))
    process = subprocess.Popen(command, env={**os.environ, 'OMP_NUM_THREADS': threads})
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(END_S)

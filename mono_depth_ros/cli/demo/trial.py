"""The node on the simulated drive: all views by one alignment method after the other."""

import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rich.progress import Progress
from sensor_msgs.msg import PointCloud2

from ...core.errors import MonoDepthError
from ...core.scale.scale_settings import AlignmentSettings
from ...core.scale.sensor_pose import pose_text
from ...ros.node import MonoDepthNode
from ...ros.simulated_camera import SimulatedCameraSettings, SimulatedStereoCamera
from ...ros.simulated_sensors import LASER_MOUNT, LIDAR_MOUNT, SONAR_MOUNT, TOF_MOUNT
from ...simulation.furnished_drive import HEIGHT_M, PITCH_DEG
from ..observer import Observer
from .recorder import IMAGE_TOPIC, Parameters, Recorder, Sample, switch

# Every fit is used, however bad, so that all methods are judged on the same frames.
_LOOSE: Parameters = {'alignment.max_residual': 10.0, 'alignment.max_uncertainty': 10.0}
_DISPARITY: Parameters = {
    **_LOOSE,
    'alignment.wait': 0.1,  # matching takes about as long as the network
    'alignment.source': 'disparity',
    'alignment.model': 'global',
    'alignment.sensor_pose': '',
}
_SENSOR: Parameters = {**_DISPARITY, 'alignment.method': 'robust', 'alignment.model': 'fused'}
# There may be no TF to tell where they stand. What few measurements cannot tell is refused.
_FEW: Parameters = {
    **_SENSOR,
    'alignment.max_residual': AlignmentSettings.max_residual,
    'alignment.max_uncertainty': AlignmentSettings.max_uncertainty,
}
_POINTS: Parameters = {**_FEW, 'alignment.source': 'points'}
_LIDAR: Parameters = {**_POINTS, 'alignment.sensor_pose': pose_text(LIDAR_MOUNT)}
_GROUND: Parameters = {
    **_FEW,
    'alignment.source': 'ground',
    'alignment.camera_height': HEIGHT_M,
    'alignment.camera_pitch': math.radians(PITCH_DEG),
}
NONE, ROBUST, STEREO = 'none', 'robust', 'robust + fused'
DEPTH_CAMERA, LASER, TOF, LANDMARKS, LIDAR, DENSE_LIDAR = (
    f'{sensor} + fused'
    for sensor in ('depth camera', 'laser', 'ToF 8x8', 'landmarks', 'LiDAR 16', 'LiDAR 64')
)
GROUND, RANGE = 'floor', 'sonar'
# Rows of the table, and what the running node is set to for each, in this order.
METHODS: dict[str, Parameters] = {
    NONE: {'alignment.source': 'none'},
    'min_max': {**_DISPARITY, 'alignment.method': 'min_max'},
    'least_squares': {**_DISPARITY, 'alignment.method': 'least_squares'},
    ROBUST: {**_DISPARITY, 'alignment.method': 'robust'},
    'robust + local': {**_DISPARITY, 'alignment.method': 'robust', 'alignment.model': 'local'},
    STEREO: _SENSOR,
    DEPTH_CAMERA: {**_FEW, 'alignment.source': 'depth'},
    LASER: {**_FEW, 'alignment.source': 'scan', 'alignment.sensor_pose': pose_text(LASER_MOUNT)},
    TOF: {**_POINTS, 'alignment.sensor_pose': pose_text(TOF_MOUNT)},
    LANDMARKS: _POINTS,  # in the frame of the images, or by TF
    LIDAR: _LIDAR,
    DENSE_LIDAR: _LIDAR,
    GROUND: _GROUND,
    RANGE: {**_FEW, 'alignment.source': 'range', 'alignment.sensor_pose': pose_text(SONAR_MOUNT)},
}
_CLOUDS = {
    TOF: 'tof_points',
    LANDMARKS: 'landmarks',
    LIDAR: 'lidar_points',
    DENSE_LIDAR: 'dense_lidar_points',
}
"""What the node takes for `lidar_points`, of a running node one after the other."""
_POINTS_TOPIC = '/measured_points'
_FIRST_DEPTH_S, _START_S = 5.0, 90.0


class Trial:
    """All views by one method, each once, so that all methods are judged on the same.

    It starts with the first frame whose depth is known, or after a while without one: how long an
    alignment takes to begin is not part of how good it is. Images with stamps up to `since_ns`
    belong to the method before.
    """

    def __init__(self, method: str, views: int, since_ns: int = 0) -> None:
        self.method = method
        self.samples: list[Sample] = []
        self._views, self._since_ns = views, since_ns
        self._seen: set[bytes] = set()
        self._began_s = time.monotonic()

    @property
    def is_complete(self) -> bool:
        """Whether every view has been answered."""
        return len(self.samples) >= self._views

    def sample_of(self, view: bytes) -> Sample | None:
        """Return what was made of a view, None if it was left out."""
        return next((sample for sample in self.samples if sample.view == view), None)

    def add(self, sample: Sample) -> None:
        """Take a sample, unless it belongs to the method before, or its view was taken."""
        if sample.stamp <= self._since_ns or sample.view in self._seen or self.is_complete:
            return
        is_late = time.monotonic() > self._began_s + _FIRST_DEPTH_S
        if self.samples or is_late or np.isfinite(sample.depth).any():
            self._seen.add(sample.view)
            self.samples.append(sample)


class _Relay:
    """Publishes the cloud of one sensor where the node listens to points."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher = node.create_publisher(PointCloud2, _POINTS_TOPIC, 5)
        self._heard: Subscription | None = None

    def listen(self, topic: str | None) -> None:
        """Relay another topic, or none."""
        if self._heard is not None:
            self._node.destroy_subscription(self._heard)
            self._heard = None
        if topic:
            self._heard = self._node.create_subscription(
                PointCloud2, topic, self._publisher.publish, 5
            )


def run_drive(
    camera: SimulatedCameraSettings, parameters: Parameters, progress: Progress
) -> tuple[list[Trial], Recorder]:
    """Run the node on the simulated camera, by one method after the other."""
    views = camera.views
    trials = [Trial(NONE, views)]
    bar = progress.add_task('starting', total=len(METHODS) * views)
    with _running(camera, {**parameters, **METHODS[NONE]}) as (node, threads):
        observer = Observer(node)
        recorder = Recorder(node, lambda sample: trials[-1].add(sample))
        relay = _Relay(node)

        def samples() -> int:
            """Return how many samples the trial has; raise what ended a thread."""
            for thread in threads:
                if thread.done():
                    thread.result()
            frames = sum(len(trial.samples) for trial in trials)
            progress.update(bar, completed=frames, description=trials[-1].method)
            return len(trials[-1].samples)

        if not observer.wait(samples, _START_S):
            trouble = f'no frame came out of the node within {_START_S:.0f} s'
            raise MonoDepthError('\n  '.join((trouble, *recorder.warnings)))
        for method, values in METHODS.items():
            if method != NONE:
                relay.listen(_CLOUDS.get(method))
                switch(observer, '/mono_depth', values)
                trials.append(Trial(method, views, node.get_clock().now().nanoseconds))
            most_s = 20.0 + 1.5 * views / camera.rate  # a slow machine leaves out views
            observer.wait(lambda: samples() >= views, most_s)
    return trials, recorder


@contextmanager
def _running(
    camera: SimulatedCameraSettings, parameters: Parameters
) -> 'Iterator[tuple[Node, list[Future[None]]]]':
    """Run camera and node, each in a thread; yield another node of their graph, and those."""
    context = Context()
    # Ctrl-C stays with Python; the log goes to the files in ROS_LOG_DIR and to /rosout.
    arguments = ['--ros-args', '--disable-stdout-logs']
    rclpy.init(args=arguments, context=context, signal_handler_options=SignalHandlerOptions.NO)
    with ExitStack() as stack:
        stack.callback(context.try_shutdown)
        pool = stack.enter_context(ThreadPoolExecutor())
        overrides = [Parameter(name, value=value) for name, value in asdict(camera).items()]
        sender = SimulatedStereoCamera(context=context, parameter_overrides=overrides)
        threads = [stack.enter_context(_spinning(sender, pool))]
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        topics = {'image_raw': IMAGE_TOPIC, 'lidar_points': _POINTS_TOPIC}
        remapped = ['--ros-args']
        for name, topic in topics.items():
            remapped += ['-r', f'{name}:={topic}']
        node = MonoDepthNode(context=context, cli_args=remapped, parameter_overrides=overrides)
        threads.append(stack.enter_context(_spinning(node, pool)))
        stack.callback(node.stop)
        node.start()
        yield rclpy.create_node('mono_depth_demo', context=context), threads


@contextmanager
def _spinning(node: Node, pool: ThreadPoolExecutor) -> 'Iterator[Future[None]]':
    """Spin a node in a thread, and destroy it in the end."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = rclpy.Future()
    thread = pool.submit(executor.spin_until_future_complete, end)
    try:
        yield thread
    finally:
        end.set_result(None)
        wait([thread])
        executor.shutdown()
        node.destroy_node()

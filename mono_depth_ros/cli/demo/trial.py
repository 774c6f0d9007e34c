"""The node on the simulated drive: all views by one alignment method after the other."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace

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
from ...ros.simulated_sensors import LASER_MOUNT, LIDAR_MOUNT, TOF_MOUNT
from ..observer import Observer
from .recorder import IMAGE_TOPIC, NO_POINTS, Parameters, Recorder, Sample, switch

# Every fit is used, however bad, so that all methods are judged on the same frames.
_LOOSE: Parameters = {'alignment.max_residual': 10.0, 'alignment.max_uncertainty': 10.0}
_DISPARITY: Parameters = {
    **_LOOSE,
    'alignment.source': 'disparity',
    'alignment.model': 'global',
    'alignment.sensor_pose': '',
}
# There may be no TF to tell where they stand. What a single line cannot tell is refused.
_LASER: Parameters = {
    'alignment.max_residual': AlignmentSettings.max_residual,
    'alignment.max_uncertainty': AlignmentSettings.max_uncertainty,
    'alignment.source': 'scan',
    'alignment.method': 'robust',
    'alignment.model': 'fused',
    'alignment.sensor_pose': pose_text(LASER_MOUNT),
}
_POINTS: Parameters = {**_LASER, 'alignment.source': 'points'}
NONE, ROBUST = 'none', 'robust'
LASER, TOF, LANDMARKS, LIDAR = (
    f'{sensor} + fused' for sensor in ('laser', 'ToF 8x8', 'landmarks', 'LiDAR')
)
# Rows of the table, and what the running node is set to for each, in this order.
METHODS: dict[str, Parameters] = {
    NONE: {'alignment.source': 'none'},
    'min_max': {**_DISPARITY, 'alignment.method': 'min_max'},
    'least_squares': {**_DISPARITY, 'alignment.method': 'least_squares'},
    ROBUST: {**_DISPARITY, 'alignment.method': 'robust'},
    'robust + local': {**_DISPARITY, 'alignment.method': 'robust', 'alignment.model': 'local'},
    'robust + fused': {**_DISPARITY, 'alignment.method': 'robust', 'alignment.model': 'fused'},
    LASER: _LASER,
    TOF: {**_POINTS, 'alignment.sensor_pose': pose_text(TOF_MOUNT)},
    LANDMARKS: {**_POINTS, 'alignment.sensor_pose': ''},  # in the frame of the images, or by TF
    LIDAR: {**_POINTS, 'alignment.sensor_pose': pose_text(LIDAR_MOUNT)},
}
_CLOUDS = {TOF: 'tof_points', LANDMARKS: 'landmarks', LIDAR: 'lidar_points'}
"""What the node takes for `lidar_points`, of a running node one after the other."""
_POINTS_TOPIC = '/measured_points'
SHOWN = 4
_FIRST_DEPTH_S, _START_S = 5.0, 90.0


class Trial:
    """All views by one method, each once, so that all methods are judged on the same.

    It starts with the first frame whose depth is known, or after a while without one: how long an
    alignment takes to begin is not part of how good it is. Images with stamps up to `since_ns`
    belong to the method before. Samples that are not shown are kept without their clouds.
    """

    def __init__(self, method: str, views: int, since_ns: int = 0) -> None:
        self.method = method
        self.samples: list[Sample] = []
        self._views, self._since_ns = views, since_ns
        self._seen: set[bytes] = set()
        self._began_s = time.monotonic()
        self._chosen = {round(i * (views - 1) / (SHOWN - 1)) for i in range(SHOWN)}

    @property
    def is_complete(self) -> bool:
        """Whether every view has been answered."""
        return len(self.samples) >= self._views

    @property
    def shown(self) -> list[Sample]:
        """A few samples, evenly spread."""
        return [self.samples[i] for i in sorted(self._chosen) if i < len(self.samples)]

    def add(self, sample: Sample) -> None:
        """Take a sample, unless it belongs to the method before, or its view was taken."""
        view = sample.truth.tobytes()  # the same to the last bit when the camera shows it again
        if sample.stamp <= self._since_ns or view in self._seen or self.is_complete:
            return
        is_late = time.monotonic() > self._began_s + _FIRST_DEPTH_S
        if not (self.samples or is_late or np.isfinite(sample.depth).any()):
            return
        is_shown = len(self.samples) in self._chosen
        self._seen.add(view)
        self.samples.append(sample if is_shown else replace(sample, points=NO_POINTS))


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

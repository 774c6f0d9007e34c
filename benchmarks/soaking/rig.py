"""Camera, user and lifecycle manager of a node that runs as a process of its own."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.messages import camera_to_info, rgb_to_image

WIDTH, HEIGHT = 320, 240
PATIENCE_S = 60.0
_RESEND_S = 2.0
_TOLERANCE = 1e-3


class SoakRig:
    """Sends frames, counts them, and knows what a good one has to give.

    Args:
        depth: (H, W) float32 [m], what the node has to make of `picture`.
        picture: (H, W, 3) uint8 RGB.

    Attributes:
        sent: Images published.
        latencies_s: From publishing an ordinary image to its depth here [s].
        unanswered: Ordinary images whose depth did not come within two seconds.
        counts: The newest values of the node's diagnostics.
    """

    def __init__(self, picture: np.ndarray, depth: np.ndarray) -> None:
        self._node = rclpy.create_node('soak')
        self.sent = self.unanswered = 0
        self.latencies_s: list[float] = []
        self.counts: dict[str, str] = {}
        self._reports = 0
        self._picture, self._depth = picture, depth
        self._camera = PinholeCamera.from_fov(WIDTH, HEIGHT, 70.0)
        self._stamp_s = 1_000
        self._depths: dict[int, Image] = {}
        self._arrival = threading.Condition()
        self._image = self._node.create_publisher(Image, 'image_raw', 2)
        self._info = self._node.create_publisher(CameraInfo, 'camera_info', 2)
        self.disparity = self._node.create_publisher(DisparityImage, 'disparity', 2)
        self.scan = self._node.create_publisher(LaserScan, 'scan', 2)
        self.cloud = self._node.create_publisher(PointCloud2, 'lidar_points', 2)
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_report, 10)
        self._outputs: list[Any] = []
        kinds = {
            'change_state': ChangeState,
            'set_parameters': SetParameters,
            'set_parameters_atomically': SetParametersAtomically,
            'snapshot': Trigger,
            'reset_alignment': Trigger,
        }
        self._services = {
            name: self._node.create_client(kind, f'mono_depth/{name}')
            for name, kind in kinds.items()
        }
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()
        self.listen()

    def close(self) -> None:
        """End the thread."""
        self._executor.shutdown()
        self._thread.join(PATIENCE_S)

    # Frames.

    def header(self, stamp: Time | None = None) -> Header:
        """Return a header with a stamp, by default later than any before."""
        self._stamp_s += 1
        return Header(stamp=stamp or Time(sec=self._stamp_s), frame_id='camera')

    def send(self, image: Image, info: CameraInfo | None = None) -> None:
        """Publish an image and the camera_info of its header."""
        if info is None:
            info = camera_to_info(self._camera, image.header)
        self._info.publish(info)
        self._image.publish(image)
        self.sent += 1

    def film(self, picture: np.ndarray) -> None:
        """Send an ordinary image and wait for its depth."""
        image = rgb_to_image(picture, self.header())
        began_s = time.monotonic()
        self.send(image)
        if self._answer(image, _RESEND_S) is None:
            self.unanswered += 1
        else:
            self.latencies_s.append(time.monotonic() - began_s)

    def prove(self) -> float:
        """Send the good image until its depth comes, and return how long that took [s].

        Raises:
            RuntimeError: No depth comes, or not the right one.
        """
        began_s = time.monotonic()
        while time.monotonic() - began_s < PATIENCE_S:
            image = rgb_to_image(self._picture, self.header())
            self.send(image)
            answer = self._answer(image, _RESEND_S)
            if answer is not None:
                self._require_right(answer)
                return time.monotonic() - began_s
        raise RuntimeError(f'a good image gives no depth for {PATIENCE_S} s: {self.counts}')

    def _require_right(self, answer: Image) -> None:
        depth = np.frombuffer(answer.data, np.float32).reshape(answer.height, answer.width)
        known = np.isfinite(self._depth)
        if depth.shape != self._depth.shape or not np.array_equal(np.isfinite(depth), known):
            raise RuntimeError(
                f'a good image gives depth of {depth.shape} with other known pixels'
            )
        off = float(np.abs(depth[known] / self._depth[known] - 1).max())
        if off > _TOLERANCE:
            raise RuntimeError(f'depth of a good image is off by {off:.2%}')

    def _answer(self, image: Image, patience_s: float) -> Image | None:
        stamp_s = image.header.stamp.sec
        with self._arrival:
            self._arrival.wait_for(lambda: stamp_s in self._depths, patience_s)
            answer = self._depths.get(stamp_s)
            self._depths.clear()
        return answer

    # Listening.

    def listen(self) -> None:
        """Subscribe to depth and cloud."""
        if not self._outputs:
            for kind, topic, put in (
                (Image, 'depth/image_rect', self._on_depth),
                (PointCloud2, 'points', lambda _: None),
            ):
                made = self._node.create_subscription(kind, f'mono_depth/{topic}', put, 2)
                self._outputs.append(made)

    def stop_listening(self) -> None:
        """Give the subscriptions up."""
        for subscription in self._outputs:
            self._node.destroy_subscription(subscription)
        self._outputs = []

    def _on_depth(self, image: Image) -> None:
        with self._arrival:
            self._depths[image.header.stamp.sec] = image
            self._arrival.notify_all()

    def _on_report(self, report: DiagnosticArray) -> None:
        for status in report.status:
            if status.name == 'mono_depth':
                self.counts = {pair.key: pair.value for pair in status.values}
                self.counts['message'] = status.message
                self._reports += 1

    def settled(self) -> dict[str, str]:
        """Return the counts of a report that is newer than now and has no frame in work."""
        seen = self._reports + 1  # one more may have been on its way
        self.wait(lambda: self._reports > seen and self.counts['frames in work'] == '0', 'counts')
        return self.counts

    # Services.

    def ask(self, service: str, request: Any) -> Any:
        """Call a service and return the future of its answer."""
        client = self._services[service]
        self.wait(client.service_is_ready, service)
        return client.call_async(request)

    def call(self, service: str, request: Any) -> Any:
        """Call a service and return its answer."""
        future = self.ask(service, request)
        self.wait(future.done, service)
        return future.result()

    def change(self, transition: int) -> bool:
        """Ask for a transition; return whether it succeeded."""
        request = ChangeState.Request()
        request.transition.id = transition
        return bool(self.call('change_state', request).success)

    def set(self, values: dict[str, Any]) -> str:
        """Set parameters, all or none; return the reason of a refusal."""
        messages = [Parameter(name, value=v).to_parameter_msg() for name, v in values.items()]
        request = SetParametersAtomically.Request(parameters=messages)
        return str(self.call('set_parameters_atomically', request).result.reason)

    def wait(self, done: Callable[[], object], what: str) -> None:
        """Wait until `done()`.

        Raises:
            RuntimeError: It does not come true in time.
        """
        end_s = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > end_s or not rclpy.ok():
                raise RuntimeError(
                    f'{what}: nothing for {PATIENCE_S} s; the node said {self.counts}'
                )
            time.sleep(0.005)

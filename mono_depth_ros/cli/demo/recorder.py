"""The demo's peers of the node: one records what it publishes, one calls its services."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from std_srvs.srv import Trigger

from ...core.errors import MonoDepthError
from ...core.files.depth_messages import image_to_depth
from ...ros.messages import color_decoder, nanoseconds
from ...ros.qos import input_qos

IMAGE_TOPIC = '/left/image_raw'
Parameters = Mapping[str, str | float | bool]
Depth = npt.NDArray[np.float32]

NO_POINTS = np.empty((0, 4), np.float32)
_PENDING = 30
_POLL_S = 0.2
_WARN = 30  # Log.WARN is a byte in some distributions


@dataclass(frozen=True, eq=False)
class Sample:
    """What the node published about one image, by its stamp [ns], and the truth."""

    stamp: int
    depth: Depth  # (H, W) [m], NaN unknown
    prediction: Depth  # (H, W), relative inverse depth
    truth: Depth  # (H, W) [m]
    color: npt.NDArray[np.uint8]  # (H, W, 3) RGB
    points: npt.NDArray[np.float32]  # (N, 4): x, y, z [m] and 0x00RRGGBB


class Recorder:
    """Subscriptions of a node to the simulated camera and to what is made of its images.

    Each complete sample goes to `deliver`; `poll` is called again and again while waiting.

    Attributes:
        arrivals_s: When each depth image came.
        latencies_s: Time from each image's arrival here to that of its depth.
        warnings: The latest warnings and errors of all nodes.
    """

    def __init__(
        self, node: Node, deliver: Callable[[Sample], None], poll: Callable[[], None]
    ) -> None:
        self.arrivals_s: list[float] = []
        self.latencies_s: list[float] = []
        self.warnings: deque[str] = deque(maxlen=5)
        self._deliver, self._poll = deliver, poll
        self._images_s: dict[int, float] = {}
        self._pending: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        # First of all, since of what has come the executor takes the oldest subscription first.
        node.create_subscription(Image, IMAGE_TOPIC, self._on_image, input_qos())
        for name, (kind, topic, _) in _TOPICS.items():
            node.create_subscription(kind, topic, partial(self._on_part, name), 10)
        durable = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(Log, '/rosout', self._on_log, durable)

    def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Take in messages until `done`; return whether that was within the time."""
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                return False
            self._poll()
            self._executor.spin_once(timeout_sec=_POLL_S)
        return True

    def _on_image(self, message: Image) -> None:
        self._images_s[nanoseconds(message.header.stamp)] = time.monotonic()

    def _on_log(self, message: Log) -> None:
        if message.level >= _WARN:
            self.warnings.append(f'{message.name}: {message.msg}')

    def _on_part(self, name: str, message: Any) -> None:
        stamp, now = nanoseconds(message.header.stamp), time.monotonic()
        if name == 'depth':
            self.arrivals_s.append(now)
            if stamp in self._images_s:
                self.latencies_s.append(now - self._images_s.pop(stamp))
        parts = self._pending.setdefault(stamp, {})
        parts[name] = message
        missing = _TOPICS.keys() - parts.keys()
        # Where depth is not known at all, no cloud is published.
        is_unknown = missing == {'points'} and np.isnan(image_to_depth(parts['depth'])).all()
        if is_unknown or not missing:
            del self._pending[stamp]
            read = {key: _TOPICS[key][2](message) for key, message in parts.items()}
            self._deliver(Sample(stamp, **{'points': NO_POINTS, **read}))
        elif len(self._pending) > _PENDING:
            self._pending.popitem(last=False)


class NodeClient:
    """Calls the services of a node by its full name, as `ros2 param` and `ros2 service` do.

    `wait(done)` spins until `done()` is true, and returns False if that took too long.
    """

    def __init__(self, node: Node, name: str, wait: Callable[[Callable[[], bool]], bool]) -> None:
        self._wait = wait
        service = f'{name}/set_parameters_atomically'
        self._parameters = node.create_client(SetParametersAtomically, service)
        self._reset = node.create_client(Trigger, f'{name}/reset_alignment')

    def switch(self, parameters: Parameters) -> None:
        """Set parameters, all or none, and have the alignment start anew."""
        messages = [Parameter(name, value=v).to_parameter_msg() for name, v in parameters.items()]
        request = SetParametersAtomically.Request(parameters=messages)
        result = self._call(self._parameters, request).result
        if not result.successful:
            raise MonoDepthError(f'the node refuses {dict(parameters)}: {result.reason}')
        self._call(self._reset, Trigger.Request())

    def _call(self, client: Client, request: Any) -> Any:
        if self._wait(client.service_is_ready):
            answer = client.call_async(request)
            if self._wait(answer.done):
                return answer.result()
        raise MonoDepthError(f'the node does not answer {client.srv_name}')


def _rows(cloud: PointCloud2) -> npt.NDArray[np.float32]:
    return np.frombuffer(cloud.data, np.float32).reshape(-1, cloud.point_step // 4)


# Field of a sample -> message, topic, and what reads it.
_TOPICS: dict[str, tuple[type, str, Callable[[Any], Any]]] = {
    'depth': (Image, '/mono_depth/depth/image_rect', image_to_depth),
    'prediction': (Image, '/mono_depth/relative_inverse_depth', image_to_depth),
    'truth': (Image, '/left/depth_truth', image_to_depth),
    'color': (Image, '/mono_depth/color/image_rect', color_decoder().rgb),
    'points': (PointCloud2, '/mono_depth/points', _rows),
}

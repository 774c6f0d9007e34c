"""What the demo records of the node, and how it switches it."""

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
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, PointCloud2
from std_srvs.srv import Trigger

from ...core.errors import MonoDepthError
from ...core.files.depth_messages import image_to_depth
from ...ros.messages import color_decoder, nanoseconds
from ...ros.qos import input_qos
from ..observer import Observer

IMAGE_TOPIC = '/left/image_raw'
Parameters = Mapping[str, str | float | bool]
Depth = npt.NDArray[np.float32]

NO_POINTS = np.empty((0, 4), np.float32)
_PENDING = 30
_ANSWER_S = 10.0
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

    Each complete sample goes to `deliver`.

    Attributes:
        arrivals_s: When each depth image came.
        latencies_s: Time from each image's arrival here to that of its depth.
        warnings: The latest warnings and errors of all nodes.
    """

    def __init__(self, node: Node, deliver: Callable[[Sample], None]) -> None:
        self.arrivals_s: list[float] = []
        self.latencies_s: list[float] = []
        self.warnings: deque[str] = deque(maxlen=5)
        self._deliver = deliver
        self._images_s: dict[int, float] = {}
        self._pending: OrderedDict[int, dict[str, Any]] = OrderedDict()
        # First of all, since of what has come the executor takes the oldest subscription first.
        node.create_subscription(Image, IMAGE_TOPIC, self._on_image, input_qos())
        for name, (kind, topic, _) in _TOPICS.items():
            node.create_subscription(kind, topic, partial(self._on_part, name), 10)
        durable = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(Log, '/rosout', self._on_log, durable)

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


def switch(observer: Observer, node: str, parameters: Parameters) -> None:
    """Set parameters of a node, all or none, and have its alignment start anew.

    Raises:
        MonoDepthError: The node refuses them, or does not answer.
    """
    messages = [Parameter(name, value=v).to_parameter_msg() for name, v in parameters.items()]
    calls = (
        ('set_parameters_atomically', SetParametersAtomically, {'parameters': messages}),
        ('reset_alignment', Trigger, {}),
    )
    for name, kind, fields in calls:
        answer = observer.call(kind, f'{node}/{name}', kind.Request(**fields), _ANSWER_S)
        if answer is None:
            raise MonoDepthError(f'the node does not answer {node}/{name}')
        if fields and not answer.result.successful:
            raise MonoDepthError(f'the node refuses {dict(parameters)}: {answer.result.reason}')


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

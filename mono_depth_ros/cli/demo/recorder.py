"""What the demo records of the node, and how it switches it."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from ...core.errors import MonoDepthError
from ...core.files.depth_messages import image_to_depth
from ...ros.messages import color_decoder, nanoseconds
from ...ros.qos import input_qos
from ..observer import Observer

IMAGE_TOPIC = '/left/image_raw'
Parameters = Mapping[str, str | float | bool]
Depth = npt.NDArray[np.float32]

_PENDING = 30
_ANSWER_S = 10.0
_WARN = 30  # Log.WARN is a byte in some distributions


@dataclass(frozen=True, eq=False)
class Sample:
    """What the node published about one image, by its stamp [ns], and the truth."""

    stamp: int
    depth: Depth  # (H, W) [m], NaN unknown
    truth: Depth  # (H, W) [m], the same to the last bit when the camera shows the view again
    color: npt.NDArray[np.uint8]  # (H, W, 3) RGB

    @cached_property
    def view(self) -> bytes:
        """What tells views apart."""
        return sha256(self.truth.tobytes()).digest()


class Recorder:
    """Subscriptions of a node to the simulated camera and to what is made of its images.

    Each complete sample goes to `deliver`; those of one view share its truth and color.

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
        self._views: dict[bytes, Sample] = {}
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
        if parts.keys() == _TOPICS.keys():
            del self._pending[stamp]
            read = {key: _TOPICS[key][2](message) for key, message in parts.items()}
            sample = Sample(stamp, **read)
            first = self._views.setdefault(sample.view, sample)
            self._deliver(replace(sample, truth=first.truth, color=first.color))
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


# Field of a sample -> message, topic, and what reads it.
_TOPICS: dict[str, tuple[type[Image], str, Callable[[Image], Any]]] = {
    'depth': (Image, '/mono_depth/depth/image_rect', image_to_depth),
    'truth': (Image, '/left/depth_truth', image_to_depth),
    'color': (Image, '/mono_depth/color/image_rect', color_decoder().rgb),
}

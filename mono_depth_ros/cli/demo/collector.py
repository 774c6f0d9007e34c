"""Listens to the node and puts together what belongs to one image."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import MonoDepthError
from ...core.files.depth_messages import image_to_depth
from ...ros.camera_info_messages import calibration_from_info
from ...ros.image_messages import nanoseconds
from ...ros.qos import input_qos

_PENDING = 30
_POLL_S = 0.2


@dataclass(frozen=True, eq=False)
class Estimate:
    """What was estimated of one image, and what is true of it.

    Attributes:
        stamp: Of the image [ns].
        camera: Of all of it.
        depth: (H, W) float32 [m], NaN unknown.
        prediction: (H, W) float32, relative inverse depth.
        truth: (H, W) float32 [m], None if no truth topic was named.
    """

    stamp: int
    camera: PinholeCamera
    depth: npt.NDArray[np.float32]
    prediction: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32] | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is depth anywhere."""
        return bool(np.isfinite(self.depth).any())


@dataclass(frozen=True, eq=False)
class Sample:
    """All that was published about one image.

    Attributes:
        estimate: The numbers.
        color: (H, W, 3) uint8 RGB.
        colormap: (H, W, 3) uint8 RGB.
        points: (N, 4) float32: x, y, z [m] and the bits 0x00RRGGBB; none if depth is not known.
    """

    estimate: Estimate
    color: npt.NDArray[np.uint8]
    colormap: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float32]


class Collector:
    """Subscriptions to an image and to everything the node makes of it.

    Args:
        node: Whose they are.
        image_topic: Full name; of a CompressedImage if it ends so.
        truth_topic: Full name of the true depth image, '' if there is none.
        deliver: Called once for every stamp, when all of it has come.

    Attributes:
        arrivals_s: When depth images came, repeated stamps as well.
        latencies_s: Time from an image's arrival here to that of its depth.
    """

    def __init__(
        self,
        node: Node,
        image_topic: str,
        truth_topic: str,
        deliver: Callable[[Sample], None],
    ) -> None:
        self.arrivals_s: list[float] = []
        self.latencies_s: list[float] = []
        self._deliver = deliver
        self._images_s: OrderedDict[int, float] = OrderedDict()
        self._pending: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._delivered: set[int] = set()
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        parts: dict[str, tuple[type, str, Callable[[Any], Any]]] = {
            'camera': (CameraInfo, 'depth/camera_info', _camera),
            'depth': (Image, 'depth/image_rect', image_to_depth),
            'prediction': (Image, 'relative_inverse_depth', image_to_depth),
            'color': (Image, 'color/image_rect', _pixels),
            'colormap': (Image, 'depth/colormap', _pixels),
            'points': (PointCloud2, 'points', _points),
        }
        if truth_topic:
            parts['truth'] = (Image, truth_topic, image_to_depth)
        self._wanted = set(parts)
        for name, (kind, topic, read) in parts.items():
            topic = topic if topic.startswith('/') else f'/mono_depth/{topic}'
            callback = partial(self._on_part, name, read)
            node.create_subscription(kind, topic, callback, QoSProfile(depth=10))
        image_kind = CompressedImage if image_topic.endswith('/compressed') else Image
        node.create_subscription(image_kind, image_topic, self._on_image, input_qos())

    def collect(
        self, done: Callable[[], bool], timeout_s: float, check: Callable[[], None]
    ) -> bool:
        """Take in messages until `done`; return whether that was within the time.

        `check` is called a few times per second and may raise.
        """
        deadline = time.monotonic() + timeout_s
        checked = -_POLL_S
        while not done():
            now = time.monotonic()
            if now > deadline:
                return False
            if now >= checked + _POLL_S:
                check()
                checked = now
            self._executor.spin_once(timeout_sec=_POLL_S)
        return True

    def rate_hz(self) -> float:
        """Return how often depth came, NaN if not twice."""
        if len(self.arrivals_s) < 2:
            return float('nan')
        return (len(self.arrivals_s) - 1) / (self.arrivals_s[-1] - self.arrivals_s[0])

    def _on_image(self, message: Image | CompressedImage) -> None:
        stamp = nanoseconds(message.header.stamp)
        self._images_s[stamp] = time.monotonic()
        self._images_s.move_to_end(stamp)
        while len(self._images_s) > _PENDING:
            self._images_s.popitem(last=False)

    def _on_part(self, name: str, read: Callable[[Any], Any], message: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        if name == 'depth':
            self._time_depth(stamp)
        if stamp in self._delivered:
            return
        parts = self._pending.setdefault(stamp, {})
        parts[name] = partial(read, message)
        if self._is_complete(parts):
            del self._pending[stamp]
            self._delivered.add(stamp)
            self._deliver(_assembled(stamp, {name: part() for name, part in parts.items()}))
        elif len(self._pending) > _PENDING:
            self._pending.popitem(last=False)

    def _is_complete(self, parts: dict[str, Callable[[], Any]]) -> bool:
        """Say whether all has come; where depth is not known at all, no cloud is published."""
        missing = self._wanted - parts.keys()
        if missing == {'points'} and not np.isfinite(parts['depth']()).any():
            parts['points'] = partial(np.empty, (0, 4), np.float32)
            return True
        return not missing

    def _time_depth(self, stamp: int) -> None:
        now = time.monotonic()
        self.arrivals_s.append(now)
        sent = self._images_s.get(stamp)
        if sent is not None and sent <= now:
            self.latencies_s.append(now - sent)


def _assembled(stamp: int, parts: dict[str, Any]) -> Sample:
    looks = {name: parts.pop(name) for name in ('color', 'colormap', 'points')}
    return Sample(Estimate(stamp, **parts), **looks)


def _camera(message: CameraInfo) -> PinholeCamera:
    calibration = calibration_from_info(message)
    if calibration is None:
        raise MonoDepthError('the node published a camera_info with K[0] = 0')
    return calibration.rectified_camera()


def _pixels(message: Image) -> npt.NDArray[np.uint8]:
    pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
    return pixels[..., ::-1] if message.encoding == 'bgr8' else pixels


def _points(message: PointCloud2) -> npt.NDArray[np.float32]:
    floats = np.frombuffer(message.data, np.float32)
    return floats.reshape(-1, message.point_step // 4)

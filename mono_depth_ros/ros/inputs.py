"""What the node listens to: images, the calibration of each, and what measures depth."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from ..core.camera.calibration import CameraCalibration, fit_to_image
from ..core.errors import SettingsError
from ..core.scale.alignment_settings import AlignmentSettings
from .camera_info_messages import calibration_from_info
from .image_messages import compressed_to_rgb, image_to_rgb
from .node_settings import InputSettings
from .qos import QosMonitor
from .subscribing import subscribe
from .tilt_source import TiltSource

_KEPT_INFOS = 16
_KEPT_BYTES = 64_000_000
_MEASUREMENTS = {'disparity': DisparityImage, 'registered_depth': Image}
_SOURCES = {'none': None, 'ground': None, 'disparity': 'disparity', 'depth': 'registered_depth'}
"""The topic that each `alignment.source` listens to."""


@dataclass(frozen=True, eq=False)
class Frame:
    """An image message and the camera_info that belongs to it, None if none came yet."""

    image: Image | CompressedImage
    info: CameraInfo | None

    @property
    def header(self) -> Header:
        """The image's header."""
        return self.image.header

    @property
    def size(self) -> tuple[int, int] | None:
        """Return (height, width) [px] as the message says, None if only decoding tells."""
        if isinstance(self.image, CompressedImage):
            return None
        return self.image.height, self.image.width

    def rgb(self) -> np.ndarray:
        """Return (H, W, 3) uint8.

        Raises:
            ImageError: The message does not hold the image it claims to hold.
        """
        if isinstance(self.image, CompressedImage):
            return compressed_to_rgb(self.image)
        return image_to_rgb(self.image)

    def calibration(self, height: int, width: int) -> CameraCalibration | None:
        """Return the calibration at the image's size, None if there is none.

        Raises:
            CalibrationError: The camera_info is broken or of another image.
        """
        calibration = None if self.info is None else calibration_from_info(self.info)
        return calibration and fit_to_image(calibration, width, height)


def nanoseconds(stamp: Time) -> int:
    """Return a stamp as one number."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def image_topics(node: Node, transport: str) -> tuple[str, str]:
    """Return the full names of the image and camera_info topics.

    The image topic after remapping decides: `<image>/compressed`, and the camera_info beside it
    unless `camera_info` is remapped itself.
    """
    image = node.resolve_topic_name('image_raw')
    info = node.resolve_topic_name('camera_info')
    if info == node.resolve_topic_name('camera_info', only_expand=True):
        info = f'{image.rpartition("/")[0]}/camera_info'
    return (f'{image}/compressed' if transport == 'compressed' else image), info


class Inputs:
    """Subscriptions whose callbacks only store.

    Args:
        node: Whose they are.
        settings: Transport, frame and rate; may be replaced while running.
        deliver: Called with each frame to be worked on.
        qos: Told about every subscription.

    Attributes:
        received: Images that came.
        paired: Images and camera_infos whose stamp the other had, too.
        measured: Measurements that came.
        image_topic: Full name.
        info_topic: Full name.
        measurement_topic: Full name, '' while nothing is measured.
        plumb: Tells which way is down.

    Raises:
        SettingsError: A `qos_overrides` parameter has a value it cannot have.
    """

    def __init__(
        self,
        node: Node,
        settings: InputSettings,
        deliver: Callable[[Frame], None],
        qos: QosMonitor,
    ) -> None:
        self.settings = settings
        self.received = self.paired = self.measured = 0
        self.image_topic, self.info_topic = image_topics(node, settings.image_transport)
        self.measurement_topic = ''
        self.plumb = TiltSource(node, qos)
        self._node = node
        self._deliver = deliver
        self._qos = qos
        self._stamps: deque[int] = deque(maxlen=_KEPT_INFOS)
        self._infos: OrderedDict[int, CameraInfo] = OrderedDict()
        self._last_delivered: int | None = None
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._measurement: DisparityImage | Image | None = None
        self._source = 'none'
        self._measuring: Subscription | None = None
        self._opened: list[Subscription] = []
        kind = CompressedImage if settings.image_transport == 'compressed' else Image
        try:
            # The executor serves them in this order where both an image and its info wait.
            self._opened.append(self._subscription(CameraInfo, self.info_topic, self._on_info))
            self._opened.append(self._subscription(kind, self.image_topic, self._on_image))
        except SettingsError:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening."""
        self.measure(AlignmentSettings(), '')
        for subscription in self._opened:
            self._node.destroy_subscription(subscription)

    def measure(self, alignment: AlignmentSettings, base_frame: str) -> None:
        """Listen to what an alignment measures by, and no more to what another did.

        Args:
            alignment: Its source, and for the floor what tells the tilt of the camera.
            base_frame: Whose z points up, where TF tells the tilt.

        Raises:
            SettingsError: That cannot be listened to; what was listened to before goes on.
        """
        measuring, topic = self._measuring, _SOURCES[alignment.source]
        if alignment.source != self._source:
            measuring = None
            if topic is not None:
                measuring = self._subscription(_MEASUREMENTS[topic], topic, self._on_measurement)
        is_floor = alignment.source == 'ground'
        self.plumb.listen(alignment.camera_pitch_from if is_floor else 'parameter', base_frame)
        if alignment.source == self._source:
            return
        self._source = alignment.source
        if self._measuring is not None:
            self._node.destroy_subscription(self._measuring)
        self._measuring = measuring
        self.measurement_topic = '' if measuring is None else measuring.topic_name
        self._measurement = None
        self._frames.clear()

    def take_measurement(self) -> DisparityImage | Image | None:
        """Return the newest measurement that has not been taken, None if there is none."""
        taken, self._measurement = self._measurement, None
        return taken

    def frame(self, stamp_ns: int) -> Frame | None:
        """Return a recent frame by its stamp [ns], whether it was delivered or not."""
        return self._frames.get(stamp_ns)

    def _on_measurement(self, measurement: DisparityImage | Image) -> None:
        self.measured += 1
        self._measurement = measurement

    def _subscription(
        self, kind: type, topic: str, callback: Callable[[Any], None]
    ) -> Subscription:
        return subscribe(self._node, kind, topic, callback, self._qos)

    def _on_info(self, info: CameraInfo) -> None:
        stamp = nanoseconds(info.header.stamp)
        self.paired += stamp in self._stamps
        self._infos[stamp] = info
        self._infos.move_to_end(stamp)
        while len(self._infos) > _KEPT_INFOS:
            self._infos.popitem(last=False)

    def _on_image(self, image: Image | CompressedImage) -> None:
        self.received += 1
        stamp = nanoseconds(image.header.stamp)
        self.paired += stamp in self._infos
        self._stamps.append(stamp)
        latest = next(reversed(self._infos.values()), None)
        frame = Frame(image, self._infos.get(stamp, latest))
        if self._measuring is not None:
            self._keep(stamp, frame)
        if self._is_due(stamp):
            self._last_delivered = stamp
            self._deliver(frame)

    def _keep(self, stamp: int, frame: Frame) -> None:
        """Keep a frame for a measurement that comes later; time that jumps back starts anew."""
        if self._frames and stamp < next(reversed(self._frames)):
            self._frames.clear()
        self._frames[stamp] = frame
        while len(self._frames) > 1 + _KEPT_BYTES // max(1, len(frame.image.data)):
            self._frames.popitem(last=False)

    def _is_due(self, stamp: int) -> bool:
        """Say whether `max_rate` lets an image through; a stamp that jumps back always passes."""
        if not self.settings.max_rate or self._last_delivered is None:
            return True
        waited = stamp - self._last_delivered
        # A tenth of slack: stamps jitter, and 30 Hz limited to 15 must not become 10.
        return waited < 0 or waited >= 0.9e9 / self.settings.max_rate

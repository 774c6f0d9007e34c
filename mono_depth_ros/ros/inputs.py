"""What the node listens to: images, the calibration of each, and what measures depth."""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ..core.errors import SettingsError
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.source import Source
from ..core.scale.sources import SOURCES
from ..core.stamped_buffer import StampedBuffer
from ..core.time_jumps import Stamp, StampMonitor
from .messages import nanoseconds
from .node_settings import InputSettings
from .qos import QosMonitor, subscribe
from .shared_state import Frame, SharedState
from .source_stream import SourceStream
from .tf_buffer import Tf
from .tilt_source import TiltSource

_KEPT_INFOS = 16


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
    """Subscriptions whose callbacks only store; `deliver` gets each frame to be worked on.

    Attributes:
        settings: Transport, frame and rate; may be replaced while running.
        paired: Images and camera_infos whose stamp the other had, too.

    Raises:
        SettingsError: A `qos_overrides` parameter has an invalid value.
    """

    def __init__(
        self,
        node: Node,
        settings: InputSettings,
        shared: SharedState,
        deliver: Callable[[Frame], None],
        qos: QosMonitor,
    ) -> None:
        self.settings = settings
        self.paired = 0
        self.image_topic, self.info_topic = image_topics(node, settings.image_transport)
        self.tf = Tf(node)
        self.tilt_source = TiltSource(node, qos, self.tf)
        self._node = node
        self._shared = shared
        self._deliver = deliver
        self._qos = qos
        self._stamps: deque[int] = deque(maxlen=_KEPT_INFOS)
        self._infos = StampedBuffer[CameraInfo](max_count=_KEPT_INFOS)
        self._monitor = StampMonitor()
        self._delivered_ns: int | None = None
        self._delivered_s = 0.0
        self._measuring: dict[str, Subscription] = {}
        self._opened: list[Subscription] = []
        self._latched: Subscription | None = None
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
        """Subscribe to what an alignment measures by; drop what another one did.

        Where TF tells the tilt of the camera, z of `base_frame` points up.

        Raises:
            SettingsError: That cannot be subscribed to; the previous subscription stays.
        """
        sources = {name: SOURCES[name] for name in alignment.sources}
        opened: dict[str, Subscription] = {}
        try:
            for name, source in sources.items():
                if source.topic and name not in self._measuring:
                    opened[name] = self._opened_source(name, source)
            is_tilted = any(source.measures_images for source in sources.values())
            tilt_from = alignment.camera_pitch_from if is_tilted else 'parameter'
            self.tilt_source.listen(tilt_from, base_frame)
        except SettingsError:
            self._destroy(opened)
            raise
        posed = [name for name, source in sources.items() if source.has_pose]
        by_tf = any(alignment.pose_of(name) is None for name in posed)
        self.tf.listen(by_tf or tilt_from != 'parameter')
        outdated = {n: kept for n, kept in self._measuring.items() if n not in sources}
        if opened or outdated:
            self._destroy(outdated)
            kept = {n: it for n, it in self._measuring.items() if n not in outdated}
            self._measuring = kept | opened
            streams = {n: SourceStream(n, it.topic_name) for n, it in self._measuring.items()}
            self._shared.follow(streams)

    def _opened_source(self, name: str, source: Source) -> Subscription:
        kind, store = _message_class(source.message_type), self._shared.put_measurement
        return self._subscription(kind, source.topic, partial(store, name))

    def _destroy(self, subscriptions: dict[str, Subscription]) -> None:
        for subscription in subscriptions.values():
            self._node.destroy_subscription(subscription)

    def find_latched_info(self) -> None:
        """Subscribe for what a publisher that keeps its camera_info sent before, if none came."""
        if self._infos or self._latched is not None:
            return
        offers = self._node.get_publishers_info_by_topic(self.info_topic)
        if any(o.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for o in offers):
            qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            self._latched = self._node.create_subscription(
                CameraInfo, self.info_topic, self._on_info, qos
            )
            self._opened.append(self._latched)

    @property
    def known_infos(self) -> list[CameraInfo]:
        """The latest camera_infos, the newest last."""
        return list(self._infos.values())

    def _subscription(
        self, kind: type, topic: str, callback: Callable[[Any], None]
    ) -> Subscription:
        return subscribe(self._node, kind, topic, callback, self._qos)

    def _on_info(self, info: CameraInfo) -> None:
        stamp = nanoseconds(info.header.stamp)
        self.paired += stamp in self._stamps
        self._infos.put(stamp, info)

    def _on_image(self, image: Image | CompressedImage) -> None:
        statistics = self._shared.statistics
        statistics.received += 1
        stamp = nanoseconds(image.header.stamp)
        self.paired += stamp in self._infos
        self._stamps.append(stamp)
        newest = next(reversed(self._infos.values()), None)
        frame = Frame(image, self._infos.get(stamp, newest))
        verdict = self._monitor.take(stamp)
        statistics.take_stamp(stamp, verdict)
        if verdict is Stamp.JUMPED_BACK:
            self._on_jump(stamp)
        if self._measuring:
            self._shared.keep_image(frame)
        if self._is_due(stamp, verdict):
            self._delivered_ns, self._delivered_s = stamp, time.monotonic()
            self._deliver(frame)
        else:
            statistics.skipped += 1

    def _on_jump(self, stamp: int) -> None:
        """Forget what belongs to the time before a jump, and say so."""
        self._shared.forget_inputs(after_ns=stamp)
        self.tf.clear()
        self._node.get_logger().warning(
            f'time jumped back from {self._monitor.previous_ns / 1e9:.9f} s to {stamp / 1e9:.9f} '
            's: images, measurements and the alignment of before are forgotten'
        )

    def _is_due(self, stamp: int, verdict: Stamp) -> bool:
        """Say whether `max_rate` lets an image through, by arrival where stamps do not tell."""
        if not self.settings.max_rate or self._delivered_ns is None:
            return True
        waited_s = (stamp - self._delivered_ns) / 1e9
        if verdict is not Stamp.ADVANCED or waited_s < 0:
            waited_s = time.monotonic() - self._delivered_s
        # A tenth of slack: stamps jitter, and 30 Hz limited to 15 must not become 10.
        return verdict is Stamp.JUMPED_BACK or waited_s >= 0.9 / self.settings.max_rate


def _message_class(name: str) -> type:
    """Return the class of a ROS type such as sensor_msgs/msg/Image."""
    package, _, message = name.split('/')
    kind: type = getattr(import_module(f'{package}.msg'), message)
    return kind

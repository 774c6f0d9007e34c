"""What the node publishes, each output only if somebody listens to it."""

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from ..core.errors import SettingsError
from ..core.files.file_writers import count_beyond_millimeters
from ..core.pipeline import Output, Result
from .messages import (
    bgr_to_compressed,
    camera_to_info,
    cloud_to_message,
    depth_to_compressed,
    depth_to_image,
    float_to_image,
    rgb_to_image,
    to_image,
)
from .node_settings import PublisherSettings
from .qos import QosMonitor, overriding

_TOPICS = {
    Output.DEPTH: ('~/depth/image_rect', Image),
    Output.COLOR: ('~/color/image_rect', Image),
    Output.COLORMAP: ('~/depth/colormap', Image),
    Output.RELATIVE_INVERSE_DEPTH: ('~/relative_inverse_depth', Image),
    Output.POINTS: ('~/points', PointCloud2),
    Output.POINTS_CLEARING: ('~/points_clearing', PointCloud2),
}
_INFO_TOPICS = ('~/depth/camera_info', '~/color/camera_info')
"""One beside each image: image_transport finds the calibration of an image nowhere else."""

_TRANSPORTS = {Output.DEPTH: 'compressedDepth', Output.COLORMAP: 'compressed'}
"""What is published compressed as well, and the name of the plugin that reads it."""


def output_qos() -> QoSProfile:
    """Return a fresh profile: reliable, since RViz and others accept nothing less."""
    return QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE)


class OutputPublishers:
    """Lifecycle publishers of all outputs.

    Args:
        node: Whose they are; it activates and deactivates them.
        settings: The form of the messages; may be replaced while running.
        qos: Told about every publisher.

    Raises:
        SettingsError: A `qos_overrides` parameter has an invalid value.
    """

    def __init__(self, node: LifecycleNode, settings: PublisherSettings, qos: QosMonitor) -> None:
        self.settings = settings
        self._node = node
        self._qos = qos
        self._opened: list[LifecyclePublisher] = []
        self._infos = [self._publisher(CameraInfo, topic) for topic in _INFO_TOPICS]
        self._alignment = self._publisher(DiagnosticArray, '~/alignment')
        self._publishers = {
            output: self._publisher(kind, topic) for output, (topic, kind) in _TOPICS.items()
        }
        self._compressed = {
            output: self._publisher(CompressedImage, self._below(_TOPICS[output][0], transport))
            for output, transport in _TRANSPORTS.items()
        }

    def close(self) -> None:
        """Take the topics off the graph."""
        for publisher in self._opened:
            self._node.destroy_lifecycle_publisher(publisher)

    def wanted(self) -> Output:
        """Return the outputs that somebody listens to."""
        wanted = Output(0)
        for output, publisher in (*self._publishers.items(), *self._compressed.items()):
            if _is_heard(publisher):
                wanted |= output
        return wanted

    def info_wanted(self) -> bool:
        """Say whether somebody listens to a camera_info."""
        return any(map(_is_heard, self._infos))

    def alignment_wanted(self) -> bool:
        """Say whether somebody listens to the fits."""
        return _is_heard(self._alignment)

    def publish_alignment(self, quality: DiagnosticArray) -> None:
        """Publish what became of a measurement."""
        self._alignment.publish(quality)

    def publish(self, result: Result, header: Header) -> int:
        """Publish what a step made, every message under the image's own header.

        Returns:
            How many pixels of depth became 0 because 16UC1 ends at 65.535 m.
        """
        beyond_px = 0
        if result.camera is not None and self.info_wanted():
            info = camera_to_info(result.camera, header)
            for publisher in self._infos:
                publisher.publish(info)
        if result.depth is not None:
            beyond_px = self._publish_depth(result.depth, header)
        if result.color is not None:
            self._publishers[Output.COLOR].publish(rgb_to_image(result.color, header))
        if result.points is not None:
            dense = result.points.ndim == 2
            cloud = cloud_to_message(result.points, header, is_dense=dense)
            self._publishers[Output.POINTS].publish(cloud)
        if result.points_clearing is not None:
            cloud = cloud_to_message(result.points_clearing, header, is_dense=True)
            self._publishers[Output.POINTS_CLEARING].publish(cloud)
        if result.colormap is not None:
            self._publish_colormap(result.colormap, header)
        if result.relative_inverse_depth is not None:
            image = float_to_image(result.relative_inverse_depth, header)
            self._publishers[Output.RELATIVE_INVERSE_DEPTH].publish(image)
        return beyond_px

    def _publish_depth(self, depth: np.ndarray, header: Header) -> int:
        encoding = self.settings.depth_encoding
        raw, compressed = self._publishers[Output.DEPTH], self._compressed[Output.DEPTH]
        if _is_heard(raw):
            raw.publish(depth_to_image(depth, header, encoding))
        if _is_heard(compressed):
            compressed.publish(depth_to_compressed(depth, header, encoding))
        return count_beyond_millimeters(depth) if encoding == '16UC1' else 0

    def _publish_colormap(self, bgr: np.ndarray, header: Header) -> None:
        raw, compressed = self._publishers[Output.COLORMAP], self._compressed[Output.COLORMAP]
        if _is_heard(raw):
            raw.publish(to_image(bgr, header, 'bgr8'))
        if _is_heard(compressed):
            compressed.publish(bgr_to_compressed(bgr, header))

    def _below(self, topic: str, transport: str) -> str:
        """Return where image_transport looks for a transport: below the name after remapping."""
        return f'{self._node.resolve_topic_name(topic)}/{transport}'

    def _publisher(self, message_type: type, topic: str) -> LifecyclePublisher:
        try:
            publisher = self._node.create_lifecycle_publisher(
                message_type,
                topic,
                output_qos(),
                qos_overriding_options=overriding(),
                event_callbacks=self._qos.publisher_events(topic),
            )
        except Exception as error:  # of many kinds, for a policy, a depth or a type
            self.close()
            raise SettingsError(f'qos_overrides of {topic}: {error}') from error
        self._opened.append(publisher)
        return publisher


def _is_heard(publisher: LifecyclePublisher) -> bool:
    return bool(publisher.get_subscription_count())

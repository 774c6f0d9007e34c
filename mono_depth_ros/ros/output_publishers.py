"""What the node publishes, each output only if somebody listens to it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from ..core.errors import SettingsError
from ..core.files.file_writers import count_beyond_millimeters
from ..core.outputs.output_settings import OutputSettings
from ..core.outputs.output_table import SEGMENTS
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


def _cloud(points: np.ndarray, header: Header) -> PointCloud2:
    return cloud_to_message(points, header, is_dense=points.ndim == 2)


_DEPTH, _COLORMAP = '~/depth/image_rect', '~/depth/colormap'
TOPICS: tuple[tuple[Output, str, str, type, Callable[..., Any]], ...] = (
    (Output.DEPTH, _DEPTH, '', Image, depth_to_image),
    (Output.UNCERTAINTY, '~/depth/uncertainty', '', Image, float_to_image),
    (Output.COLOR, '~/color/image_rect', '', Image, rgb_to_image),
    (Output.COLORMAP, _COLORMAP, '', Image, partial(to_image, encoding='bgr8')),
    (Output.RELATIVE_INVERSE_DEPTH, '~/relative_inverse_depth', '', Image, float_to_image),
    (Output.POINTS, '~/points', '', PointCloud2, _cloud),
    (Output.POINTS_CLEARING, '~/points_clearing', '', PointCloud2, _cloud),
    (Output.POINTS_GROUND, '~/points_ground', '', PointCloud2, _cloud),
    (Output.POINTS_NONGROUND, '~/points_nonground', '', PointCloud2, _cloud),
    (Output.DEPTH, _DEPTH, '/compressedDepth', CompressedImage, depth_to_compressed),
    (Output.COLORMAP, _COLORMAP, '/compressed', CompressedImage, bgr_to_compressed),
)
"""Output, topic, what a transport adds to that, type of the messages, and what makes one."""
INFO_TOPICS = ('~/depth/camera_info', '~/color/camera_info')
"""One beside each image: image_transport finds the calibration of an image nowhere else."""
ALIGNMENT_TOPIC = '~/alignment'


class OutputPublishers:
    """Lifecycle publishers of all outputs; the settings may be replaced while running.

    Raises:
        SettingsError: A `qos_overrides` parameter has an invalid value.
    """

    def __init__(self, node: LifecycleNode, settings: PublisherSettings, qos: QosMonitor) -> None:
        self.settings = settings
        self._node = node
        self._qos = qos
        self._opened: list[LifecyclePublisher] = []
        self._infos = [self._publisher(CameraInfo, topic) for topic in INFO_TOPICS]
        self._alignment = self._publisher(DiagnosticArray, ALIGNMENT_TOPIC)
        self._outputs = [
            (output, to_message, self._publisher(kind, self._name(topic, transport)))
            for output, topic, transport, kind, to_message in TOPICS
        ]

    def close(self) -> None:
        """Take the topics off the graph."""
        for publisher in self._opened:
            self._node.destroy_lifecycle_publisher(publisher)

    def wanted(self) -> Output:
        """Return the outputs that somebody listens to."""
        wanted = Output(0)
        for output, _, publisher in self._outputs:
            if _is_heard(publisher):
                wanted |= output
        return wanted

    def is_ground_wanted(self, settings: OutputSettings) -> bool:
        """Say whether a cloud needs the ground plane: by the height gate, or by who listens."""
        return settings.cloud.has_height_gate or bool(self.wanted() & SEGMENTS)

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
        if result.camera is not None and self.info_wanted():
            info = camera_to_info(result.camera, header)
            for publisher in self._infos:
                publisher.publish(info)
        encoding = self.settings.depth_encoding
        for output, to_message, publisher in self._outputs:
            values = getattr(result, str(output.name).lower())
            if values is not None and _is_heard(publisher):
                form = {'encoding': encoding} if output is Output.DEPTH else {}
                publisher.publish(to_message(values, header, **form))
        is_cut = result.depth is not None and encoding == '16UC1'
        return count_beyond_millimeters(result.depth) if is_cut else 0

    def _name(self, topic: str, transport: str) -> str:
        """Return where image_transport looks for a transport: below the name after remapping."""
        return f'{self._node.resolve_topic_name(topic)}{transport}' if transport else topic

    def _publisher(self, message_type: type, topic: str) -> LifecyclePublisher:
        try:
            publisher = self._node.create_lifecycle_publisher(
                message_type,
                topic,
                # RViz and others accept nothing less than reliable.
                QoSProfile(depth=2, reliability=ReliabilityPolicy.RELIABLE),
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

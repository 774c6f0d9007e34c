"""Health of the node, once a second."""

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from ..core.memory import device_bytes, resident_bytes
from .camera_info_faults import Fault, camera_info_faults, no_camera_info
from .diagnostics import camera_info_status, diagnose, diagnostic_array, qos_status, status
from .frame_processor import FrameProcessor
from .inputs import Frame, Inputs, image_topics
from .node_settings import NodeSettings
from .qos import QosMonitor
from .statistics import Rate
from .throttled_log import ThrottledLog
from .worker import Worker

_SILENT_REPORTS = 3
"""Without an image between them: a camera may be slower than the reports."""

_UNPAIRED = Fault(
    'no camera_info has the stamp of an image; the newest one is used',
    'publish image and camera_info with the same stamp, as image_transport does',
    is_fatal=False,
)


class DiagnosticsPublisher:
    """Publishes `/diagnostics`.

    Args:
        node: Whose health it is.
        engine: What works the frames through.
        worker: Its thread.
        qos: What cannot be matched with the node's topics.
    """

    def __init__(
        self, node: Node, engine: FrameProcessor, worker: Worker[Frame], qos: QosMonitor
    ) -> None:
        self._node = node
        self._engine = engine
        self._worker = worker
        self._qos = qos
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._complaints = ThrottledLog(node.get_logger())
        self._images, self._measurements, self._results = Rate(), Rate(), Rate()
        self._received = self._paired = self._silent = 0

    def report(
        self, inputs: Inputs | None, state: str, trouble: str, settings: NodeSettings
    ) -> None:
        """Publish how it goes.

        Args:
            inputs: What the node listens to, None while it is not active.
            state: What it is doing, if it is not active; '' when active.
            trouble: Why it is not in the state it should be in; '' if it is.
            settings: Its parameters.
        """
        name = self._node.get_fully_qualified_name()
        short = name.lstrip('/')
        received = 0 if inputs is None else inputs.received
        fresh = received != self._received
        self._received, self._silent = received, 0 if fresh else self._silent + 1
        arriving = received > 0 and self._silent < _SILENT_REPORTS
        level, message = diagnose(self._engine.statistics, state, trouble, arriving)
        values = self._values(inputs, settings)
        statuses = [status(short, level, message, values)]
        if inputs is not None:
            statuses.append(self._camera_info(short, inputs, fresh, settings))
        alignment = self._engine.alignment_status(short)
        if alignment is not None:
            statuses.append(alignment)
        statuses.append(self._matched(short, name))
        stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(diagnostic_array(stamp, statuses))

    def _values(self, inputs: Inputs | None, settings: NodeSettings) -> dict[str, str]:
        now_s = time.monotonic()
        # Once: the worker may unload the network meanwhile.
        statistics, device = self._engine.statistics, self._engine.device
        image, info = image_topics(self._node, settings.inputs.image_transport)
        values = statistics.values() | {
            'image topic': image,
            'camera_info topic': info,
            'depth topic': self._node.resolve_topic_name('~/depth/image_rect'),
        }
        if inputs is not None:
            values |= {
                'images received': str(inputs.received),
                'images in [Hz]': f'{self._images.of(inputs.received, now_s):.1f}',
            }
            if inputs.measurement_topic:
                rate = self._measurements.of(inputs.measured, now_s)
                values |= {
                    'measurement topic': inputs.measurement_topic,
                    'measurements in [Hz]': f'{rate:.1f}',
                }
        values |= {
            'frames out [Hz]': f'{self._results.of(statistics.processed, now_s):.1f}',
            'frames dropped': str(self._worker.dropped),
            'encoder': settings.estimator.encoder,
            'device': str(device or ''),
            'precision': self._engine.precision,
        }
        outputs = self._engine.outputs
        if outputs is not None and outputs.beyond_px:
            values['pixels beyond the 65.535 m of 16UC1'] = str(outputs.beyond_px)
        held = {
            'memory [MB]': resident_bytes(),
            'GPU memory [MB]': device and device_bytes(device),
        }
        return values | {k: f'{n / 1e6:.0f}' for k, n in held.items() if n is not None}

    def _camera_info(
        self, name: str, inputs: Inputs, fresh: bool, settings: NodeSettings
    ) -> DiagnosticStatus:
        paired, self._paired = self._paired, inputs.paired
        frame = self._engine.latest
        info = None if frame is None else frame.info
        faults = []
        is_usable = info is not None and info.k[0] != 0
        if frame is not None and info is None:
            faults = [no_camera_info(inputs.info_topic)]
        elif frame is not None:
            size = frame.size or self._engine.decoded_size
            rectify, frame_id = settings.pipeline.rectify, frame.header.frame_id
            faults = camera_info_faults(info, size, frame_id, rectify)
            if fresh and inputs.paired == paired:
                faults.append(_UNPAIRED)
        if not is_usable and settings.pipeline.fov_deg:
            faults = []
        return camera_info_status(name, info, faults)

    def _matched(self, name: str, node: str) -> DiagnosticStatus:
        mismatches = self._qos.mismatches()
        for found in mismatches:
            self._complaints.once(f'{found.what}; {found.remedy(node)}')
        return qos_status(name, node, mismatches)

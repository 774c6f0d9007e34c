"""Health of the node, once a second."""

import time
from collections import defaultdict, deque

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from ..core.devices import device_bytes, resident_bytes
from ..core.errors import CalibrationError
from ..core.files.camera_info import no_camera_info
from .diagnostics import (
    alignment_status,
    camera_info_status,
    diagnose,
    diagnostic_array,
    qos_status,
    status,
)
from .inputs import Inputs, image_topics
from .node_settings import NodeSettings
from .output_publishers import OutputPublishers
from .qos import QosMonitor
from .shared_state import SharedState
from .throttled_log import ThrottledLog

_RATE_SAMPLES = 6
_SILENT_REPORTS = 3
"""Without an image between them: a camera may be slower than the reports."""

_UNPAIRED = CalibrationError(
    'no camera_info has the stamp of an image; the newest one is used',
    'publish image and camera_info with the same stamp, as image_transport does',
    is_fatal=False,
)


class Rate:
    """Events per second over the latest few looks at their count."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=_RATE_SAMPLES)

    def of(self, count: int, now_s: float) -> float:
        """Return the rate [Hz], 0 at the first look; a count that fell back starts anew."""
        if self._seen and count < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now_s, count))
        (began_s, first), (ended_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended_s - began_s) if ended_s > began_s else 0.0


class DiagnosticsPublisher:
    """Publishes `/diagnostics`."""

    def __init__(self, node: Node, shared: SharedState, qos: QosMonitor) -> None:
        self._node = node
        self._shared = shared
        self._qos = qos
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._log = ThrottledLog(node.get_logger())
        self._images, self._results = Rate(), Rate()
        self._measurements: defaultdict[str, Rate] = defaultdict(Rate)
        self._received = self._paired = self._silent = 0

    def report(
        self,
        inputs: Inputs | None,
        outputs: OutputPublishers | None,
        state: str,
        trouble: str,
        settings: NodeSettings,
    ) -> None:
        """Publish how it goes; see `diagnose` for `state` and `trouble`."""
        name = self._node.get_fully_qualified_name()
        short = name.lstrip('/')
        received = self._shared.statistics.received
        fresh = received != self._received
        self._received, self._silent = received, 0 if fresh else self._silent + 1
        arriving = inputs is not None and received > 0 and self._silent < _SILENT_REPORTS
        level, message = diagnose(self._shared.statistics, state, trouble, arriving)
        now = self._node.get_clock().now()
        if level == DiagnosticStatus.OK and not now.nanoseconds:
            level = DiagnosticStatus.WARN
            message = 'use_sim_time is true and nothing comes on /clock; latencies are unknown'
        values = self._values(inputs, settings)
        statuses = [status(short, level, message, values)]
        if inputs is not None:
            inputs.find_latched_info()
            statuses.append(self._camera_info(short, inputs, fresh, settings))
        scale = self._shared.scale
        is_needed = not self._shared.statistics.is_idle
        is_needed |= outputs is not None and outputs.alignment_wanted()
        if is_needed and scale is not None:
            silences = self._shared.silences() if arriving else {}
            statuses.append(alignment_status(short, scale, silences))
        statuses.append(self._matched(short, name))
        self._publisher.publish(diagnostic_array(now.to_msg(), statuses))

    def _values(self, inputs: Inputs | None, settings: NodeSettings) -> dict[str, str]:
        now_s = time.monotonic()
        # Once: the worker may replace them meanwhile.
        statistics, network = self._shared.statistics, self._shared.network
        device = network and network.device
        image, info = image_topics(self._node, settings.inputs.image_transport)
        values = statistics.values() | {
            'image topic': image,
            'camera_info topic': info,
            'depth topic': self._node.resolve_topic_name('~/depth/image_rect'),
        }
        if inputs is not None:
            values |= {'images in [Hz]': f'{self._images.of(statistics.received, now_s):.1f}'}
            if streams := self._shared.streams:
                rates = (self._measurements[n].of(s.count, now_s) for n, s in streams.items())
                values |= {
                    'measurement topic': ', '.join(stream.topic for stream in streams.values()),
                    'measurements in [Hz]': ', '.join(f'{rate:.1f}' for rate in rates),
                }
        values |= {
            'frames out [Hz]': f'{self._results.of(statistics.processed, now_s):.1f}',
            'encoder': settings.estimator.network or settings.estimator.encoder,
            'device': str(device or ''),
            'precision': network.precision if network else '',
            'backend': network.backend if network else '',
        }
        held = {
            'memory [MB]': resident_bytes(),
            'GPU memory [MB]': device and device_bytes(device),
        }
        return values | {k: f'{n / 1e6:.0f}' for k, n in held.items() if n is not None}

    def _camera_info(
        self, name: str, inputs: Inputs, fresh: bool, settings: NodeSettings
    ) -> DiagnosticStatus:
        paired, self._paired = self._paired, inputs.paired
        latest = self._shared.latest
        info = latest and latest.info
        faults = list(self._shared.camera_info.faults)
        is_missing = info is None or self._shared.camera_info.calibration is None
        if latest is not None and info is None:
            faults = [no_camera_info(inputs.info_topic)]
        elif latest is not None and fresh and inputs.paired == paired:
            faults.append(_UNPAIRED)
        if is_missing and settings.pipeline.fov_deg:
            # It stands in; a calibration that is refused is told nevertheless.
            is_refused = info is not None and self._shared.camera_info.is_refused
            is_fatal, told = settings.pipeline.rectify, faults if is_refused else []
            faults = [CalibrationError(it.what, it.remedy, is_fatal) for it in told]
        return camera_info_status(name, info, faults)

    def _matched(self, name: str, node: str) -> DiagnosticStatus:
        mismatches = self._qos.mismatches()
        for found in mismatches:
            self._log.once(f'{found.what}; {found.remedy(node)}')
        return qos_status(name, node, mismatches)

"""What the node tells about itself: counts, rates, latency, and each complaint once in a while."""

import time
from collections import deque

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

_RECENT = 200
_REPEAT_S = 10.0


class Complaints:
    """Passes on each distinct message at most once per ten seconds."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def due(self, message: str) -> bool:
        """Say whether it is time to log this message (again)."""
        now = time.monotonic()
        if now - self._said.get(message, -_REPEAT_S) < _REPEAT_S:
            return False
        if len(self._said) > _RECENT:
            self._said.clear()
        self._said[message] = now
        return True


class Statistics:
    """Counts and times of the frames, reset when the node is configured.

    Attributes:
        processed: Frames worked through.
        failed: Frames that could not be read or processed.
        last_failure: Why the last of those failed.
        unknown: Why depth is not known now, '' if it is.
    """

    def __init__(self) -> None:
        self.processed = 0
        self.failed = 0
        self.last_failure = ''
        self.unknown = ''
        self._latencies_s: deque[float] = deque(maxlen=_RECENT)
        self._steps_s: deque[float] = deque(maxlen=_RECENT)

    def succeed(self, latency_s: float, step_s: float, unknown: str) -> None:
        """Count a frame: seconds from its stamp to published, seconds of work in `core`."""
        self.processed += 1
        self.last_failure = ''
        self.unknown = unknown
        self._latencies_s.append(latency_s)
        self._steps_s.append(step_s)

    def fail(self, reason: str) -> None:
        """Count a frame that was lost."""
        self.failed += 1
        self.last_failure = reason

    def values(self) -> dict[str, str]:
        """Return what there is to show."""
        values = {'frames processed': str(self.processed), 'frames failed': str(self.failed)}
        for name, recent in (('latency', self._latencies_s), ('step', self._steps_s)):
            if recent:
                for percent in (50, 95):
                    milliseconds = 1e3 * np.percentile(recent, percent)
                    values[f'{name} p{percent} [ms]'] = f'{milliseconds:.1f}'
        return values


def diagnose(statistics: Statistics, state: str, fresh: bool) -> tuple[bytes, str]:
    """Return level and message of the node's health.

    Args:
        statistics: The counts so far.
        state: What the node is doing, if it is not active; '' when active.
        fresh: Whether an image has come lately.
    """
    if state:
        return DiagnosticStatus.WARN, state
    if not fresh:
        return DiagnosticStatus.WARN, 'no image arrives'
    if statistics.last_failure:
        return DiagnosticStatus.ERROR, statistics.last_failure
    if statistics.unknown:
        return DiagnosticStatus.ERROR, f'depth is not known: {statistics.unknown}'
    return DiagnosticStatus.OK, 'ok'


def diagnostic_array(
    stamp: Time, name: str, level: bytes, message: str, values: dict[str, str]
) -> DiagnosticArray:
    """Return the message for `/diagnostics`."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    status = DiagnosticStatus(
        level=level, name=name, message=message, hardware_id='mono_depth', values=pairs
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array

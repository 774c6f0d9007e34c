"""What the node tells about itself: counts, rates, latency, and each complaint once in a while."""

import re
import time
from collections import deque

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from ..core.alignment import Aligner

_RECENT = 200
_REPEAT_S = 10.0


class Complaints:
    """Passes on each kind of message at most once per ten seconds, or once at all.

    Messages that differ in their numbers only, as those about a cut-off picture do from frame to
    frame, are of one kind.
    """

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._said_once: set[str] = set()

    def due(self, message: str) -> bool:
        """Say whether it is time to log this message (again)."""
        kind = re.sub(r'\d+', '#', message)
        now = time.monotonic()
        if now - self._said.get(kind, -_REPEAT_S) < _REPEAT_S:
            return False
        if len(self._said) >= _RECENT:
            self._said.clear()
        self._said[kind] = now
        return True

    def first(self, message: str) -> bool:
        """Say whether exactly this message comes for the first time."""
        is_new = message not in self._said_once
        self._said_once.add(message)
        return is_new


class Statistics:
    """Counts and times of the frames, reset when the node is configured.

    Attributes:
        processed: Frames worked through.
        failed: Frames that could not be read or processed.
        last_failure: Why the last frame failed, '' if it did not.
        unknown: Why depth is not known now, '' if it is.
        is_idle: Whether nobody listened to the last frame's outputs.
    """

    def __init__(self) -> None:
        self.processed = 0
        self.failed = 0
        self.last_failure = ''
        self.unknown = ''
        self.is_idle = False
        self._latencies_s: deque[float] = deque(maxlen=_RECENT)
        self._steps_s: deque[float] = deque(maxlen=_RECENT)

    def succeed(self, latency_s: float, step_s: float, unknown: str) -> None:
        """Count a frame: seconds from its stamp to published, seconds of work in `core`."""
        self.processed += 1
        self.last_failure = ''
        self.unknown = unknown
        self.is_idle = False
        self._latencies_s.append(latency_s)
        self._steps_s.append(step_s)

    def fail(self, reason: str) -> None:
        """Count a frame that was lost."""
        self.failed += 1
        self.last_failure = reason
        self.is_idle = False

    def idle(self) -> None:
        """Note a frame that nobody wanted anything of; what was wrong before says no more."""
        self.last_failure = self.unknown = ''
        self.is_idle = True

    def values(self) -> dict[str, str]:
        """Return what there is to show."""
        values = {'frames processed': str(self.processed), 'frames failed': str(self.failed)}
        for name, recent in (('latency', self._latencies_s), ('step', self._steps_s)):
            # A copy in one go, since the worker may append meanwhile.
            if seconds := tuple(recent):
                for percent in (50, 95):
                    milliseconds = 1e3 * np.percentile(seconds, percent)
                    values[f'{name} p{percent} [ms]'] = f'{milliseconds:.1f}'
        return values


def diagnose(statistics: Statistics, state: str, trouble: str, fresh: bool) -> tuple[bytes, str]:
    """Return level and message of the node's health.

    Args:
        statistics: The counts so far.
        state: What the node is doing, if it is not active; '' when active.
        trouble: Why the node could not load its network or change its state; '' if it could.
        fresh: Whether an image has come lately.
    """
    if trouble:
        return DiagnosticStatus.ERROR, trouble
    if state:
        return DiagnosticStatus.WARN, state
    if not fresh:
        return DiagnosticStatus.WARN, 'no image arrives'
    if statistics.is_idle:
        return DiagnosticStatus.OK, 'idle: nobody listens to any output'
    if statistics.last_failure:
        return DiagnosticStatus.ERROR, f'frame lost: {statistics.last_failure}'
    if statistics.unknown:
        return DiagnosticStatus.ERROR, f'depth is not known: {statistics.unknown}'
    return DiagnosticStatus.OK, 'ok'


def alignment_values(aligner: Aligner, stamp_ns: int) -> dict[str, str]:
    """Return scale, shift and quality of the alignment in force, its age [s] at a stamp [ns]."""
    values = {'refused': aligner.refusal} if aligner.refusal else {}
    state = aligner.state
    if state is None:
        return values
    return values | {
        'scale': f'{state.alignment.scale:.6g}',
        'shift [1/m]': f'{state.alignment.shift:.6g}',
        'inlier ratio': f'{state.inlier_ratio:.3f}',
        'residual': f'{state.residual:.4f}',
        'points': str(state.points),
        'age [s]': f'{(stamp_ns - state.stamp_ns) / 1e9:.3f}',
    }


def alignment_array(aligner: Aligner, stamp: Time, name: str) -> DiagnosticArray:
    """Return the message for `~/alignment` after a measurement of this stamp."""
    level, message = DiagnosticStatus.OK, 'aligned'
    if aligner.refusal:
        level, message = DiagnosticStatus.WARN, aligner.refusal
    values = alignment_values(aligner, stamp.sec * 1_000_000_000 + stamp.nanosec)
    return diagnostic_array(stamp, f'{name}: alignment', level, message, values)


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

"""Counts, rates and times of the frames."""

from collections import deque

import numpy as np

_RECENT = 200
_RATE_SAMPLES = 6


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
        self._times_s: dict[str, deque[float]] = {
            name: deque(maxlen=_RECENT) for name in ('latency', 'step', 'inference')
        }

    def succeed(
        self, latency_s: float, step_s: float, inference_s: float | None, unknown: str
    ) -> None:
        """Count a frame.

        Args:
            latency_s: From its stamp to published [s].
            step_s: Of work in `core` [s].
            inference_s: Of that, in the network [s]; None if it did not run.
            unknown: Why depth is not known, '' if it is.
        """
        self.processed += 1
        self.last_failure = ''
        self.unknown = unknown
        self.is_idle = False
        self._times_s['latency'].append(latency_s)
        self._times_s['step'].append(step_s)
        if inference_s is not None:
            self._times_s['inference'].append(inference_s)

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
        for name, recent in self._times_s.items():
            # A copy in one go, since the worker may append meanwhile.
            if seconds := tuple(recent):
                for percent in (50, 95):
                    milliseconds = 1e3 * np.percentile(seconds, percent)
                    values[f'{name} p{percent} [ms]'] = f'{milliseconds:.1f}'
        return values

"""Counts and times of the frames: the worker and the executor record them, diagnostics read."""

from collections import deque

import numpy as np

from ..core.outputs.ground_plane import GroundPlane
from ..core.pipeline import Result
from ..core.time_jumps import Stamp

_KEPT_TIMES = 200
_PLAUSIBLE_LATENCY_S = (-0.1, 60.0)
"""Outside, the stamps are of another clock than the node's, as those of a bag are."""


class Statistics:
    """Counts and times of the frames, new with every `configure`.

    received = processed + idle + dropped + refused + skipped + in work.

    Attributes:
        skipped: Images that `max_rate` held back.
        dropped: Images replaced by a newer one before the worker took them.
        fused: Processed images with a measurement of their own in their depth.
        idle: Images without subscribers.
        refused: Images that could not be read or processed.
        last_failure: Why the last image was refused, '' if it was not.
        reason_unknown: Why depth is unknown now, '' if it is known.
        reason_withheld: Why clouds are not published now though depth is known, '' if they are.
        ground_plane: What clouds of the latest image were cut by, None if nothing needed it.
        standing: The stamp of the last image [ns] and how many images in a row had it.
        extraneous: JPEGs with extraneous bytes, which were decoded all the same.
        beyond_px: Pixels published as 0 because 16UC1 ends at 65.535 m.
    """

    def __init__(self) -> None:
        self.received = self.skipped = self.dropped = 0
        self.processed = self.fused = self.idle = self.refused = 0
        self.time_jumps = self.extraneous = self.beyond_px = 0
        self.last_failure = self.reason_unknown = self.reason_withheld = ''
        self.ground_plane: GroundPlane | None = None
        self.is_idle = False
        self.known_share: float | None = None
        self.standing = 0, 0
        self.clock_offset_s = 0.0
        self._times_s: dict[str, deque[float]] = {
            name: deque(maxlen=_KEPT_TIMES) for name in ('latency', 'step', 'inference')
        }

    @property
    def in_work(self) -> int:
        """Number of images that wait for the worker or are with it."""
        ended = self.processed + self.idle + self.dropped + self.refused + self.skipped
        return self.received - ended

    def take_stamp(self, stamp_ns: int, verdict: Stamp) -> None:
        """Record the stamp of an image that came, and what it means."""
        count = self.standing[1] + 1 if verdict is Stamp.REPEATED else 1
        self.standing = stamp_ns, count
        self.time_jumps += verdict is Stamp.JUMPED_BACK

    def succeed(self, latency_s: float, step_s: float, result: Result) -> None:
        """Record an image that was published; latency is from its stamp on."""
        self.processed += 1
        self.fused += result.quality.fused is not None
        self.last_failure, self.is_idle = '', False
        self.reason_unknown, self.known_share = result.reason_unknown, result.known_share
        self.reason_withheld, self.ground_plane = result.reason_withheld, result.ground_plane
        shortest, longest = _PLAUSIBLE_LATENCY_S
        is_plausible = shortest <= latency_s <= longest
        self.clock_offset_s = 0.0 if is_plausible else latency_s
        if is_plausible:
            self._times_s['latency'].append(latency_s)
        self._times_s['step'].append(step_s)
        if result.inference_s is not None:
            self._times_s['inference'].append(result.inference_s)

    def fail(self, reason: str) -> None:
        """Record an image that was lost."""
        self.refused += 1
        self.last_failure, self.is_idle = reason, False

    def rest(self) -> None:
        """Record an image without subscribers."""
        self.idle += 1
        self.last_failure, self.reason_unknown, self.is_idle = '', '', True
        self.reason_withheld, self.ground_plane = '', None
        self.known_share = None

    def values(self) -> dict[str, str]:
        """Return counts and percentiles for diagnostics."""
        values = {
            'images received': str(self.received),
            'frames processed': str(self.processed),
            'frames fused': str(self.fused),
            'frames idle': str(self.idle),
            'frames dropped': str(self.dropped),
            'frames failed': str(self.refused),
            'frames skipped by max_rate': str(self.skipped),
            'frames in work': str(self.in_work),
            'time jumps': str(self.time_jumps),
        }
        if self.known_share is not None:
            values['known pixels [%]'] = f'{100 * self.known_share:.1f}'
        for name, recent in self._times_s.items():
            # A copy in one go, since the worker may append meanwhile.
            if seconds := tuple(recent):
                for percent in (50, 95):
                    milliseconds = 1e3 * np.percentile(seconds, percent)
                    values[f'{name} p{percent} [ms]'] = f'{milliseconds:.1f}'
        if self.ground_plane is not None:
            values['ground plane'] = str(self.ground_plane)
        if self.clock_offset_s:
            values['clock minus stamp [s]'] = f'{self.clock_offset_s:.3f}'
        if self.extraneous:
            values['JPEGs with extraneous bytes'] = str(self.extraneous)
        if self.beyond_px:
            values['pixels beyond the 65.535 m of 16UC1'] = str(self.beyond_px)
        if self.last_failure:
            values['last failure'] = self.last_failure
        if self.reason_unknown:
            values['reason unknown'] = self.reason_unknown
        return values

"""What comes of one source, and since when nothing does."""

import time
from collections import deque
from itertools import pairwise

import numpy as np

from ..core.scale.sources import SOURCES

_INTERVALS = 10
_MISSED = 5
_LEAST_S = 1.0
"""A stream has stopped after five of its periods, and not before a second: a busy machine, and a
driver that sends in bursts, are late by less."""
_SWITCHES = 3
"""From one frame to another among the latest messages; a sensor that is renamed does so once."""


class SourceStream:
    """Messages of a source by the times at which they came.

    Attributes:
        topic: Full name.
        count: Number of messages.
    """

    def __init__(self, source: str, topic: str) -> None:
        self.topic = topic
        self.count = 0
        self._source = source
        self._newest_s = time.monotonic()
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)
        self._frames: deque[str] = deque(maxlen=_INTERVALS)

    def take(self, frame_id: str) -> None:
        """Record a message of a sensor in a frame that comes now."""
        now_s = time.monotonic()
        self._frames.append(frame_id)
        if self.count:
            self._intervals_s.append(now_s - self._newest_s)
        self._newest_s = now_s
        self.count += 1

    def is_alive(self, silence_s: float) -> bool:
        """Return whether something came within that time [s]."""
        return bool(self.count) and time.monotonic() - self._newest_s <= silence_s

    @property
    def silence(self) -> str:
        """Say since when nothing comes and what to ask; '' while messages come as usual.

        Of several sensors on one topic all but one are silent: one message measures an image.
        """
        waited_s, question = time.monotonic() - self._newest_s, SOURCES[self._source].question
        if not self.count:
            return f'nothing has come on {self.topic}: is it published, or remapped?'
        intervals_s = tuple(self._intervals_s)  # a copy in one go: the executor may append
        period_s = float(np.median(intervals_s)) if intervals_s else 0.0
        if waited_s > max(_LEAST_S, _MISSED * period_s):
            return f'no message for {waited_s:.1f} s on {self.topic}; {question}'
        frames = tuple(self._frames)
        switches = sum(one != other for one, other in pairwise(frames))
        if switches < _SWITCHES or not SOURCES[self._source].has_pose:
            return ''
        names = sorted(set(frames))
        return (
            f'{len(names)} sensors send on {self.topic}, in the frames {", ".join(names)}, and of '
            'these one measures an image; give each a topic, and remap ours to one'
        )

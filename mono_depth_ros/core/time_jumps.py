"""The one rule by which stamps are judged: time that stands still, goes astray, or jumps."""

from enum import Enum

_GAP_NS = 1_000_000_000
"""A stamp farther than this from its neighbors is astray: cameras slower than 1 Hz are rare, and
an alignment that is older by a second is still fresh (`alignment.max_age` is 2 s by default)."""
_CONFIRMED_FAR = 2
"""Images in a row with such stamps mean that time has jumped: one alone is a stray stamp."""
_CONFIRMED_NEAR = 4
"""Images in a row that are earlier by less: drivers that deliver out of order mix two or three."""


class Stamp(Enum):
    """What the stamp of an image means beside those before it."""

    ADVANCED = 'advanced'
    """Later than all before it."""
    REPEATED = 'repeated'
    """That of the image before: the two cannot be told apart."""
    ASTRAY = 'astray'
    """Earlier than the latest, alone or nearly so: out of order, or wrong."""
    RETURNED = 'returned'
    """As expected again, after one that was far ahead: that one was wrong."""
    JUMPED_BACK = 'jumped back'
    """Time goes on from an earlier moment, as when a bag starts again."""


class StampMonitor:
    """Follows the stamps of a stream of images.

    Attributes:
        latest_ns: The stamp that time has come to [ns], None before the first.
        previous_ns: That before the last jump or stray stamp [ns].
    """

    def __init__(self) -> None:
        self.latest_ns: int | None = None
        self.previous_ns = 0
        self._last_ns: int | None = None
        self._before_gap_ns: int | None = None
        self._earlier = 0

    def take(self, stamp_ns: int) -> Stamp:
        """Take the next stamp [ns], and say what it means."""
        last, self._last_ns = self._last_ns, stamp_ns
        if self.latest_ns is None:
            self.latest_ns = stamp_ns
            return Stamp.ADVANCED
        if stamp_ns in (last, self.latest_ns):
            return Stamp.REPEATED
        if stamp_ns > self.latest_ns:
            is_gap = stamp_ns - self.latest_ns > _GAP_NS
            self._before_gap_ns = self.latest_ns if is_gap else None
            self.latest_ns, self._earlier = stamp_ns, 0
            return Stamp.ADVANCED
        return self._earlier_stamp(stamp_ns, last)

    def _earlier_stamp(self, stamp_ns: int, last_ns: int | None) -> Stamp:
        assert self.latest_ns is not None
        is_far = self.latest_ns - stamp_ns > _GAP_NS
        before, self._before_gap_ns = self._before_gap_ns, None
        if before is not None and is_far and stamp_ns > before - _GAP_NS:
            self.previous_ns, self.latest_ns = self.latest_ns, max(before, stamp_ns)
            return Stamp.RETURNED
        follows = last_ns is not None and last_ns < stamp_ns
        self._earlier = self._earlier + 1 if follows and self._earlier else 1
        if self._earlier < (_CONFIRMED_FAR if is_far else _CONFIRMED_NEAR):
            return Stamp.ASTRAY
        self.previous_ns, self.latest_ns, self._earlier = self.latest_ns, stamp_ns, 0
        return Stamp.JUMPED_BACK

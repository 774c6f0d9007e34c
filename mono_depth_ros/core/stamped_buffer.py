"""The newest values of a stream by their stamps, within bounds on memory."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

T = TypeVar('T')


class StampedBuffer(OrderedDict[int, T]):
    """Values by stamp [ns], in the order in which they came.

    Args:
        max_count: Number of values.
        size: Returns the bytes that a value takes up.
        max_bytes: Of all values; the newest is kept whatever its size.
    """

    def __init__(
        self, max_count: int, size: Callable[[T], int] = lambda _: 0, max_bytes: int = 0
    ) -> None:
        super().__init__()
        self._max_count, self._size, self._max_bytes = max_count, size, max_bytes
        self._sizes: dict[int, int] = {}

    def put(self, stamp_ns: int, value: T) -> None:
        """Keep a value in place of those that came first."""
        self._sizes[stamp_ns] = self._size(value)  # of hundreds of values none is asked twice
        self[stamp_ns] = value
        self.move_to_end(stamp_ns)
        if len(self._sizes) > len(self):  # some were taken out meanwhile
            self._sizes = {ns: self._sizes[ns] for ns in self}
        kept_bytes = sum(self._sizes.values())
        while len(self) > 1 and (kept_bytes > self._max_bytes or len(self) > self._max_count):
            oldest_ns, _ = self.popitem(last=False)
            kept_bytes -= self._sizes.pop(oldest_ns)

    def nearest(self, stamp_ns: int) -> int | None:
        """Return the kept stamp [ns] that is nearest to this one, None if nothing is kept."""
        return min(self, key=lambda ns: abs(ns - stamp_ns), default=None)

    def forget(self, after_ns: int = -1) -> None:
        """Drop the values of later stamps [ns]."""
        for stamp_ns in [ns for ns in self if ns > after_ns]:
            del self[stamp_ns]

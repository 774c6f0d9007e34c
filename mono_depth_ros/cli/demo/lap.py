"""All views of a source by one method, each once, so that methods are judged on the same."""

import time
from collections.abc import Hashable

from .collector import Estimate, Sample
from .methods import Method
from .source import Source

SHOWN = 4
_START_S = 5.0


class Lap:
    """What comes out while the node runs by one method.

    It starts with the first frame whose depth is known, or after a while without one: how long an
    alignment takes to begin is not part of how good it is.

    Args:
        source: What the node looks at.
        method: By which it makes meters.
        since_ns: Images with stamps up to this one may still have been answered by another.

    Attributes:
        method: By which the node makes meters.
        estimates: Of the different views so far.
        shown: A few of them, evenly spread.
    """

    def __init__(self, source: Source, method: Method, since_ns: int) -> None:
        self.method = method
        self.estimates: list[Estimate] = []
        self.shown: list[Sample] = []
        self._source = source
        self._since_ns = since_ns
        self._views: set[Hashable] = set()
        self._began_s = time.monotonic()
        self._chosen = {round(i * (source.frames - 1) / max(1, SHOWN - 1)) for i in range(SHOWN)}

    @property
    def is_complete(self) -> bool:
        """Whether every view has been answered."""
        return len(self.estimates) >= self._source.frames

    def add(self, sample: Sample) -> None:
        """Take what came of one image, unless it is of before, or of a view that was."""
        estimate = sample.estimate
        view = self._source.view(estimate)
        if estimate.stamp <= self._since_ns or view in self._views or self.is_complete:
            return
        if not (self.estimates or estimate.is_known or self._is_late):
            return
        if len(self.estimates) in self._chosen:
            self.shown.append(sample)
        self._views.add(view)
        self.estimates.append(estimate)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._began_s + _START_S

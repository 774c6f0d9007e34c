"""When a fit is due."""

from collections.abc import Iterable


class RefitSchedule:
    """Limits how often is fitted to each source, so that none keeps another from being used.

    No measurement is fitted twice.
    """

    def __init__(self) -> None:
        self._tried_ns: dict[str, int] = {}

    def is_due(self, stamp_ns: int, sources: Iterable[str], period_s: float) -> bool:
        """Say whether one of the sources, or of those tried so far if none is named, may follow.

        Args:
            stamp_ns: Of what is to be fitted to [ns].
            sources: Names.
            period_s: Least time between two fits [s].
        """
        tried = [self._tried_ns.get(name) for name in sources] or [*self._tried_ns.values()]
        return not tried or any(_may_follow(stamp_ns, ns, period_s) for ns in tried)

    def record(self, stamp_ns: int, sources: Iterable[str]) -> None:
        """Record a fit to measurements of a stamp [ns]."""
        self._tried_ns |= dict.fromkeys(sources, stamp_ns)


def _may_follow(stamp_ns: int, tried_ns: int | None, period_s: float) -> bool:
    if tried_ns is None:
        return True
    waited_s = (stamp_ns - tried_ns) / 1e9
    return waited_s < 0 or (waited_s > 0 and waited_s >= period_s)

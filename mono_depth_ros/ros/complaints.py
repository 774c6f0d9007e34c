"""What has been complained about, so that the log says each thing once in a while."""

import re
import time

_MOST_KINDS = 200
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
        if len(self._said) >= _MOST_KINDS:
            self._said.clear()
        self._said[kind] = now
        return True

    def first(self, message: str) -> bool:
        """Say whether exactly this message comes for the first time."""
        is_new = message not in self._said_once
        self._said_once.add(message)
        return is_new

"""What has been complained about, so that the log says each thing once in a while."""

import re
import time

from rclpy.impl.rcutils_logger import RcutilsLogger

_MOST_KINDS = 200
_REPEAT_S = 10.0


class ThrottledLog:
    """Logs each kind of message at most once per ten seconds, or once at all.

    Messages that differ in their numbers only, as those about a cut-off picture do from frame to
    frame, are of one kind.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self.forget()

    def forget(self) -> None:
        """Take everything for new."""
        self._said: dict[str, float] = {}
        self._said_once: set[str] = set()

    def repeat(self, message: str) -> None:
        """Log a warning, and again once ten seconds have gone by."""
        if self._is_due(message):
            self._logger.warning(message)

    def fail(self, message: str) -> None:
        """Log an error, and again once ten seconds have gone by."""
        if self._is_due(message):
            self._logger.error(message)

    def once(self, message: str) -> None:
        """Log exactly this message the first time only; throttled after very many others."""
        if message in self._said_once:
            return
        if len(self._said_once) == _MOST_KINDS:
            self.repeat(message)
        else:
            self._said_once.add(message)
            self._logger.warning(message)

    def _is_due(self, message: str) -> bool:
        kind = re.sub(r'\d+', '#', message)
        now = time.monotonic()
        if now - self._said.get(kind, -_REPEAT_S) < _REPEAT_S:
            return False
        if len(self._said) == _MOST_KINDS:
            recent = {kind: s for kind, s in self._said.items() if now - s < _REPEAT_S}
            if len(recent) == _MOST_KINDS:
                return False  # who makes up so many messages must not fill a disk
            self._said = recent
        self._said[kind] = now
        return True

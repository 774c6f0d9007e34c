"""One thing that was looked at."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What became of it."""

    GOOD = 'ok'
    WARNING = 'warning'
    FAULT = 'fault'
    UNCHECKED = 'not checked'


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Attributes:
        subject: What was looked at.
        verdict: Whether it is as it should be.
        what: What was found, with its values.
        remedy: What to do, '' if nothing.
    """

    subject: str
    verdict: Verdict
    what: str
    remedy: str = ''

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to do."""
        return self.verdict is Verdict.GOOD


def good(subject: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding(subject, Verdict.GOOD, what)


def warning(subject: str, what: str, remedy: str) -> Finding:
    """Return what may be meant so, or will hurt somebody else."""
    return Finding(subject, Verdict.WARNING, what, remedy)


def fault(subject: str, what: str, remedy: str) -> Finding:
    """Return what keeps depth from being right, or from coming at all."""
    return Finding(subject, Verdict.FAULT, what, remedy)


def unchecked(subject: str, why: str, remedy: str = '') -> Finding:
    """Return what could not be looked at."""
    return Finding(subject, Verdict.UNCHECKED, why, remedy)

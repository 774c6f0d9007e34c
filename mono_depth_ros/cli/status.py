"""What a command that works on many files says to the shell."""

_MOST = 100
"""Larger statuses mean other things to shells, such as 130 for Ctrl-C."""


def failures_status(failures: int) -> int:
    """Return the exit status of a batch: the number of failures, at most 100."""
    return min(failures, _MOST)

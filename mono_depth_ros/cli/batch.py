"""How a command that works on many files goes on, ends, and tells of failures."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_MOST = 100
"""Larger statuses mean other things to shells, such as 130 for Ctrl-C."""

_errors = Console(stderr=True, markup=False, highlight=False)


def failures_status(failures: int) -> int:
    """Return the exit status of a batch: the number of failures, at most 100."""
    return min(failures, _MOST)


def say(text: str) -> None:
    """Print a line to the standard error, above the progress bar if there is one."""
    _errors.print(text, soft_wrap=True)


@contextmanager
def progress_bar(total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar while the standard error is a terminal; yields what sets how much is done."""
    columns = BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn()
    with Progress(*columns, console=_errors, disable=not _errors.is_terminal) as progress:
        task = progress.add_task('', total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Clean up alike, whichever signal ends the command."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

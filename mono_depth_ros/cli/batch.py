"""What commands share: progress, failures, how they end, and the files of their results."""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..core.errors import MonoDepthError
from ..core.files.file_writers import writing

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


def make_folder(folder: Path) -> None:
    """Make a folder for results, before work is spent on what could not be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MonoDepthError(f'cannot write to {folder}: {error.strerror}') from error


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Say of what goes wrong while a file of results is written, which file and why."""
    try:
        with writing(path):
            yield
    except OSError as error:
        raise MonoDepthError(f'cannot write {path}: {error.strerror}') from error


def write_text(path: Path, text: str) -> None:
    """Write a file of results."""
    make_folder(path.parent)
    with written(path):
        path.write_text(text)


def write_json(path: Path, content: Any) -> None:
    """Write dictionaries, lists and values; a number that is not finite becomes null."""
    write_text(path, json.dumps(_finite(content), indent=2, allow_nan=False) + '\n')


def positive_integer(text: str) -> int:
    """Return the number in an argument."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{number} is not positive')
    return number


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

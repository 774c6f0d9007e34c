"""What a check found, and the table of all findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Verdict(Enum):
    """How a check ended: its name in the table, and its color."""

    GOOD = ('ok', 'green')
    WARNING = ('warning', 'yellow')
    FAULT = ('fault', 'bold red')
    UNCHECKED = ('not checked', 'dim')


@dataclass(frozen=True)
class Finding:
    """One row of the table: what was checked, what was found there, and what to do about it."""

    verdict: Verdict
    subject: str
    what: str
    remedy: str = ''


good = partial(Finding, Verdict.GOOD)
warning = partial(Finding, Verdict.WARNING)  # may be intended, or disturbs other nodes
fault = partial(Finding, Verdict.FAULT)  # makes depth wrong or missing
unchecked = partial(Finding, Verdict.UNCHECKED)


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print a row for each finding, and a summary."""
    table = Table(show_lines=True)
    table.add_column('part', no_wrap=True)
    table.add_column('', no_wrap=True)
    table.add_column('found', ratio=1, overflow='fold')
    table.add_column('what to do', ratio=1, overflow='fold')
    for found in findings:
        verdict = Text(*found.verdict.value)
        table.add_row(found.subject, verdict, Text(found.what), Text(found.remedy))
    console.print(table)
    console.print(summary(findings))


def summary(findings: Sequence[Finding]) -> str:
    """Return the outcome in one line, with the first fault or else the first warning."""
    faults = [found for found in findings if found.verdict is Verdict.FAULT]
    warnings = [found for found in findings if found.verdict is Verdict.WARNING]
    if not faults and not warnings:
        return 'Nothing is wrong.'
    first = (faults or warnings)[0]
    counts = f'{len(faults)} fault(s), {len(warnings)} warning(s)'
    return f'{counts}. Start with {first.subject}: {first.what}'

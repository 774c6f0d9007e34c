"""What a check found, and the table of all findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Verdict(Enum):
    """How a check ended; the value is its name in the table."""

    GOOD = 'ok'
    WARNING = 'warning'
    FAULT = 'fault'
    UNCHECKED = 'not checked'


_STYLES = {
    Verdict.GOOD: 'green',
    Verdict.WARNING: 'yellow',
    Verdict.FAULT: 'bold red',
    Verdict.UNCHECKED: 'dim',
}


@dataclass(frozen=True)
class Finding:
    """One row of the table: what was checked, what was found there, and what to do about it."""

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
    """Return what may be intended, or disturbs other nodes."""
    return Finding(subject, Verdict.WARNING, what, remedy)


def fault(subject: str, what: str, remedy: str) -> Finding:
    """Return what makes depth wrong or missing."""
    return Finding(subject, Verdict.FAULT, what, remedy)


def unchecked(subject: str, why: str, remedy: str = '') -> Finding:
    """Return what could not be checked."""
    return Finding(subject, Verdict.UNCHECKED, why, remedy)


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print a row for each finding, and a summary."""
    table = Table(show_lines=True)
    table.add_column('part', no_wrap=True)
    table.add_column('', no_wrap=True)
    table.add_column('found', ratio=1, overflow='fold')
    table.add_column('what to do', ratio=1, overflow='fold')
    for found in findings:
        verdict = Text(found.verdict.value, style=_STYLES[found.verdict])
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

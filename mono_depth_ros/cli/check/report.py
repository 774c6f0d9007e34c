"""The table of what was found."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .finding import Finding, Verdict

_STYLES = {
    Verdict.GOOD: 'green',
    Verdict.WARNING: 'yellow',
    Verdict.FAULT: 'bold red',
    Verdict.UNCHECKED: 'dim',
}


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print a row for each finding, and what they come to."""
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
    """Return the outcome in one line."""
    counts = {v: sum(found.verdict is v for found in findings) for v in Verdict}
    faults, warnings = counts[Verdict.FAULT], counts[Verdict.WARNING]
    if not faults and not warnings:
        return 'Nothing is wrong.'
    first = next(f for f in findings if f.verdict in (Verdict.FAULT, Verdict.WARNING))
    start = next((f for f in findings if f.verdict is Verdict.FAULT), first)
    return f'{faults} fault(s), {warnings} warning(s). Start with {start.subject}: {start.what}'

"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table whose first column is text."""
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines) + '\n'


def percent(share: float) -> str:
    """Return a share as a percentage with two digits behind the point."""
    return f'{100 * share:.2f} %'

"""Markdown of the generated pages: notes, tables and text that comes from the code."""

from collections.abc import Iterable, Sequence

NOTE = '<!-- Written by `python -m tools.reference_docs`. -->'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells may hold any text, which is escaped as far as a table needs."""
    lines = [_line(head), '|' + '---|' * len(head)]
    return '\n'.join([*lines, *(_line([plain(cell) for cell in row]) for row in rows)]) + '\n'


def plain(text: str) -> str:
    """Return a text as a cell: one line, in which nothing but code spans means anything."""
    pieces = ' '.join(text.split()).replace('|', '\\|').split('`')
    # Every second piece lies between backquotes, where an angle bracket stays as it is.
    shown = [piece if i % 2 else piece.replace('<', '&lt;') for i, piece in enumerate(pieces)]
    return '`'.join(shown)


def code(text: object) -> str:
    """Return a code span, or nothing for an empty text."""
    return f'`{text}`' if str(text) else ''


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'

"""`mono_depth check --report`: text for a bug report, without what is private."""

import re
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import MonoDepthError
from ..machine import Facts, hardware, middleware, software
from .findings import Finding, summary

if TYPE_CHECKING:  # needs ROS
    from ..observer import Observer

Sections = dict[str, Facts]
"""Facts by their headings."""

# Tokens of Hugging Face, as they might stand in a log.
_TOKEN = re.compile(r'\bhf_[A-Za-z0-9]{8,}')
_CREDENTIALS = re.compile(r'(?<=://)[^/@\s]+@')
_OTHER_HOMES = re.compile(r'((?:/home|/Users|/media)/)[^/\s\'",:;]+')


def machine_sections() -> Sections:
    """Return what can be said without ROS."""
    return {'Software': software(), 'Hardware': hardware(), 'Middleware': middleware()}


def graph_sections(
    observer: 'Observer', node: str, examine: Callable[[], list[Finding]]
) -> tuple[Sections, list[Finding]]:
    """Return what the graph says of itself, and what `examine` finds in it.

    `examine` goes first: what it listens to makes the node work, and so say how that goes.
    """
    from .graph_facts import GraphRecord

    record = GraphRecord(observer)
    findings, trouble = list[Finding](), ''
    try:
        findings = examine()
    except MonoDepthError as error:  # several nodes could be meant: the report is of all
        trouble = str(error)
    sections = record.sections(node)
    verdicts = {f'{i}. {it.subject}': _told(it) for i, it in enumerate(findings, 1)}
    sections['Findings'] = verdicts | {'summary': trouble or summary(findings)}
    return sections, findings


def as_text(sections: Sections) -> str:
    """Return a report of sections, without names, paths and keys that are private."""
    now = datetime.now(timezone.utc)
    lines = [f'mono_depth check --report, {now:%Y-%m-%d %H:%M} UTC']
    for heading, facts in sections.items():
        lines += ['', f'== {heading}']
        lines += [_line(name, value) for name, value in facts.items()] or ['none']
    return without_secrets('\n'.join(lines))


def without_secrets(text: str, home: Path | None = None, host: str | None = None) -> str:
    """Return text without home folders, the host's name, credentials in URLs and tokens."""
    home, host = home or Path.home(), socket.gethostname() if host is None else host
    if len(home.parts) > 1:  # / is no secret
        text = re.sub(rf'{re.escape(str(home))}(?![\w.-])', '~', text)
    if len(host) > 1 and host != 'localhost':
        text = re.sub(rf'(?<![\w-]){re.escape(host)}(?![\w-])', '<host>', text)
    text = _OTHER_HOMES.sub(r'\1<user>', text)
    return _TOKEN.sub('<token>', _CREDENTIALS.sub('<credentials>@', text))


def _line(name: str, value: str) -> str:
    """Return a fact; further lines of its value are indented."""
    first, *more = value.splitlines() or ['']
    return '\n'.join([f'{name}: {first}', *(f'    {line}' for line in more)])


def _told(finding: Finding) -> str:
    lines: Sequence[str] = filter(None, (finding.what, finding.remedy))
    return f'{finding.verdict.value[0]}: ' + '\n'.join(lines)

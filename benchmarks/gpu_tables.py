"""The tables of docs/speed.md that a GPU fills in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'speed.md'
NOT_RUN = 'not run'
TARGETS_MS = {'vits': 2.0, 'vitb': 3.5, 'vitl': 7.0, 'zipdepth': 1.0}
"""On an H100 or H200."""
HEADS = (
    '| encoder, 518x686, fp16 | aim on an H100 or H200 [ms] | median / p99 [ms] |',
    '| vits, 640x480 to depth, colored cloud and color, copied | each alone [Hz] | begun before '
    'the last ends [Hz] |',
    '| step | median / p99 [ms] |',
)
STEPS = (('preprocess', '1920x1080'), ('after the network', '640x480'))
"""What the stages begin with, and the image."""
RECEIPT = 'vits, camera at 30 Hz, 640x480: stamp to receipt'


def updated_page(page: str, found: Mapping[str, Any]) -> str:
    """Return the text of the page with these results in its tables.

    What `found` does not tell stays as it is.

    Raises:
        ValueError: It lacks one of them.
    """
    for head, rows in zip(HEADS, tables(found), strict=True):
        before, _, after = page.partition(f'{head}\n')
        if not after:
            raise ValueError(f'the page has no table {head!r}')
        old, _, end = after.partition('\n\n')
        line, *were = old.split('\n')
        kept = [_merged(row, was) for row, was in zip(rows, were, strict=True)]
        page = before + '\n'.join([head, line, *kept]) + f'\n\n{end}'
    return page


def _merged(row: str, was: str) -> str:
    """Return a row with the cells of before where nothing was measured."""
    cells = zip(row.split(' | '), was.split(' | '), strict=True)
    return ' | '.join(old if NOT_RUN in new else new for new, old in cells)


def tables(found: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Return the rows of each table; what was not measured is `not run`."""
    times = {
        row['encoder']: row['graph_ms'] for row in _rows(found, 'network') if row['batch'] == 1
    }
    networks = [
        f'| {name} | {aim} | {_quantiles(times.get(name))} |' for name, aim in TARGETS_MS.items()
    ]
    overlap = found.get('overlap') or {}
    rates = [str(overlap.get(f'{name}_hz', NOT_RUN)) for name in ('each_alone', 'overlapped')]
    steps = [
        f'| {start}, {image} | {_quantiles(_step(found, start, image))} |'
        for start, image in STEPS
    ]
    receipt = f'| {RECEIPT} | {_quantiles(found.get("stamp_to_receipt"))} |'
    return networks, [f'| fp16 | {rates[0]} | {rates[1]} |'], [*steps, receipt]


def _rows(found: Mapping[str, Any], part: str) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a part, none where it failed."""
    rows = found.get(part)
    return rows if isinstance(rows, list) else []


def _step(found: Mapping[str, Any], start: str, image: str) -> Mapping[str, float] | None:
    for row in _rows(found, 'frame'):
        if row['image'] == image and row['stage'].startswith(start):
            times: Mapping[str, float] = row['ms']
            return times
    return None


def _quantiles(times: Mapping[str, Any] | None) -> str:
    if times is None or 'p50' not in times:
        return NOT_RUN
    return f'{times["p50"]} / {times["p99"]}'

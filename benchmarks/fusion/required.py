"""What issue and design require of fusion, and whether it is met."""

from collections.abc import Iterator

import numpy as np

from ..alignment.table import table
from .fuse_time import BUDGET_MS
from .late import WORSE
from .methods import FUSED, ORACLE, ROBUST, WITHOUT_NETWORK
from .patterns import DENSE
from .scenes import DISTORTED, TINY
from .scores import MEASUREMENT, Scores

OVER_NETWORK_FREE = {TINY: 1.0, DISTORTED: 0.6}
OVER_ORACLE = 1.3
NOT_REFUSED = ('ToF 8x8', 'ToF 8x8, as image', '100 points')
NEAR_WRONG = 0.05

Row = tuple[str, float, float, str]
"""What, the most that is allowed, what was measured, and that of the worst scene."""


def of_scores(found: dict[tuple[str, str], Scores]) -> Iterator[Row]:
    """Yield the ratios of mean AbsRel that are required."""
    for (network, pattern), scores in found.items():
        where = f'{pattern}, {network}'
        for over, limit, at_given in _ratios(network, pattern):
            ratio = scores.ratio(over, at_given)
            if ratio is not None:
                place = 'at given pixels, ' if at_given else ''
                what = f'{where}: {place}{FUSED} / {over}'
                yield what, limit, ratio[0], f'{ratio[1]:.2f}'
        if pattern in NOT_REFUSED:
            yield f'{where}: refused', 0.0, scores.refused, ''


def _ratios(network: str, pattern: str) -> Iterator[tuple[str, float, bool]]:
    if pattern in DENSE:
        yield WITHOUT_NETWORK, OVER_NETWORK_FREE[network], False
    yield ROBUST, 1.0, False
    if pattern in NOT_REFUSED:
        yield ORACLE, OVER_ORACLE, False
    yield MEASUREMENT, 1.0, True


def of_others(
    near: dict[str, float], late: dict[str, np.ndarray], times: dict[str, np.ndarray]
) -> Iterator[Row]:
    """Yield what is required of near obstacles, late measurements and time."""
    for name, share in near.items():
        if name.startswith(FUSED):
            yield f'near columns wrong, {name}', NEAR_WRONG, 1 - share, ''
    ratio = np.nanmean(late[FUSED], axis=1) / np.nanmean(late[ROBUST], axis=1)
    yield f'late measurements: {FUSED} / {ROBUST}, worst drive', WORSE, float(ratio.max()), ''
    for name, milliseconds in times.items():
        what = f'CPU median of `fuse`, {name} [ms]'
        yield what, BUDGET_MS, float(np.median(milliseconds)), ''


def report(rows: list[Row]) -> str:
    """Return the table, and what is missed."""
    missed = [row for row in rows if not _is_met(row)]
    lines = ''.join(f'* {what}: {value:.3f} (<= {most:g})\n' for what, most, value, _ in missed)
    cells = (
        [what, f'<= {most:g}', f'{value:.3f}', worst, 'met' if value <= most else '**missed**']
        for what, most, value, worst in rows
    )
    return (
        f'\n## Required\n\nRatios are of means over the scenes. Met: {len(rows) - len(missed)} of '
        f'{len(rows)}.{" Missed:" if missed else ""}\n\n{lines}\n'
        + table(['what', 'required', 'measured', 'worst scene', ''], cells)
    )


def _is_met(row: Row) -> bool:
    _, most, value, _ = row
    return value <= most

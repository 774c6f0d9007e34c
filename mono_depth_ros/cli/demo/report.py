"""What a demo found out: as a table for people, as JSON for programs."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from .calibration import Calibration
from .scoring import CONSTANT, FITTED, Score
from .take import Take

_LEAST_KNOWN = 0.9
"""Share of the frames that must have depth."""
_LEGEND = (
    'none: scale and shift fitted once, in another room; best fit: to the truth of each frame'
)


@dataclasses.dataclass(frozen=True)
class Section:
    """The numbers of one take.

    Attributes:
        title: What was looked at.
        frames: How many different images were answered.
        judged: The method that has to be good.
        scores: Of each method, then of guesses; empty without a truth.
        rate_hz: Depth images per second.
        camera_hz: Images per second that were meant to be sent.
        latency_ms: Percentile -> time from an image's arrival to that of its depth.
        notes: What a reader of the numbers must know.
    """

    title: str
    frames: int
    judged: str
    scores: dict[str, Score]
    rate_hz: float
    camera_hz: float
    latency_ms: dict[str, float]
    notes: tuple[str, ...]


def summarize(take: Take) -> Section:
    """Return the numbers of a take."""
    latency_ms = {}
    if take.latencies_s:
        for percent in (50, 95):
            latency_ms[f'p{percent}'] = 1e3 * float(np.percentile(take.latencies_s, percent))
    return Section(
        title=take.source.title,
        frames=take.frames,
        judged=take.source.shown.name,
        scores=take.scores,
        rate_hz=take.rate_hz,
        camera_hz=take.source.rate_hz,
        latency_ms=latency_ms,
        notes=take.source.notes,
    )


def shortcomings(section: Section) -> list[str]:
    """Return what keeps a section that was scored from being a success, each as a sentence."""
    if not section.scores:
        return [f'{section.title}: no frame came out that could be scored']
    judged = section.scores[section.judged]
    found = []
    if judged.known < _LEAST_KNOWN * judged.frames:
        found.append(
            f'{section.title}: with {section.judged} only {judged.known} of {judged.frames} '
            'frames have depth'
        )
    guess = section.scores[CONSTANT].abs_rel
    for name in (section.judged, FITTED):
        error = section.scores[name].abs_rel
        if not math.isfinite(error):
            found.append(f'{section.title}: AbsRel of {name} is {error}')
        elif not error < guess:
            found.append(
                f'{section.title}: AbsRel of {name} is {error:.3f}, no better than the '
                f'{guess:.3f} of {CONSTANT}'
            )
    return found


def print_section(console: Console, section: Section) -> None:
    """Print a table of the scores, the speed, and the notes."""
    if section.scores:
        console.print(_table(section))
        console.print(_LEGEND, soft_wrap=True)
    else:
        console.print(
            f'{section.title}, frames: {section.frames}, no truth to score them by', soft_wrap=True
        )
    console.print(_speed(section), soft_wrap=True)
    for note in section.notes:
        console.print(f'note: {note}', soft_wrap=True)


def _table(section: Section) -> Table:
    """Return one row for each method, then one for each guess."""
    table = Table(title=f'{section.title}: errors of metric depth')
    table.add_column('alignment', no_wrap=True)
    for heading in ('AbsRel', 'delta1', 'RMSE [m]', 'pixels', 'frames'):
        table.add_column(heading, justify='right')
    for name, score in section.scores.items():
        if name == FITTED:
            table.add_section()
        table.add_row(
            name,
            f'{score.abs_rel:.3f}',
            f'{score.delta1:.3f}',
            f'{score.rmse:.2f}',
            f'{score.pixels:.0%}',
            f'{score.known}/{score.frames}',
        )
    return table


def write_json(
    path: Path, sections: Sequence[Section], calibration: Calibration, seed: int
) -> None:
    """Write all numbers; one that is not finite becomes null."""
    content = {
        'calibration': {'drive': seed, **dataclasses.asdict(calibration)},
        'sources': [dataclasses.asdict(section) for section in sections],
    }
    path.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + '\n')


def _speed(section: Section) -> str:
    parts = []
    if math.isfinite(section.rate_hz):
        parts.append(
            f'{section.rate_hz:.1f} depth images per second, of {section.camera_hz:.0f} images'
        )
    if section.latency_ms:
        p50, p95 = (section.latency_ms[name] for name in ('p50', 'p95'))
        parts.append(f'image in to depth out p50 {p50:.0f} ms, p95 {p95:.0f} ms')
    return '; '.join(parts) or 'too few frames to measure a speed'


def _finite(value: Any) -> Any:
    """Return a structure of plain values in which NaN and infinity are None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Filters over time on drifting, jumping, flat and late sequences."""

import numpy as np

from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.types import PredictionKind

from ..sequences import (
    DISPARITY_EVERY,
    FRAMES,
    JUMP_AT,
    LATE_FRAMES,
    RATE_HZ,
    SEEDS,
    WALL,
    Sequence,
    draw_sequence,
)
from .rivals import Averaging, WithoutLevel, WithoutRestart
from .table import percent, table

FIRST = 15
SETTLED = 45
RECOVERED = 0.1
"""Depth error below which the jump counts as followed."""
HORIZON = 30
"""Fits after the jump within which it must be followed."""
WORST = 1.0
"""What a depth that is not positive counts, and the most that any counts."""
QUANTITY = PredictionKind.INVERSE_DEPTH
CANDIDATES: list[tuple[str, type[AlignmentFilter], float]] = [
    ('none', WithoutLevel, 0.0),
    *((f'average {s}', Averaging, s) for s in (0.3, 0.7)),
    *((f'RLS {s}', WithoutRestart, s) for s in (0.3, 0.7)),
    *((f'RLS + restart {s}', WithoutLevel, s) for s in (0.3, 0.7)),
    *((f'RLS + restart + level {s}', AlignmentFilter, s) for s in (0.3, 0.5, 0.7)),
]


def report() -> str:
    """Return the table of the filters."""
    sequences = [draw_sequence(seed) for seed in SEEDS]
    rows = []
    for name, kind, smoothing in CANDIDATES:
        settings = AlignmentSettings(source='disparity', model='global', smoothing=smoothing)
        errors = np.array([_errors(sequence, kind(settings, QUANTITY)) for sequence in sequences])
        rows.append([name, *_scores(errors)])
    head = [
        'filter, smoothing',
        'drive',
        'wall',
        'wall not known',
        '2 s after the wall',
        '3 s after the jump',
        'lag mean [s]',
        'lag worst [s]',
        f'not within {HORIZON} fits',
    ]
    return (
        f'\n## Filter over time\n\nMean over frames of the median depth error, {len(SEEDS)} '
        f'sequences of 30 s at {RATE_HZ} Hz (sequences.py), disparity at '
        f'{RATE_HZ // DISPARITY_EVERY} Hz and {LATE_FRAMES / RATE_HZ:.2f} s late. A depth that '
        f'is not positive, or wrong by more, counts as wrong by {WORST:.0%}. Lag: from the jump '
        f'to an error below {RECOVERED:.0%}, among the sequences that reach it within {HORIZON} '
        f'fits ({HORIZON * DISPARITY_EVERY / RATE_HZ:.0f} s); {LATE_FRAMES / RATE_HZ:.2f} s is '
        'the least possible.\n\n' + table(head, rows)
    )


def _errors(sequence: Sequence, aligner: AlignmentFilter) -> np.ndarray:
    """Return (FRAMES,): the median depth error of each frame, NaN where not known."""
    errors = np.full(FRAMES, np.nan)
    for k in range(FRAMES):
        matched = k - LATE_FRAMES
        if matched in sequence.observation:
            aligner.observe(
                _stamp(matched),
                sequence.prediction[matched],
                {'disparity': sequence.observation[matched]},
                (0.1, 80.0),
            )
        alignment, _ = aligner.current(_stamp(k))
        if alignment is not None:
            inverse = alignment.scale * sequence.prediction[k][::2, ::2] + alignment.shift
            error = (sequence.truth[k][::2, ::2] / inverse - 1).abs()
            errors[k] = float(error.masked_fill(inverse <= 0, WORST).median().clamp(max=WORST))
    return errors


def _stamp(frame: int) -> int:
    return round(frame / RATE_HZ * 1e9)


def _scores(errors: np.ndarray) -> list[str]:
    drive = np.r_[FIRST : WALL.start, WALL.stop + SETTLED : JUMP_AT, JUMP_AT + SETTLED : FRAMES]
    wall = errors[:, WALL.start + LATE_FRAMES : WALL.stop]
    recovered = errors[:, JUMP_AT : JUMP_AT + HORIZON * DISPARITY_EVERY] < RECOVERED
    late = ~recovered.any(axis=1)
    lag = recovered.argmax(axis=1)[~late] / RATE_HZ
    return [
        percent(np.nanmean(errors[:, drive])),
        percent(np.nanmean(wall)),
        f'{np.isnan(wall).mean():.0%}',
        percent(np.nanmean(errors[:, WALL.stop : WALL.stop + 30])),
        percent(np.nanmean(errors[:, JUMP_AT : JUMP_AT + 45])),
        f'{lag.mean():.2f}' if lag.size else '-',
        f'{lag.max():.2f}' if lag.size else '-',
        f'{late.sum()} of {len(late)}',
    ]

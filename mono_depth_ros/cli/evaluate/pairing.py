"""Which prediction belongs to which truth: by name, or by the moment of both."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from ...core.errors import EvaluationError
from .frames import Frame

SAME_MOMENT_NS = 20_000_000
"""TUM's own limit for images of one moment."""


class Pair(NamedTuple):
    """A prediction and its truth."""

    prediction: Frame
    truth: Frame


def by_name(predictions: list[Frame], truths: list[Frame]) -> list[Pair]:
    """Return the pairs of equal names, in the order of truths.

    Folders that all predictions, or all truths, lie in are no part of their names. One prediction
    and one truth are a pair whatever they are called.

    Raises:
        EvaluationError: There is no pair.
    """
    if len(predictions) == len(truths) == 1:
        return [Pair(predictions[0], truths[0])]
    named = dict(zip(_short_names(predictions), predictions, strict=True))
    short = zip(_short_names(truths), truths, strict=True)
    pairs = [Pair(named[name], truth) for name, truth in short if name in named]
    if not pairs:
        raise EvaluationError(
            f'no prediction has the name of a truth: predictions are {_some(predictions)}, truths '
            f'{_some(truths)}'
        )
    return pairs


def by_moment(predictions: Iterable[Frame], truths: Iterable[Frame]) -> Iterator[Pair]:
    """Yield each truth with the prediction nearest in time, if one is within 20 ms.

    Both must come in the order of their moments, and are read once, side by side: recordings are
    larger than memory.

    Raises:
        EvaluationError: A moment goes back in time, or a frame has none.
    """
    ahead = _in_order(predictions)
    before: Frame | None = None
    behind = next(ahead, None)
    for truth in _in_order(truths):
        while behind is not None and _ns(behind) < _ns(truth):
            before, behind = behind, next(ahead, None)
        near = [frame for frame in (before, behind) if frame is not None]
        nearest = min(near, key=lambda frame: abs(_ns(frame) - _ns(truth)), default=None)
        if nearest is not None and abs(_ns(nearest) - _ns(truth)) <= SAME_MOMENT_NS:
            yield Pair(nearest, truth)


def _short_names(frames: list[Frame]) -> list[str]:
    """Return the names of frames without the folders common to all."""
    folders = [PurePosixPath(frame.name).parts[:-1] for frame in frames]
    common = 0
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common += 1
    return ['/'.join(PurePosixPath(frame.name).parts[common:]) for frame in frames]


def _in_order(frames: Iterable[Frame]) -> Iterator[Frame]:
    last: Frame | None = None
    for frame in frames:
        if frame.moment_ns is None:
            raise EvaluationError(f'frame {frame.name!r} bears no time to find its truth by')
        if last is not None and _ns(frame) < _ns(last):
            raise EvaluationError(
                f'frame {frame.name} comes after {last.name}: time jumps back; evaluate the parts '
                'one by one'
            )
        yield frame
        last = frame


def _ns(frame: Frame) -> int:
    assert frame.moment_ns is not None
    return frame.moment_ns


def _some(frames: list[Frame]) -> str:
    names = ', '.join(repr(frame.name) for frame in frames[:3])
    return f'{names} and {len(frames) - 3} more' if len(frames) > 3 else names

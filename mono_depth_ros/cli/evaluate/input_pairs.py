"""Pairs of prediction and truth of two inputs: by name, or by the time of both."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import torch

from ...core.errors import EvaluationError
from ...core.files.depth_files import Map, read_map
from ...core.files.map_units import UNITS, Quantity
from ...core.scale.disparity_measurement import measure_disparity
from ...core.types import PredictionKind
from ...offline.bag_camera import require_registered
from ...offline.bags import Bag
from ...offline.images import SAME_MOMENT_NS
from ...offline.input_files import is_bag
from ..common_arguments import positive_number
from .depth_maps import (
    LAYOUTS,
    SUFFIXES,
    LazyMap,
    ReadMap,
    are_clouds,
    bag_maps,
    cloud_maps,
    file_map,
    find_layout,
    folder_maps,
    layout_maps,
    map_name,
)

Maps = list[LazyMap] | Iterator[LazyMap]


class Pair(NamedTuple):
    """A prediction and its truth."""

    prediction: LazyMap
    truth: LazyMap


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says where predictions and truth lie, and what they are."""
    images = 'of images, with arguments of `mono_depth estimate`, which is done first'
    predicted = f'file, folder or bag of predicted maps, or {images}'
    parser.add_argument('predictions', type=Path, help=predicted)
    parser.add_argument(
        'truth', type=Path, help='the same of true depth, a data set, or clouds (.ply)'
    )
    given = parser.add_argument_group('input')
    given.add_argument(
        '--unit',
        type=positive_number,
        help='meters of one count in predictions of integers (default: 0.001 in a 16-bit PNG; '
        'other integers need it)',
    )
    given.add_argument(
        '--truth-unit',
        type=positive_number,
        help='meters, or px of disparity, of one count in a truth of integers (default: that of '
        'the layout; else 0.001 m, or 1/256 px, in a 16-bit PNG, and other integers need it)',
    )
    given.add_argument(
        '--layout',
        choices=['auto', *LAYOUTS],
        default='auto',
        help='data set of the truth; tum and icl count in 1/5000 m (default: by its files)',
    )
    given.add_argument(
        '--quantity',
        choices=[kind.value for kind in PredictionKind],
        help='what predictions are: depth [m], inverse_depth [1/m], or without unit (default: by '
        'their names, else depth)',
    )
    given.add_argument('--topic', default='', help='of a predicted bag: depth, or images')
    given.add_argument('--truth-topic', default='', help='depth topic of a true bag')
    given.add_argument(
        '--disparity',
        action='store_true',
        help='the truth is disparity [px]: Z = focal * baseline / (d + doffs)',
    )


def open_pairs(args: argparse.Namespace, predictions: Maps) -> tuple[Iterator[Pair], str]:
    """Return the pairs, and a sentence about what the truth was taken for."""
    if args.disparity and not (args.focal and args.baseline):
        raise EvaluationError(
            '--disparity needs --focal and --baseline; where neither is known, give 1 for both: '
            'depth then has no unit, and alignment finds one'
        )
    truths, about = _truths(args)
    are_files = isinstance(truths, list) and isinstance(predictions, list)
    if are_files and any(frame.moment_ns is None for frame in (*truths, *predictions)):
        pairs = by_name(list(predictions), list(truths))
        return iter(pairs), f'{about}; with a prediction: {len(pairs)}'
    # A bag is in the order of its moments, or cannot be evaluated.
    in_time = [
        sorted(maps, key=lambda frame: frame.moment_ns or 0) if isinstance(maps, list) else maps
        for maps in (predictions, truths)
    ]
    return by_moment(*in_time), about


def predicted_quantity(args: argparse.Namespace) -> PredictionKind:
    """Return what predictions are: as the user says, or else the names that `estimate` gives."""
    if args.quantity is not None:
        return PredictionKind(args.quantity)
    path: Path = args.predictions
    files = path.rglob('*') if path.is_dir() and not is_bag(path) else [path]
    stems = [file.stem for file in files if file.suffix in SUFFIXES]
    kinds = (k for k in PredictionKind if k is not PredictionKind.DEPTH)
    for quantity in sorted(kinds, key=lambda k: -len(k.value)):
        if any(stem.endswith(quantity.value) for stem in stems):
            return quantity
    return PredictionKind.DEPTH


def by_name(predictions: list[LazyMap], truths: list[LazyMap]) -> list[Pair]:
    """Return the pairs of equal names, in the order of truths.

    Folders that all predictions, or all truths, lie in are no part of their names. One prediction
    and one truth are a pair whatever they are called.
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


def by_moment(predictions: Iterable[LazyMap], truths: Iterable[LazyMap]) -> Iterator[Pair]:
    """Yield each truth with the prediction nearest in time, if one is within 20 ms.

    Both must come in the order of their moments, and are read once, side by side: recordings are
    larger than memory.

    Raises:
        EvaluationError: A moment goes back in time, or a frame has none.
    """
    ahead = _in_order(predictions)
    before: LazyMap | None = None
    behind = next(ahead, None)
    for truth in _in_order(truths):
        while behind is not None and _ns(behind) < _ns(truth):
            before, behind = behind, next(ahead, None)
        near = [frame for frame in (before, behind) if frame is not None]
        nearest = min(near, key=lambda frame: abs(_ns(frame) - _ns(truth)), default=None)
        if nearest is not None and abs(_ns(nearest) - _ns(truth)) <= SAME_MOMENT_NS:
            yield Pair(nearest, truth)


def _truths(args: argparse.Namespace) -> tuple[Maps, str]:
    """Return the true frames and a sentence about them."""
    path = args.truth
    if is_bag(path):
        bag = Bag(path)
        topic = bag.find_topic('depth', args.truth_topic)
        require_registered(bag, topic)
        return bag_maps(bag, topic), f'truth: {topic} of {path}'
    if are_clouds(path):
        clouds = cloud_maps(path)
        return clouds, f'truth: {len(clouds)} clouds'
    layout = args.layout
    if layout == 'auto':
        layout = find_layout(path) if path.is_dir() else 'files'
    quantity: Quantity = 'disparity' if args.disparity else 'depth'
    unit = args.truth_unit or (None if args.disparity else LAYOUTS[layout])
    read = partial(read_map, unit=unit, quantity=quantity)
    frames = layout_maps(path, layout, read) if path.is_dir() else [_one(path, read)]
    if args.disparity:
        frames = [replace(frame, read=partial(_depth, frame, args)) for frame in frames]
    plural = 's' * (len(frames) > 1)
    counts = UNITS[quantity].described(unit)
    return frames, f'truth: {len(frames)} frame{plural}, layout {layout}; {counts}'


def stored_predictions(args: argparse.Namespace) -> Maps:
    """Return the predicted frames of a file, folder or bag."""
    path: Path = args.predictions
    if is_bag(path):
        bag = Bag(path)
        return bag_maps(bag, bag.find_topic('depth', args.topic))
    kind = predicted_quantity(args)
    if kind.is_relative:
        # Without a unit whatever 1 means: alignment finds it.
        read: ReadMap = partial(read_map, unit=args.unit or 1.0)
    else:
        quantity: Quantity = 'depth' if kind is PredictionKind.DEPTH else 'inverse_depth'
        read = partial(read_map, unit=args.unit, quantity=quantity)
    return folder_maps(path, read) if path.is_dir() else [_one(path, read)]


def _one(path: Path, read: ReadMap) -> LazyMap:
    if not path.is_file():
        raise EvaluationError(f'{path} does not exist')
    return file_map(path, map_name(Path(path.name)) or path.stem, read)


def _depth(disparity: LazyMap, args: argparse.Namespace) -> Map:
    """Return the depth (H, W) [m] of a frame that is disparity."""
    pixels = torch.from_numpy(disparity.read())
    measured = measure_disparity(pixels, args.focal, args.baseline, doffs_px=args.doffs)
    depth: Map = measured.inverse_depth.reciprocal().numpy()
    return depth


def _short_names(frames: list[LazyMap]) -> list[str]:
    """Return the names of frames without the folders common to all."""
    folders = [PurePosixPath(frame.name).parts[:-1] for frame in frames]
    common = 0
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common += 1
    return ['/'.join(PurePosixPath(frame.name).parts[common:]) for frame in frames]


def _in_order(frames: Iterable[LazyMap]) -> Iterator[LazyMap]:
    last: LazyMap | None = None
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


def _ns(frame: LazyMap) -> int:
    assert frame.moment_ns is not None
    return frame.moment_ns


def _some(frames: list[LazyMap]) -> str:
    names = ', '.join(repr(frame.name) for frame in frames[:3])
    return f'{names} and {len(frames) - 3} more' if len(frames) > 3 else names

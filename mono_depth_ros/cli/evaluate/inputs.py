"""From two paths to pairs of prediction and truth: files, folders, data sets and bags."""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from ...core.errors import EvaluationError
from ...core.files.depth_files import MILLIMETER, Map
from ...core.scale.depth_measurement import measure_disparity
from ...core.types import PredictionKind
from ...offline.bag_files import is_bag
from ...offline.bags import Bag
from ...offline.registration import require_registered
from .frames import SUFFIXES, Frame, bag_frames, file_frame, folder_frames, frame_name
from .layouts import LAYOUTS, find_layout, layout_frames
from .pairing import Pair, by_moment, by_name

Frames = list[Frame] | Iterator[Frame]


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says where predictions and truth lie, and what they are."""
    parser.add_argument('predictions', type=Path, help='file, folder or bag of predicted maps')
    parser.add_argument('truth', type=Path, help='file, folder, data set or bag of true depth')
    given = parser.add_argument_group('input')
    given.add_argument(
        '--unit',
        type=_positive,
        default=MILLIMETER,
        help='meters of one count in PNG predictions (default: %(default)s)',
    )
    given.add_argument(
        '--truth-unit',
        type=_positive,
        help="meters, or px of disparity, of one count in the truth's PNG (default: the layout's)",
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
    given.add_argument('--topic', default='', help='depth topic of a predicted bag')
    given.add_argument('--truth-topic', default='', help='depth topic of a true bag')
    given.add_argument(
        '--disparity',
        action='store_true',
        help='the truth is disparity [px]: Z = focal * baseline / (d + doffs)',
    )
    given.add_argument('--focal', type=_positive, help='of the disparity [px]')
    given.add_argument('--baseline', type=_positive, help='of the disparity [m]')
    given.add_argument('--doffs', type=float, default=0.0, help='cx right - cx left [px]')


def open_pairs(args: argparse.Namespace) -> tuple[Iterator[Pair], str]:
    """Return the pairs, and a sentence about what the truth was taken for.

    Raises:
        MonoDepthError: An input is not there, holds no depth, or contradicts its options.
    """
    if args.disparity and (args.focal is None or args.baseline is None):
        raise EvaluationError(
            '--disparity needs --focal and --baseline; where neither is known, give 1 for both: '
            'depth then has no unit, and alignment finds one'
        )
    truths, about = _truths(args)
    predictions = _predictions(args.predictions, args.topic, args.unit)
    if not isinstance(truths, list) or not isinstance(predictions, list):
        return by_moment(_in_time(predictions), _in_time(truths)), about
    if all(frame.moment_ns is not None for frame in (*truths, *predictions)):
        return by_moment(_in_time(predictions), _in_time(truths)), about
    pairs = by_name(predictions, truths)
    return iter(pairs), f'{about}; with a prediction: {len(pairs)}'


def predicted_quantity(args: argparse.Namespace) -> PredictionKind:
    """Return what predictions are: as the user says, or else the names that `estimate` gives."""
    if args.quantity is not None:
        return PredictionKind(args.quantity)
    path: Path = args.predictions
    files = path.rglob('*') if path.is_dir() and not is_bag(path) else [path]
    stems = [file.stem for file in files if file.suffix in SUFFIXES]
    for quantity in (PredictionKind.RELATIVE_INVERSE_DEPTH, PredictionKind.INVERSE_DEPTH):
        if any(stem.endswith(quantity.value) for stem in stems):
            return quantity
    return PredictionKind.DEPTH


def _truths(args: argparse.Namespace) -> tuple[Frames, str]:
    """Return the true frames and a sentence about them."""
    path = args.truth
    if is_bag(path):
        bag = Bag(path)
        topic = bag.depth_topic(args.truth_topic)
        require_registered(bag, topic)
        return bag_frames(bag, topic), f'truth: {topic} of {path}'
    layout = args.layout
    if layout == 'auto':
        layout = find_layout(path) if path.is_dir() else 'files'
    unit = args.truth_unit or LAYOUTS[layout].unit
    frames = layout_frames(path, layout, unit) if path.is_dir() else [_one(path, unit)]
    if args.disparity:
        frames = [replace(frame, read=partial(_depth, frame, args)) for frame in frames]
    counts = f'PNG counts in {unit:.6g} {"px" if args.disparity else "m"}'
    plural = 's' * (len(frames) > 1)
    return frames, f'truth: {len(frames)} frame{plural}, layout {layout}, {counts}'


def _predictions(path: Path, topic: str, unit: float) -> Frames:
    if is_bag(path):
        bag = Bag(path)
        return bag_frames(bag, bag.depth_topic(topic))
    return folder_frames(path, unit) if path.is_dir() else [_one(path, unit)]


def _one(path: Path, unit: float) -> Frame:
    if not path.is_file():
        raise EvaluationError(f'{path} does not exist')
    return file_frame(path, frame_name(Path(path.name)) or path.stem, unit)


def _in_time(frames: Frames) -> Frames:
    """Return files in the order of their moments; a bag is in it, or cannot be evaluated."""
    if isinstance(frames, list):
        return sorted(frames, key=lambda frame: frame.moment_ns or 0)
    return frames


def _depth(disparity: Frame, args: argparse.Namespace) -> Map:
    """Return the depth (H, W) [m] of a frame that is disparity."""
    observed = measure_disparity(
        torch.from_numpy(disparity.read()), args.focal, args.baseline, doffs_px=args.doffs
    )
    depth: Map = observed.inverse_depth.reciprocal().numpy()
    return depth


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not positive')
    return value

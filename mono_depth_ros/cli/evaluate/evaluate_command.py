"""`mono_depth evaluate`: arguments, the frames one by one, and what is left of them."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console

from ...core.camera.pinhole import PinholeCamera
from ...core.devices import one_thread
from ...core.errors import EvaluationError, MonoDepthError
from ...core.evaluation.cloud_metrics import project_points
from ...core.evaluation.costmap import CostmapSettings
from ...core.evaluation.depth_evaluation import AlignmentKind, EvaluationResult, EvaluationSettings
from ...core.files.depth_files import Map
from ...core.settings import updated
from ...core.types import PredictionKind
from ...offline.figures import Cell, Column, depth_palette, draw_rows, error_palette
from ..batch import failures_status, make_folder, progress_bar, say, written
from ..common_arguments import add_measured_topic, add_settings, given
from ..estimate_arguments import add_scale_arguments, asks_for_estimation
from .depth_maps import are_clouds
from .estimated_maps import EstimatedMaps
from .evaluation_report import (
    FrameScore,
    judge_frame,
    mean_numbers,
    numbers,
    print_absent,
    print_frames,
    print_means,
    write_scores,
)
from .input_pairs import (
    Pair,
    add_input_arguments,
    open_pairs,
    predicted_quantity,
    stored_predictions,
)
from .robot_measures import RobotMeasures, add_robot_arguments

Mask = npt.NDArray[np.bool_]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare inputs, protocol and outputs."""
    add_input_arguments(parser)
    protocol = parser.add_argument_group('protocol')
    protocol.add_argument(
        '--align',
        nargs='+',
        choices=[kind.value for kind in AlignmentKind],
        metavar='KIND',
        help='none, scale (median of depth), scale_shift (least squares of inverse depth) '
        '(default: each that the quantity allows)',
    )
    add_settings(protocol, EvaluationSettings())
    add_robot_arguments(parser)
    add_measured_topic(parser.add_argument_group('bag'))
    add_scale_arguments(parser, '--measured-disparity')
    # The numbers are written with what was asked for, defaults included.
    parser.set_defaults(**asdict(EvaluationSettings()), **asdict(CostmapSettings()))
    output = parser.add_argument_group('output')
    output.add_argument('--json', type=Path, metavar='FILE', help='write all numbers there')
    output.add_argument(
        '--pictures', type=Path, metavar='FOLDER', help='write a picture of each error there'
    )
    output.add_argument('--per-frame', action='store_true', help='print a row for each frame')


def run(args: argparse.Namespace) -> int:
    """Judge all frames; return how many could not be."""
    settings = updated(EvaluationSettings(), given(args))
    robot = RobotMeasures(args)
    estimated = EstimatedMaps.of_arguments(args) if asks_for_estimation(args) else None
    quantity = estimated.quantity if estimated else predicted_quantity(args)
    kinds = _kinds(args.align, quantity)
    console = Console(markup=False, highlight=False)
    for folder in (args.pictures, args.json and args.json.parent):
        if folder is not None:
            make_folder(folder)
    frames: list[FrameScore] = []
    failed: list[dict[str, str]] = []
    pairs, about = open_pairs(args, estimated.maps() if estimated else stored_predictions(args))
    console.print(f'{about}; predictions are {quantity.value}', soft_wrap=True)
    for pair in _each(pairs, failed):
        try:
            prediction = pair.prediction.read()
            truth = pair.truth.read()
            if are_clouds(args.truth):
                truth = _depth_of(truth, robot.pinhole(*prediction.shape))
            counted = settings.counted(torch.from_numpy(truth))
            with one_thread():
                judged = judge_frame(prediction, quantity, truth, kinds, settings)
                scores = _scores(judged, robot, truth, counted, pair.truth.moment_ns)
        except MonoDepthError as error:
            _fail(failed, pair.truth.name, error)
            continue
        frames.append(FrameScore(pair.truth.name, scores))
        if args.pictures is not None:
            name, best = pair.truth.name or 'frame', kinds[-1]
            judgment = judged[best.value]
            _write_picture(args.pictures, name, best, judgment, truth, counted.numpy())
    for note in estimated.notes() if estimated else ():
        say(f'mono_depth evaluate: {note}')
    if not frames:
        raise EvaluationError('no frame could be judged')
    _report(console, args, quantity, frames, robot, failed)
    return failures_status(len(failed))


def _scores(
    judged: dict[str, EvaluationResult],
    robot: RobotMeasures,
    truth: Map,
    counted: torch.Tensor,
    moment_ns: int | None,
) -> dict[str, dict[str, float]]:
    """Return the numbers of a frame, by kind of alignment; a robot's not of the baselines."""
    seen = torch.from_numpy(truth), counted, moment_ns
    scores = {kind: numbers(judgment) for kind, judgment in judged.items()}
    for kind in judged.keys() & {known.value for known in AlignmentKind}:
        scores[kind] |= robot.numbers(kind, judged[kind].depth, *seen)
    return scores


def _report(
    console: Console,
    args: argparse.Namespace,
    quantity: PredictionKind,
    frames: list[FrameScore],
    robot: RobotMeasures,
    failed: list[dict[str, str]],
) -> None:
    """Print the numbers, and write them where that is asked for."""
    means = mean_numbers(frames, robot.drive_numbers())
    absent = robot.absent({name for row in means.values() for name in row})
    if args.per_frame:
        print_frames(console, frames)
    print_means(console, frames, means)
    print_absent(console, absent)
    if args.json is not None:
        asked = _asked(args) | {'quantity': quantity.value}
        question = {'asked': asked, 'failed': failed, 'not_measured': absent}
        write_scores(args.json, question, frames, means)


def _depth_of(cloud: Map, pinhole: PinholeCamera) -> Map:
    """Return the depth (H, W) [m] of points (N, 3) [m]."""
    depth: Map = project_points(torch.from_numpy(cloud), pinhole).numpy()
    return depth


def _kinds(wanted: list[str] | None, quantity: PredictionKind) -> list[AlignmentKind]:
    """Return the kinds of alignment, weakest first."""
    for kind in AlignmentKind:
        if wanted and kind.value in wanted and not kind.serves(quantity):
            unit = f'--align {kind.value}: {quantity.value} has no unit'
            raise EvaluationError(unit, 'align it by scale_shift')
    allowed = [kind for kind in AlignmentKind if kind.serves(quantity)]
    return [kind for kind in allowed if wanted is None or kind.value in wanted]


def _each(pairs: Iterator[Pair], failed: list[dict[str, str]]) -> Iterator[Pair]:
    """Yield the pairs up to where an input breaks off."""
    with progress_bar(None, 'frames') as show:
        try:
            for done, pair in enumerate(pairs):
                show(done)
                yield pair
        except MonoDepthError as error:
            _fail(failed, 'the rest', error)


def _fail(failed: list[dict[str, str]], name: str, error: MonoDepthError) -> None:
    failed.append({'name': name, 'reason': str(error)})
    say(f'mono_depth evaluate: {name}: {error}')


def _write_picture(
    folder: Path,
    name: str,
    kind: AlignmentKind,
    judgment: EvaluationResult,
    truth: Map,
    counted: Mask,
) -> None:
    """Write truth, prediction in the truth's range of depth, and its signed relative error."""
    aligned = '' if kind is AlignmentKind.NONE else f', after {kind.value} alignment'
    near, far = np.percentile(truth[counted], (1, 99))
    meters = depth_palette(near, max(far, 1.01 * near))
    depth = judgment.depth.cpu().numpy()
    error = np.where(counted, depth - truth, np.nan) / np.where(counted, truth, 1)
    columns = [Column('truth', meters), Column('prediction', meters)]
    columns.append(Column(f'error, AbsRel {judgment.metrics.abs_rel:.3f}', error_palette()))
    path = folder / f'{name.replace("/", "_")}.png'
    with written(path):
        draw_rows(path, name + aligned, columns, [[Cell(truth), Cell(depth), Cell(error)]])


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(args).items()
        if name not in ('run', 'command', 'json', 'pictures', 'per_frame')
    }

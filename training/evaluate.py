"""Score networks on the exam and on real frames, beside predictors that know nothing.

`python -m training.evaluate` scores the weights in the package; `--run FOLDER --candidate NAME`
those of a run beside them, in meters too.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from rich.console import Console
from rich.table import Table

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.network.estimator import (
    Estimator,
    EstimatorSettings,
    TorchEstimator,
    load_estimator,
)

from .exam import BASELINES, ExamView, Predictor, exam_table, load_exam, mean_metrics, score
from .export import trained_network
from .real_frames import FOCAL_PX, SHARED, real_frames
from .steadiness import DRIVES, bias_change, boundary_f1, drive_frames


@dataclass(frozen=True)
class RealFrame:
    """One real frame.

    Attributes:
        name: Of the data set, and its number.
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 [m], 0 or not finite = unknown.
        focal_px: Focal length [px]; 0 where the depth has no unit.
    """

    name: str
    rgb: torch.Tensor
    depth: torch.Tensor
    focal_px: float


def load_real() -> list[RealFrame]:
    """Return the 13 real frames with truth."""
    return [
        RealFrame(name, rgb, depth, FOCAL_PX.get(name.split()[0], 0.0))
        for name, rgb, depth in real_frames()
    ]


def tiny(checkpoint: str = '') -> Predictor:
    """Return the network of the package as a predictor at image size."""
    settings = EstimatorSettings('tiny', 'relative', checkpoint)
    return predictor_of(load_estimator(settings))


def predictor_of(estimator: Estimator) -> Predictor:
    """Return what a relative network predicts at the size of the image."""

    def predicted(rgb: torch.Tensor) -> torch.Tensor:
        image, size = rgb.to(estimator.device), (rgb.shape[0], rgb.shape[1])
        return estimator.predict([image], size, [None])[0].values.cpu()

    return predicted


def trained(run: Path, name: str) -> Predictor:
    """Return the running average of a run as a predictor of canonical inverse depth."""
    network, _ = trained_network(run, name)
    return predictor_of(TorchEstimator(network, torch.device('cpu')))


def metric_error(predictor: Predictor, view: ExamView | RealFrame) -> float:
    """Return AbsRel of a predictor of canonical inverse depth, the focal length known."""
    canonical = predictor(view.rgb).clamp(min=1e-3)
    depth = view.focal_px / (min(view.depth.shape) * canonical)
    known = view.depth.isfinite() & (view.depth > 0)
    return float(((depth - view.depth).abs() / view.depth)[known].mean())


def real_table(predictors: dict[str, Predictor], frames: list[RealFrame]) -> Table:
    """Return AbsRel of each predictor on each real frame after the affine fit, and their means.

    The last row counts the frames on which a predictor beats the row gradient.
    """
    table = Table('frame', *predictors)
    errors = {
        name: [evaluate_best_fit(p(frame.rgb), frame.depth).metrics.abs_rel for frame in frames]
        for name, p in predictors.items()
    }
    for number, frame in enumerate(frames):
        table.add_row(frame.name, *(f'{row[number]:.3f}' for row in errors.values()))
    table.add_row('mean', *(f'{fmean(row):.3f}' for row in errors.values()))
    bar = errors['row gradient']
    better = [sum(a < b for a, b in zip(row, bar, strict=True)) for row in errors.values()]
    table.add_row('better than the row gradient', *(f'{count}' for count in better))
    return table


def metric_table(
    predictors: dict[str, Predictor], frames: list[RealFrame], views: list[ExamView]
) -> Table:
    """Return AbsRel in meters, without any fit, on real frames of known focal length."""
    table = Table('in meters, AbsRel', *predictors)

    def add(name: str, error: Callable[[Predictor], float]) -> None:
        table.add_row(name, *(f'{error(p):.3f}' for p in predictors.values()))

    known = [frame for frame in frames if frame.focal_px]
    for frame in known:
        add(frame.name, lambda p, frame=frame: metric_error(p, frame))
    add('mean of the real frames', lambda p: fmean(metric_error(p, frame) for frame in known))
    add('exam', lambda p: fmean(metric_error(p, view) for view in views))
    return table


def steadiness_table(predictors: dict[str, Predictor], views: list[ExamView]) -> Table:
    """Return how sharp edges are in the exam, and how much the bias changes on drives."""
    table = Table('steadiness', *predictors)
    drives = [drive_frames(seed) for seed in DRIVES]

    def changes(predictor: Predictor) -> float:
        return fmean(bias_change(predictor, frames) for frames in drives)

    everyone = predictors.values()
    table.add_row('boundary F1, exam', *(f'{boundary_f1(p, views):.3f}' for p in everyone))
    table.add_row('change of bias per frame, drives', *(f'{changes(p):.4f}' for p in everyone))
    return table


def tables(
    predictors: dict[str, Predictor], metric: dict[str, Predictor], views: list[ExamView]
) -> Iterator[Table]:
    """Yield the exam's table and, where the data are, those of the real frames."""
    everyone = {**BASELINES, **predictors, **metric}
    yield exam_table({name: mean_metrics(score(p, views)) for name, p in everyone.items()})
    yield steadiness_table({**predictors, **metric}, views)
    if SHARED.is_dir():
        frames = load_real()
        yield real_table(everyone, frames)
        if metric:
            yield metric_table(metric, frames, views)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', default='', help='weights to score; default: the package')
    parser.add_argument('--run', type=Path, nargs='*', default=[], help='folders of runs')
    parser.add_argument('--candidate', nargs='*', default=[], help='what each of them trains')
    parser.add_argument('--pack', type=Path, default=Path('training/runs/furniture.npz'))
    parser.add_argument('--cache', type=Path, default=Path('training/runs'))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs = zip(arguments.run, arguments.candidate, strict=True)
    in_meters = {run.name: trained(run, name) for run, name in runs}
    exam = load_exam(arguments.pack, arguments.cache)
    for part in tables({'tiny': tiny(arguments.checkpoint)}, in_meters, exam):
        Console().print(part)

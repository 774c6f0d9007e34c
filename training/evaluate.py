"""Score `encoder: tiny` on the exam and on real frames, beside predictors that know nothing.

Run `python -m training.evaluate` for the weights in the package, `--checkpoint` for others.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator

from .exam import BASELINES, Predictor, exam_table, load_exam, mean_metrics, score
from .real_frames import SHARED, real_frames


def tiny(checkpoint: str = '') -> Predictor:
    """Return the network as a predictor at image size."""
    estimator = load_estimator(EstimatorSettings(encoder='tiny', checkpoint=checkpoint))

    def predicted(rgb: torch.Tensor) -> torch.Tensor:
        image, size = rgb.to(estimator.device), (rgb.shape[0], rgb.shape[1])
        return estimator.predict([image], size, [None])[0].values.cpu()

    return predicted


def real_table(predictors: dict[str, Predictor]) -> Table:
    """Return AbsRel / delta1 of each predictor on each real frame, after the affine fit."""
    table = Table('frame', *predictors)
    for name, rgb, depth in real_frames():
        cells = (evaluate_best_fit(p(rgb), depth).metrics for p in predictors.values())
        table.add_row(name, *(f'{m.abs_rel:.3f} / {m.delta1:.3f}' for m in cells))
    return table


def tables(checkpoint: str, cache: Path) -> Iterator[Table]:
    """Yield the exam's table and, where the data are, that of the real frames."""
    predictors = {**BASELINES, 'tiny': tiny(checkpoint)}
    views = load_exam(cache)
    yield exam_table({name: mean_metrics(score(p, views)) for name, p in predictors.items()})
    if SHARED.is_dir():
        yield real_table(predictors)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--checkpoint', default='', help='weights to score; default: the package')
    parser.add_argument('--cache', type=Path, default=Path('training/runs'))
    arguments = parser.parse_args()
    for part in tables(arguments.checkpoint, arguments.cache):
        Console().print(part)

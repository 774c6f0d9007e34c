"""The exam of relative depth: 200 fixed views of scenes that training never sees.

Run `python -m training.exam` to print what predictors that know nothing score.
"""

import argparse
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

import mono_depth_ros.simulation
from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.evaluation.metrics import (
    DepthMetrics,
    constant_baseline,
    row_gradient_baseline,
)
from mono_depth_ros.simulation.renderer import render
from mono_depth_ros.simulation.views import sample_view

SEEDS_FILE = Path(__file__).with_name('exam_seeds.txt')
EXAM_SEEDS = range(1_000_000)
"""The exam's seeds come from here; training takes none of them."""
WIDTH, HEIGHT = 336, 252

Predictor = Callable[[torch.Tensor], torch.Tensor]
"""RGB (H, W, 3) uint8 -> relative inverse depth (H, W)."""


@dataclass(frozen=True)
class ExamView:
    """One question.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 [m].
    """

    rgb: torch.Tensor
    depth: torch.Tensor


def exam_seeds() -> list[int]:
    """Return the committed seeds."""
    return [int(line) for line in SEEDS_FILE.read_text().split()]


def render_exam_view(seed: int) -> ExamView:
    """Return the view of one seed."""
    view = render(*sample_view(seed, WIDTH, HEIGHT))
    return ExamView(view.rgb, view.depth)


def load_exam(cache: Path | None = None) -> list[ExamView]:
    """Return all views, kept in the folder `cache` where one is given.

    The file's name holds a digest of the seeds and of the simulation's sources, so that a
    changed world is never judged by old pictures.
    """
    file = cache / f'exam_{_world_digest()}.npz' if cache else None
    if file is not None and file.exists():
        with np.load(file) as stored:
            rgb, depth = torch.from_numpy(stored['rgb']), torch.from_numpy(stored['depth'])
        return [ExamView(*pair) for pair in zip(rgb, depth, strict=True)]
    views = _render_exam()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        rgb, depth = (torch.stack([getattr(v, name) for v in views]) for name in ('rgb', 'depth'))
        partial = file.with_suffix('.partial.npz')
        np.savez(partial, rgb=rgb.numpy(), depth=depth.numpy())
        partial.rename(file)
    return views


def _render_exam() -> list[ExamView]:
    """Return all views, rendered on one thread: the operations are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [render_exam_view(seed) for seed in track(exam_seeds(), 'exam')]
    finally:
        torch.set_num_threads(threads)


def score(predictor: Predictor, views: Sequence[ExamView]) -> list[DepthMetrics]:
    """Return the errors on each view after the affine fit in inverse depth."""
    return [evaluate_best_fit(predictor(view.rgb), view.depth).metrics for view in views]


def mean_metrics(results: Sequence[DepthMetrics]) -> DepthMetrics:
    """Return the mean over images of every measure, and the number of pixels of all."""
    rows = [dataclasses.astuple(result) for result in results]
    *means, _ = map(fmean, zip(*rows, strict=True))
    return DepthMetrics(*means, n=sum(result.n for result in results))


def constant(rgb: torch.Tensor) -> torch.Tensor:
    """Predict the same everywhere."""
    return constant_baseline(*rgb.shape[:2])


def row_gradient(rgb: torch.Tensor) -> torch.Tensor:
    """Predict the row: lower is nearer."""
    return row_gradient_baseline(*rgb.shape[:2])


BASELINES: dict[str, Predictor] = {'constant': constant, 'row gradient': row_gradient}


def exam_table(rows: dict[str, DepthMetrics]) -> Table:
    """Return a table of mean measures, one predictor a row."""
    table = Table('predictor', 'AbsRel', 'RMSE [m]', 'log10', 'delta1', 'delta2', 'SILog')
    for name, m in rows.items():
        numbers = (m.abs_rel, m.rmse, m.log10, m.delta1, m.delta2)
        table.add_row(name, *(f'{number:.3f}' for number in numbers), f'{m.silog:.1f}')
    return table


def _world_digest() -> str:
    digest = hashlib.sha256(SEEDS_FILE.read_bytes() + f'{WIDTH}x{HEIGHT}'.encode())
    for source in sorted(Path(mono_depth_ros.simulation.__path__[0]).glob('*.py')):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def main() -> None:
    """Print what the baselines score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--cache', type=Path, default=Path(__file__).parent / 'runs')
    views = load_exam(parser.parse_args().cache)
    rows = {name: mean_metrics(score(guess, views)) for name, guess in BASELINES.items()}
    Console().print(exam_table(rows))


if __name__ == '__main__':
    main()

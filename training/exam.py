"""The exam: 300 fixed views of scenes, models and textures that training never sees.

Run `python -m training.exam` to print what predictors that know nothing score.
"""

import argparse
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import cv2
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.evaluation.metrics import (
    DepthMetrics,
    constant_baseline,
    row_gradient_baseline,
)

from .world.view_shards import ShardReader, StoredView, write_shard

SEEDS_FILE = Path(__file__).with_name('exam_seeds.txt')
EXAM_SEEDS = range(900_000)
"""The exam's seeds come from here; training takes none of them."""
TRAINING_SEED = 1_000_000
"""Scenes of training start here."""
WIDTH, HEIGHT = 320, 240

Predictor = Callable[[torch.Tensor], torch.Tensor]
"""RGB (H, W, 3) uint8 -> relative inverse depth (H, W)."""


@dataclass(frozen=True)
class ExamView:
    """One question.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 [m], infinite for sky.
        focal_px: Focal length [px].
        kind: Of the scene.
    """

    rgb: torch.Tensor
    depth: torch.Tensor
    focal_px: float
    kind: str


def exam_seeds() -> list[int]:
    """Return the committed seeds."""
    return [int(line) for line in SEEDS_FILE.read_text().split()]


def load_exam(pack: Path, cache: Path) -> list[ExamView]:
    """Return all views, rendered once into the folder `cache`.

    The file's name holds a digest of the seeds and of the world's sources, so that a changed
    world is never judged by old pictures.
    """
    stem = cache / f'exam_{world_digest()}'
    if not stem.with_suffix('.npz').exists():
        write_shard(stem, list(_rendered(pack)))
    reader = ShardReader(stem)
    return [exam_view(reader, row) for row in range(len(reader))]


def exam_view(reader: ShardReader, row: int) -> ExamView:
    """Return a stored view as a question."""
    rgb, inverse_depth = reader.read(row)
    depth = torch.from_numpy(inverse_depth).reciprocal()
    return ExamView(
        torch.from_numpy(rgb), depth, float(reader.focal_px[row]), str(reader.kinds[row])
    )


def _rendered(pack: Path) -> Iterator[StoredView]:
    from .world.furniture_pack import load_pack
    from .world.view_factory import ViewFactory

    factory = ViewFactory(load_pack(pack), WIDTH, HEIGHT, exam=True)
    for seed in track(exam_seeds(), 'exam'):
        yield from factory.views(seed, 1)


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


def world_digest() -> str:
    """Return a digest of all that decides what the exam looks like, but for the models."""
    digest = hashlib.sha256(
        SEEDS_FILE.read_bytes() + f'{WIDTH}x{HEIGHT} {cv2.__version__}'.encode()
    )
    for source in sorted((Path(__file__).parent / 'world').glob('*.py')):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def main() -> None:
    """Print what the baselines score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, default=Path('training/runs/furniture.npz'))
    parser.add_argument('--cache', type=Path, default=Path('training/runs'))
    arguments = parser.parse_args()
    views = load_exam(arguments.pack, arguments.cache)
    rows = {name: mean_metrics(score(guess, views)) for name, guess in BASELINES.items()}
    Console().print(exam_table(rows))


if __name__ == '__main__':
    main()

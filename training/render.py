"""Render views of the furnished world into shards; goes on where it stopped.

python -m training.world.importer      # once: the furniture pack
python -m training.render              # until there are enough views
"""

import argparse
import itertools
import os
import time
from pathlib import Path

from .exam import TRAINING_SEED
from .world.furniture_pack import load_pack
from .world.view_factory import ViewFactory
from .world.view_shards import ShardReader, StoredView, shard_stem, write_shard

SCENES_PER_SHARD = 40
WIDTH, HEIGHT = 320, 240


def render_shard(factory: ViewFactory, index: int) -> list[StoredView]:
    """Return the views of one shard; they depend on its number alone."""
    first = TRAINING_SEED + index * SCENES_PER_SHARD
    return [
        view for seed in range(first, first + SCENES_PER_SHARD) for view in factory.views(seed)
    ]


def render(pack: Path, folder: Path, views: int) -> None:
    """Render shards until a folder holds `views` views; shards that exist are kept."""
    factory: ViewFactory | None = None
    total = 0
    for index in itertools.count():
        stem = shard_stem(folder, index)
        if not stem.with_suffix('.npz').exists():
            if factory is None:
                factory = ViewFactory(load_pack(pack), WIDTH, HEIGHT, exam=False)
            began = time.monotonic()
            write_shard(stem, render_shard(factory, index))
            took = time.monotonic() - began
            print(f'{time.strftime("%H:%M:%S")} shard {index} in {took:.0f} s', flush=True)
        total += len(ShardReader(stem))
        if total >= views:
            print(f'{total} views in {index + 1} shards', flush=True)
            return


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, default=Path('training/runs/furniture.npz'))
    parser.add_argument('--folder', type=Path, default=Path('training/runs/world'))
    parser.add_argument('--views', type=int, default=60_000)
    parser.add_argument('--nice', type=int, default=19, help='how far to step back for others')
    arguments = parser.parse_args()
    os.nice(arguments.nice)
    os.environ.setdefault('LP_NUM_THREADS', '1')
    render(arguments.pack, arguments.folder, arguments.views)

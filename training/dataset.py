"""Training views, rendered ahead into shards on disk and read back as augmented batches.

Run `python -m training.dataset --shards 144 --processes 2` to render; shards that exist are kept.
"""

import argparse
import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.progress import track

from mono_depth_ros.simulation.renderer import render
from mono_depth_ros.simulation.views import sample_view

from .augmentation import distort_color

SHARD_VIEWS = 256
WIDTH, HEIGHT = 336, 252
FIRST_SEED = 1_000_000
"""Training seeds start here; the exam's lie below."""


def shard_path(folder: Path, index: int) -> Path:
    """Return the stem of one shard's two files."""
    return folder / f'shard_{index:04d}'


def render_shard(job: tuple[Path, int]) -> None:
    """Render 256 views to `<stem>.rgb.npy` and `<stem>.inverse_depth.npy`, unless they exist."""
    folder, index = job
    torch.set_num_threads(1)
    stem = shard_path(folder, index)
    done = stem.with_suffix('.inverse_depth.npy')
    if done.exists():
        return
    images = np.empty((SHARD_VIEWS, HEIGHT, WIDTH, 3), np.uint8)
    inverse_depths = np.empty((SHARD_VIEWS, HEIGHT, WIDTH), np.float16)
    for row in range(SHARD_VIEWS):
        view = render(*sample_view(FIRST_SEED + index * SHARD_VIEWS + row, WIDTH, HEIGHT))
        images[row] = view.rgb.numpy()
        inverse_depths[row] = view.depth.reciprocal().numpy()
    np.save(stem.with_suffix('.rgb.npy'), images)
    partial = stem.with_suffix('.partial.npy')
    np.save(partial, inverse_depths)
    partial.rename(done)


def render_shards(folder: Path, shards: int, processes: int) -> None:
    """Render the shards that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder, index) for index in range(shards)]
    context = multiprocessing.get_context('spawn')
    with context.Pool(processes) as pool:
        list(track(pool.imap_unordered(render_shard, jobs), 'shards', total=shards))


class Views:
    """Rendered views, memory-mapped.

    Args:
        folder: Where the shards lie.
        shards: How many of them to use.
    """

    def __init__(self, folder: Path, shards: int) -> None:
        stems = [shard_path(folder, index) for index in range(shards)]
        self._rgb = [np.load(s.with_suffix('.rgb.npy'), mmap_mode='r') for s in stems]
        self._truth = [np.load(s.with_suffix('.inverse_depth.npy'), mmap_mode='r') for s in stems]

    def __len__(self) -> int:
        return SHARD_VIEWS * len(self._rgb)

    def batch(
        self, rng: np.random.Generator, size: int, height: int, width: int, gentle: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return RGB (B, H, W, 3) uint8 and inverse depth (B, H, W) float32 [1/m], augmented.

        A gentle batch holds larger parts of the views, half of them in their own colors.
        """
        pairs = [
            self._crop(rng, index, height, width, gentle)
            for index in rng.integers(len(self), size=size)
        ]
        rgb, truth = zip(*pairs, strict=True)
        return torch.from_numpy(np.stack(rgb)), torch.from_numpy(np.stack(truth))

    def _crop(
        self, rng: np.random.Generator, index: int, height: int, width: int, gentle: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        shard, row = divmod(int(index), SHARD_VIEWS)
        zoom = rng.uniform(0.8 if gentle else 0.55, 1.0)
        tall = min(HEIGHT, round(HEIGHT * zoom))
        wide = min(WIDTH, round(tall * width / height * rng.uniform(0.9, 1.1)))
        top, left = rng.integers(HEIGHT - tall + 1), rng.integers(WIDTH - wide + 1)
        window = np.s_[row, top : top + tall, left : left + wide]
        # The network sees images shrunk with and without antialiasing; so must it here.
        how = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_AREA
        rgb = cv2.resize(self._rgb[shard][window], (width, height), interpolation=how)
        truth = cv2.resize(
            self._truth[shard][window].astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_NEAREST_EXACT,
        )
        if rng.random() < 0.5:
            rgb, truth = rgb[:, ::-1], truth[:, ::-1]
        if not gentle or rng.random() < 0.5:
            rgb = distort_color(rng, rgb)
        return np.ascontiguousarray(rgb), np.ascontiguousarray(truth)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='render training views ahead')
    parser.add_argument('--folder', type=Path, default=Path('training/runs/views'))
    parser.add_argument('--shards', type=int, default=144)
    parser.add_argument('--processes', type=int, default=2)
    arguments = parser.parse_args()
    render_shards(arguments.folder, arguments.shards, arguments.processes)

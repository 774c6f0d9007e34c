"""Batches for training, from the shards that are there by now."""

from pathlib import Path

import cv2
import numpy as np
import torch

from .augmentation import distort_color
from .world.view_shards import ShardReader, open_shards

VALIDATION_SHARDS = 1
"""The first shards are never trained on."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""RGB (B, 3, H, W) in 0..1 and canonical inverse depth f / (S Z) (B, H, W), 0 for sky."""


def canonical(inverse_depth: np.ndarray, focal_px: float) -> np.ndarray:
    """Return f / (S Z) of a view (H, W) [1/m], S being its shorter side."""
    return inverse_depth * np.float32(focal_px / min(inverse_depth.shape))


class ViewBatches:
    """Draws augmented batches.

    Args:
        folder: Where the shards lie, or grow.

    Raises:
        FileNotFoundError: There are no shards to train on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refresh()
        if not self._shards:
            raise FileNotFoundError(f'no shards of views in {folder}: run training.render')

    def refresh(self) -> None:
        """Look for shards that were finished meanwhile."""
        shards = open_shards(self._folder)
        self.validation = shards[:VALIDATION_SHARDS]
        self._shards = shards[VALIDATION_SHARDS:]
        self._ends = np.cumsum([len(shard) for shard in self._shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def batch(self, rng: np.random.Generator, count: int, size: tuple[int, int]) -> Batch:
        """Return `count` parts of views at (height, width) `size` [px]."""
        pairs = []
        for index in rng.integers(len(self), size=count):
            number = int(np.searchsorted(self._ends, index, side='right'))
            row = int(index) - int(self._ends[number] - len(self._shards[number]))
            pairs.append(augmented(rng, self._shards[number], row, size))
        rgb, truth = (np.stack(part) for part in zip(*pairs, strict=True))
        images = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
        return images.contiguous(memory_format=torch.channels_last), torch.from_numpy(truth)


def augmented(
    rng: np.random.Generator, shard: ShardReader, row: int, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a part of a view, mirrored and recolored at random, and its canonical truth."""
    rgb, inverse_depth = shard.read(row)
    full_height, full_width = inverse_depth.shape
    height, width = size
    largest = min(full_height, full_width * height / width)
    tall = round(largest * rng.uniform(0.7, 1.0))
    wide = min(full_width, round(tall * width / height))
    top = int(rng.integers(full_height - tall + 1))
    left = int(rng.integers(full_width - wide + 1))
    window = np.s_[top : top + tall, left : left + wide]
    # The network sees images shrunk with and without antialiasing; so must it here.
    how = cv2.INTER_CUBIC if rng.random() < 0.4 else cv2.INTER_AREA
    small = cv2.resize(rgb[window], (width, height), interpolation=how)
    truth = canonical(inverse_depth[window], float(shard.focal_px[row]))
    truth = cv2.resize(truth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    if rng.random() < 0.5:
        small, truth = small[:, ::-1], truth[:, ::-1]
    if rng.random() < 0.5:
        small = distort_color(rng, small)
    return np.ascontiguousarray(small), np.ascontiguousarray(truth)

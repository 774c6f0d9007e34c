"""Batches for training, from the shards that are there by now."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch

from .augmentation import distort_color
from .world.view_shards import ShardReader, open_shards

VALIDATION_SHARDS = 1
"""The first shards are never trained on."""

_SHIFT = 0.03  # of the second picture of a pair, in widths and heights
_LEAST_NOISE = 2.0  # levels of 255

Floats = npt.NDArray[np.float32]
View = tuple[npt.NDArray[np.uint8], Floats]
"""RGB (H, W, 3) and canonical inverse depth (H, W)."""
Size = tuple[int, ...]
"""Height and width [px]."""
Part = tuple[int, int, int, int]
"""Top, left, height and width [px]."""


class Batch(NamedTuple):
    """Pictures in pairs of one view, one after the other.

    Attributes:
        rgb: (2B, 3, H, W) in 0..1.
        truth: (2B, H, W) canonical inverse depth f / (S Z), 0 for sky.
        inside: (B, 4): where the second one lies in the first, left, top, width and height as
            shares of that.
    """

    rgb: torch.Tensor
    truth: torch.Tensor
    inside: torch.Tensor


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
        """Return `count` pictures, two of each view, at (height, width) `size` [px]."""
        views: list[View] = []
        inside = []
        for index in rng.integers(len(self), size=count // 2):
            number = int(np.searchsorted(self._ends, index, side='right'))
            row = int(index) - int(self._ends[number] - len(self._shards[number]))
            pair, where = augmented(rng, self._shards[number], row, size)
            views += pair
            inside.append(where)
        rgb, truth = (np.stack(part) for part in zip(*views, strict=True))
        images = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
        return Batch(
            images.contiguous(memory_format=torch.channels_last),
            torch.from_numpy(truth),
            torch.from_numpy(np.stack(inside)),
        )


def augmented(
    rng: np.random.Generator, shard: ShardReader, row: int, size: tuple[int, int]
) -> tuple[list[View], Floats]:
    """Return two pictures of a view, and where the second one lies in the first, see `Batch`.

    Each is a part of the view, mirrored and recolored at random: as a camera sees it, and as it
    does a moment later, moved and nearer by a few percent. In half of the pairs light and camera
    stay the same, but for their noise.
    """
    rgb, inverse_depth = shard.read(row)
    part = _part(rng, inverse_depth.shape[:2], size)
    next_part = _moved(rng, part, inverse_depth.shape[:2])
    is_mirrored = rng.random() < 0.5
    # The network sees images shrunk with and without antialiasing; so must it here.
    how = cv2.INTER_CUBIC if rng.random() < 0.4 else cv2.INTER_AREA
    seeds = [int(rng.integers(2**31))] * 2 if rng.random() < 0.5 else rng.integers(2**31, size=2)
    views = []
    for seed, (top, left, tall, wide) in zip(seeds, (part, next_part), strict=True):
        window = np.s_[top : top + tall, left : left + wide]
        small = cv2.resize(rgb[window], size[::-1], interpolation=how)
        truth = canonical(inverse_depth[window], float(shard.focal_px[row]))
        truth = cv2.resize(truth, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        if is_mirrored:
            small, truth = small[:, ::-1], truth[:, ::-1]
        camera = np.random.default_rng(seed)
        if camera.random() < 0.7:
            small = distort_color(camera, small)
        noise = _LEAST_NOISE * rng.standard_normal(small.shape, dtype=np.float32)
        small = np.rint(small + noise).clip(0, 255).astype(np.uint8)
        views.append((small, np.ascontiguousarray(truth)))
    offset, lengths = np.subtract(next_part[:2], part[:2]), np.divide(next_part[2:], part[2:])
    (y, x), (height, width) = offset / part[2:], lengths
    return views, np.float32((1 - x - width if is_mirrored else x, y, width, height))


def _part(rng: np.random.Generator, full: Size, size: Size) -> Part:
    """Return a part of a view that has the aspect of `size`."""
    largest = min(full[0], full[1] * size[0] / size[1])
    tall = round(largest * rng.uniform(0.6, 1.0))
    wide = min(full[1], round(tall * size[1] / size[0]))
    return int(rng.integers(full[0] - tall + 1)), int(rng.integers(full[1] - wide + 1)), tall, wide


def _moved(rng: np.random.Generator, part: Part, full: Size) -> Part:
    """Return a part beside it, and nearer by up to 5 %."""
    nearer = rng.uniform(0.95, 1.0)
    lengths = [round(length * nearer) for length in part[2:]]
    starts = []
    for start, length, new, end in zip(part[:2], part[2:], lengths, full, strict=True):
        shift = (length - new) / 2 + rng.uniform(-_SHIFT, _SHIFT) * length
        starts.append(int(np.clip(start + shift, 0, end - new)))
    return starts[0], starts[1], lengths[0], lengths[1]

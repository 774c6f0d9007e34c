"""Views on disk: compressed pictures and inverse depth, in shards that are read while others grow.

A shard is `<stem>.bytes`, the pictures (JPEG) and depths (PNG, 16 bits) one after the other, and
`<stem>.npz`, which is written last and says where each begins.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

LARGEST_INVERSE_DEPTH = 4.0
"""Of the code 65535 [1/m]; 0 is sky, or farther than 16 km."""


@dataclass(frozen=True)
class StoredView:
    """One view.

    Attributes:
        picture: JPEG bytes.
        inverse_depth: (H, W) float32 [1/m], 0 for sky.
        focal_px: Focal length [px].
        seed: Of its scene.
        kind: Of its scene.
    """

    picture: np.ndarray
    inverse_depth: np.ndarray
    focal_px: float
    seed: int
    kind: str


def shard_stem(folder: Path, index: int) -> Path:
    """Return the path of a shard without its suffix."""
    return folder / f'views_{index:05d}'


def write_shard(stem: Path, views: Sequence[StoredView]) -> None:
    """Write a shard; it exists once its index does."""
    blobs = [blob for v in views for blob in (v.picture, _encode_depth(v.inverse_depth))]
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix('.bytes').write_bytes(b''.join(blob.tobytes() for blob in blobs))
    partial = stem.with_suffix('.partial.npz')
    np.savez(
        partial,
        ends=np.cumsum([len(blob) for blob in blobs]),
        focal_px=np.array([v.focal_px for v in views], np.float32),
        seeds=np.array([v.seed for v in views]),
        kinds=np.array([v.kind for v in views]),
    )
    partial.rename(stem.with_suffix('.npz'))


def _encode_depth(inverse_depth: np.ndarray) -> np.ndarray:
    code = np.rint(inverse_depth / LARGEST_INVERSE_DEPTH * 65535).clip(0, 65535)
    return cv2.imencode('.png', code.astype(np.uint16), (cv2.IMWRITE_PNG_COMPRESSION, 3))[
        1
    ].ravel()


class ShardReader:
    """Reads single views of a shard.

    Args:
        stem: The shard's path without suffix.
    """

    def __init__(self, stem: Path) -> None:
        with np.load(stem.with_suffix('.npz')) as index:
            self._ends = [0, *index['ends'].tolist()]
            self.focal_px = index['focal_px']
            self.kinds = index['kinds']
            self.seeds = index['seeds']
        self._bytes = np.memmap(stem.with_suffix('.bytes'), np.uint8, 'r')

    def __len__(self) -> int:
        return len(self.focal_px)

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return RGB (H, W, 3) uint8 and inverse depth (H, W) float32 [1/m] of a view."""
        a, b, c = self._ends[2 * row : 2 * row + 3]
        bgr = cv2.imdecode(self._bytes[a:b], cv2.IMREAD_COLOR)
        code = cv2.imdecode(self._bytes[b:c], cv2.IMREAD_UNCHANGED)
        depth = code.astype(np.float32) * np.float32(LARGEST_INVERSE_DEPTH / 65535)
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), depth


def open_shards(folder: Path) -> list[ShardReader]:
    """Return the shards that are complete, up to the first that is not."""
    stems = (shard_stem(folder, index) for index in itertools.count())
    complete = itertools.takewhile(lambda stem: stem.with_suffix('.npz').exists(), stems)
    return [ShardReader(stem) for stem in complete]

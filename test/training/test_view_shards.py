from pathlib import Path

import cv2
import numpy as np
import pytest

from training.world.view_shards import (
    LARGEST_INVERSE_DEPTH,
    ShardReader,
    StoredView,
    open_shards,
    shard_stem,
    write_shard,
)


def stored(seed: int, inverse_depth: np.ndarray) -> StoredView:
    rgb = np.full((*inverse_depth.shape, 3), 40 * seed, np.uint8)
    return StoredView(cv2.imencode('.jpg', rgb)[1].ravel(), inverse_depth, 100.0 + seed, seed, 'k')


def test_views_come_back(tmp_path: Path) -> None:
    depths = [np.random.default_rng(k).uniform(0, 4, (6, 8)).astype(np.float32) for k in range(3)]
    depths[1][0, 0] = 0.0
    write_shard(shard_stem(tmp_path, 0), [stored(k, depth) for k, depth in enumerate(depths)])
    reader = ShardReader(shard_stem(tmp_path, 0))
    assert len(reader) == 3
    for row, depth in enumerate(depths):
        rgb, inverse_depth = reader.read(row)
        assert rgb.shape == (6, 8, 3)
        assert rgb.mean() == pytest.approx(40 * row, abs=2)
        step = LARGEST_INVERSE_DEPTH / 65535
        np.testing.assert_allclose(inverse_depth, depth, atol=0.51 * step)
        assert reader.focal_px[row] == 100 + row
    assert ShardReader(shard_stem(tmp_path, 0)).read(1)[1][0, 0] == 0


def test_a_shard_without_its_index_ends_the_row(tmp_path: Path) -> None:
    view = stored(1, np.ones((2, 2), np.float32))
    for index in (0, 1, 3):
        write_shard(shard_stem(tmp_path, index), [view])
    shard_stem(tmp_path, 2).with_suffix('.bytes').write_bytes(b'half')
    assert len(open_shards(tmp_path)) == 2

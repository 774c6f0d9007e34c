"""The published output for one photograph: where its numbers come from, and what differs."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from mono_depth_ros.core.errors import CheckpointError
from mono_depth_ros.core.network import published_output
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.checkpoints.store import obtain
from mono_depth_ros.core.network.checkpoints.table import POSSIBLE
from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.published_output import (
    CORNERS,
    NETWORK_SIZE,
    PHOTOGRAPH_MEANS,
    PHOTOGRAPH_SIZE,
    check_output,
)


def test_published_numbers_are_those_of_the_source(shared_dir: Path) -> None:
    path = shared_dir / 'data/published/hf_expected_slices.json'
    slices = json.loads(path.read_text())['expected']
    found = sorted([float(value) for value in corner.split()] for corner in CORNERS.values())
    assert found == sorted([*a, *b, *c] for a, b, c in slices.values())
    assert all(variant in POSSIBLE[encoder] for encoder, variant in map(str.split, CORNERS))


def test_the_photograph_is_known_by_its_means(shared_dir: Path) -> None:
    coco = cv2.cvtColor(
        cv2.imread(str(shared_dir / 'data/images/coco_39769.png')), cv2.COLOR_BGR2RGB
    )
    assert coco.shape[:2] == PHOTOGRAPH_SIZE
    half = [coco[v : v + 240, u : u + 320].mean(axis=(0, 1)) for v in (0, 240) for u in (0, 320)]
    assert np.abs(np.array(half).reshape(2, 2, 3) - PHOTOGRAPH_MEANS).max() < 1


Write = Callable[[np.ndarray], Path]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """Write a picture with the size and the colors of the photograph, and details of its own."""
    means = np.array(PHOTOGRAPH_MEANS, np.float32)
    large = means.repeat(240, axis=0).repeat(320, axis=1)
    waves = 30 * np.sin(np.arange(480)[:, None] / 7) * np.cos(np.arange(640) / 11)
    rgb = (large + waves[..., None]).round().clip(0, 255).astype(np.uint8)
    path = tmp_path / 'photograph.png'
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return path


def corner_of_tiny(photograph: Path) -> np.ndarray:
    """Return what tiny puts out, computed with Pillow and without the package's preprocessing."""
    resized = np.asarray(
        Image.open(photograph).resize(NETWORK_SIZE[::-1], Image.Resampling.BICUBIC)
    )
    batch = torch.from_numpy((resized - np.float32(127)) / 128).permute(2, 0, 1)[None]
    # At the network's own input size, as for the published ones.
    batch = F.interpolate(batch, (192, 256), mode='bicubic')
    network = CompactDepth()
    network.load_state_dict(load_state(obtain('tiny').path, 'tiny'))
    with torch.inference_mode():
        out = network.eval()(batch)[:, None]
        out = F.interpolate(out, NETWORK_SIZE, mode='bilinear', align_corners=False)
    return out[0, 0, :3, :3].numpy()


@pytest.fixture
def known(photograph: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Let the output of tiny for that picture be a published one."""
    corner = corner_of_tiny(photograph)
    monkeypatch.setitem(CORNERS, 'tiny relative', ' '.join(map(str, corner.ravel())))
    return corner


def test_the_output_of_the_published_weights_is_recognized(
    photograph: Path, known: np.ndarray
) -> None:
    told = check_output('tiny', 'relative', '', photograph)
    assert told.startswith(f'{photograph}: output as published, its corner within ')
    assert float(told.rpartition(' ')[2].rstrip('%')) < 1


def test_a_difference_of_more_than_two_percent_is_another_output(
    photograph: Path, known: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for factor in (0.97, 1.04, float('nan')):
        other = [*known.ravel()[:8], known.ravel()[8] * factor]
        monkeypatch.setitem(CORNERS, 'tiny relative', ' '.join(map(str, other)))
        with pytest.raises(CheckpointError, match='the corner of the output is'):
            check_output('tiny', 'relative', '', photograph)


def test_other_weights_of_the_same_network_are_noticed(
    photograph: Path, known: np.ndarray, tmp_path: Path
) -> None:
    """The file is sound, its entries are right, its numbers are finite; they are random."""
    path = tmp_path / 'mine.pth'
    torch.save(CompactDepth().state_dict(), path)
    with pytest.raises(CheckpointError, match='that of the published network is'):
        check_output('tiny', 'relative', str(path), photograph)


def test_swapped_colors_are_noticed(
    photograph: Path, known: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped = tuple(tuple(color[::-1] for color in row) for row in PHOTOGRAPH_MEANS)
    monkeypatch.setattr(published_output, 'PHOTOGRAPH_MEANS', swapped)
    cv2.imwrite(str(photograph), cv2.imread(str(photograph))[..., ::-1])
    with pytest.raises(CheckpointError, match='the corner of the output is'):
        check_output('tiny', 'relative', '', photograph)


def test_pictures_and_networks_of_which_nothing_is_known(photograph: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='output of tiny relative is not known'):
        check_output('tiny', 'relative', '', photograph)
    (tmp_path / 'text.jpg').write_text('no picture')
    for path in (tmp_path / 'none.jpg', tmp_path / 'text.jpg'):
        with pytest.raises(CheckpointError, match='no picture that can be read'):
            check_output('vits', 'relative', '', path)
    for change in (lambda bgr: bgr[:-1], lambda bgr: bgr[..., ::-1], lambda bgr: 255 - bgr):
        other = tmp_path / 'other.png'
        cv2.imwrite(str(other), change(cv2.imread(str(photograph))))
        with pytest.raises(CheckpointError, match="is not COCO's 000000039769"):
            check_output('vits', 'relative', '', other)

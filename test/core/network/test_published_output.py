"""What is known of published networks, and the corner of an output as others compute it."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from mono_depth_ros.core.network.acceptance import corner_of
from mono_depth_ros.core.network.checkpoints.output_statistics import Statistics
from mono_depth_ros.core.network.checkpoints.published_outputs import (
    CORNER_IMAGE_MEANS,
    CORNER_IMAGE_SIZE,
    CORNER_SIZE,
    CORNERS,
    STATISTICS,
)
from mono_depth_ros.core.network.checkpoints.table import POSSIBLE
from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator


def test_statistics_of_a_known_map() -> None:
    values = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 8.0]])
    found = Statistics.of(values)
    assert found == Statistics(2, 3, 0.0, 8.0, 3.0, pytest.approx(np.std(values.numpy())))


@pytest.mark.parametrize('name', ['min', 'max', 'mean', 'std'])
def test_a_difference_of_a_fiftieth_deviation_is_another_output(name: str) -> None:
    known = Statistics(10, 20, 0.0, 10.0, 3.0, 2.0)
    values = {'min': 0.0, 'max': 10.0, 'mean': 3.0, 'std': 2.0}
    for change, agrees in ((0.039, True), (-0.039, True), (0.041, False), (np.nan, False)):
        other = Statistics(10, 20, **(values | {name: values[name] + change}))
        assert known.agrees(other) is agrees
    assert not known.agrees(Statistics(20, 10, *values.values()))


def test_published_numbers_are_those_of_the_sources(shared_dir: Path) -> None:
    folder = shared_dir / 'data/published'
    samples = json.loads((folder / 'dav2_vits_output_stats.json').read_text())['samples']
    known = STATISTICS['vits', 'relative']
    assert len(known) == len(samples) == 10
    for sample in samples.values():
        ours = known[sample['image_sha256']]
        assert (ours.height, ours.width) == (sample['height'], sample['width'])
        for name in ('min', 'max', 'mean', 'std'):
            assert getattr(ours, name) == pytest.approx(sample[name], abs=1e-5)
    slices = json.loads((folder / 'hf_expected_slices.json').read_text())['expected']
    assert sorted(CORNERS.values()) == sorted(
        tuple(map(tuple, corner)) for corner in slices.values()
    )
    assert all(variant in POSSIBLE[encoder] for encoder, variant in CORNERS)


def test_photographs_here_are_known_ones(shared_dir: Path) -> None:
    images = shared_dir / 'data/images'
    for path in images.glob('demo*.jpg'):
        known = STATISTICS['vits', 'relative'][hashlib.sha256(path.read_bytes()).hexdigest()]
        assert cv2.imread(str(path)).shape == (known.height, known.width, 3)
    coco = cv2.cvtColor(cv2.imread(str(images / 'coco_39769.png')), cv2.COLOR_BGR2RGB)
    assert coco.shape[:2] == CORNER_IMAGE_SIZE
    half = [coco[v : v + 240, u : u + 320].mean(axis=(0, 1)) for v in (0, 240) for u in (0, 320)]
    assert np.abs(np.array(half).reshape(2, 2, 3) - CORNER_IMAGE_MEANS).max() < 1


def test_corner_is_that_of_an_image_resized_by_pillow() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    rgb = cv2.resize(rgb, CORNER_IMAGE_SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    estimator = load_estimator(EstimatorSettings(encoder='tiny', input_size=518))
    found = corner_of(estimator, torch.from_numpy(rgb))
    resized = np.asarray(Image.fromarray(rgb).resize(CORNER_SIZE[::-1], Image.Resampling.BICUBIC))
    mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
    batch = torch.from_numpy((resized / np.float32(255) - mean) / std).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = estimator._network(batch)[0, :3, :3]
    assert F.l1_loss(found, expected) < 0.002 * expected.abs().mean()

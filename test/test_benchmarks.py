"""Benchmarks and training are run by hand, and still fit the package."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
FILES = [
    path.relative_to(ROOT)
    for folder in ('benchmarks', 'training')
    for path in sorted((ROOT / folder).rglob('*.py'))
    if path.name != '__main__.py'
]
# Of requirements/bench.txt, which `make bench` installs.
RIVALS = ('scipy', 'sklearn')
# Of requirements/training.txt.
FURNISHING = ('moderngl', 'fast_simplification')


@pytest.mark.parametrize('path', FILES, ids=str)
def test_it_can_be_imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    name = '.'.join(path.with_suffix('').parts).removesuffix('.__init__')
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or '').partition('.')[0]
        if missing not in (*RIVALS, *FURNISHING, 'rclpy'):
            raise
        pytest.skip(f'needs {missing}')


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script for a machine with a GPU, on small images and without warming up."""
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    module = importlib.import_module('benchmarks.gpu')
    small = {'WARM_UPS': 0, 'BATCHES': (1,), 'SIZE': (64, 96), 'IMAGES': ((160, 120),)}
    for name, value in {**small, 'OVERLAPPED': 'tiny'}.items():
        monkeypatch.setattr(module, name, value)
    return module


@pytest.mark.parametrize('encoder', ['tiny', 'zipdepth', 'vits'])
def test_the_gpu_script_times_every_family(gpu: ModuleType, encoder: str) -> None:
    (row,) = gpu.networks([encoder], torch.device('cpu'), 1)
    assert row['encoder'] == encoder
    assert row['eager_ms']['p50'] > 0
    assert not row['is_wrong']


def test_the_gpu_script_times_frames_and_their_overlap(gpu: ModuleType) -> None:
    cpu = torch.device('cpu')
    stages = [row['stage'] for row in gpu.frames(cpu, 1)]
    assert any(stage.startswith('after the network') for stage in stages)
    found = gpu.overlap(cpu, 1)
    assert found['encoder'] == 'tiny'
    assert min(found['each_alone_hz'], found['overlapped_hz']) > 0


@pytest.mark.parametrize('encoder', ['tiny', 'zipdepth', 'vits'])
def test_every_network_of_the_table_of_speed_can_be_built(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    speed = importlib.import_module('benchmarks.speed')
    name, _ = speed.network(encoder)
    assert name.startswith(f'{encoder} ')

"""Benchmarks and training are run by hand, and still fit the package."""

import importlib
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize('encoder', ['tiny', 'zipdepth', 'vits'])
def test_every_network_of_the_table_of_speed_can_be_built(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, 'path', [str(ROOT), *sys.path])
    speed = importlib.import_module('benchmarks.speed')
    name, _ = speed.network(encoder)
    assert name.startswith(f'{encoder} ')

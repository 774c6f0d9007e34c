"""Requirement files: one pin of each package for each Python; the code keeps to the oldest one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ('3.10', '3.11', '3.12', '3.13', '3.14')  # of Humble to Lyrical
PINNED = ('base', 'bench', 'dev', 'docs', 'ros-jazzy', 'ros-kilted', 'training')
SETUP = (ROOT / 'setup.py').read_text()


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


def pins(name: str, python: str) -> list[Requirement]:
    """Return what pip takes of a file there."""
    where = {'python_version': python, 'python_full_version': f'{python}.0'}
    return [it for it in requirements(name) if it.marker is None or it.marker.evaluate(where)]


@pytest.mark.parametrize('name', PINNED)
@pytest.mark.parametrize('python', PYTHONS)
def test_each_package_has_one_pin(name: str, python: str) -> None:
    taken = [it.name for it in pins(name, python)]
    assert sorted(taken) == sorted({it.name for it in requirements(name)})
    assert all(re.fullmatch(r'==[\w.]+', str(it.specifier)) for it in pins(name, python))


@pytest.mark.parametrize('python', PYTHONS)
def test_pins_are_within_the_ranges_of_the_package(python: str) -> None:
    required = map(Requirement, re.findall(r"'([A-Za-z][\w.-]+>=[\d.,<>=]+)'", SETUP))
    ranges = {it.name: it.specifier for it in required}
    assert len(ranges) > 15
    ours = {it.name: str(it.specifier)[2:] for f in ('base', 'dev') for it in pins(f, python)}
    shared = ranges.keys() & ours.keys()
    assert len(shared) > 12
    assert [f'{n} {ours[n]}' for n in sorted(shared) if ours[n] not in ranges[n]] == []


def test_every_python_may_install() -> None:
    (stated,) = re.findall(r"python_requires='([^']+)'", SETUP)
    assert [python for python in PYTHONS if python not in SpecifierSet(stated)] == []
    assert '3.9' not in SpecifierSet(stated)


def newer_than_the_oldest(*paths: Path) -> str:
    """Return what in some code Python 3.10 does not have."""
    # `.long()` of a tensor is taken for the type of Python 2.
    options = ('--quiet', '--no-tips', '--violations', '--target=3.10-', '--exclude', 'long')
    run = subprocess.run(
        [sys.executable, '-c', 'from vermin import main; main()', *options, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    return run.stdout + run.stderr


def test_the_code_needs_nothing_newer_than_python_3_10() -> None:
    folders = ('mono_depth_ros', 'launch', 'tools', 'examples', 'training', 'setup.py')
    assert newer_than_the_oldest(*(ROOT / name for name in folders)).strip() == ''


@pytest.mark.parametrize(
    'code',
    ['import tomllib', 'from datetime import UTC', 'from typing import Self', 'type A = int'],
)
def test_newer_things_are_seen(code: str, tmp_path: Path) -> None:
    (tmp_path / 'new.py').write_text(code)
    assert '3.1' in newer_than_the_oldest(tmp_path / 'new.py')

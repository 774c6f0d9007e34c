"""The start of the node: invalid parameters are refused before torch is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mono_depth_ros.core.scale.fitting import METHODS
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.core.settings import described
from mono_depth_ros.ros.ros_domain import claimed_domain

_START = 'import sys; from mono_depth_ros.ros.entry_points import *; sys.exit(mono_depth_node())'


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start the node where torch cannot be imported."""
    (folder / 'torch.py').write_text("raise SystemExit('torch was imported')\n")
    paths = [str(folder), *filter(None, [os.environ.get('PYTHONPATH')])]
    with claimed_domain() as domain:
        return subprocess.run(
            [sys.executable, '-c', _START, '--ros-args', *arguments],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONPATH': os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        (['-p', 'encoder:=huge'], "encoder is 'huge'; choose one of vits"),
        (['-p', 'max_depth:=80'], 'max_depth'),
        (['-p', 'min_depth:=-1.0'], 'min_depth'),
        (['-p', 'encoder:=zipdepth', '-p', 'depth_scale:=2.0'], 'belongs to a metric network'),
        (['-p', 'cloud.organized:=true', '-p', 'cloud.voxel_size:=0.1'], 'cloud.organized'),
        (['-p', 'alignment.source:=ground'], 'alignment.camera_height is 0.0 m'),
        (['-p', 'mask:=/nowhere.png'], '/nowhere.png'),
        (['-r', '__node:=eye', '-p', 'eye:encoder:=huge'], "encoder is 'huge'"),
        (['-r', 'not a remapping'], 'remap'),
    ],
)
def test_invalid_parameters_are_refused_before_torch_is_imported(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    done = started(tmp_path, *arguments)
    assert done.returncode == 1
    assert reason in done.stderr
    assert 'torch was imported' not in done.stderr
    assert 'Traceback' not in done.stderr


def test_torch_is_imported_for_valid_parameters(tmp_path: Path) -> None:
    assert 'torch was imported' in started(tmp_path, '-p', 'encoder:=tiny').stderr


def test_the_choices_of_an_alignment_are_those_that_are_registered() -> None:
    choices = {name: info.choices for name, info, _ in described(AlignmentSettings())}
    assert choices['source'] == tuple(SOURCES)
    assert choices['method'] == tuple(METHODS)


def test_threads_of_a_node_take_short_turns() -> None:
    """So that the network, which gives way at each operation, is not kept waiting by messages."""
    code = (
        'import sys; from mono_depth_ros.core.errors import MonoDepthError\n'
        'from mono_depth_ros.ros.process import run\n'
        'def build(): raise MonoDepthError(f"turns of {sys.getswitchinterval()} s")\n'
        'sys.exit(run("turns", build, []))'
    )
    with claimed_domain() as domain:
        done = subprocess.run(
            [sys.executable, '-c', code],
            env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert 'turns of 0.0005 s' in done.stderr

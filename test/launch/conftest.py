"""A workspace with this package in it, built once, and a way to run commands in it."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope='session')
def in_workspace(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Build the package with colcon and return a function that starts a command on top of it."""
    folder = tmp_path_factory.mktemp('workspace')
    bases = [f'--{kind}-base={folder / kind}' for kind in ('build', 'install')]
    colcon = [sys.executable, '-m', 'colcon', f'--log-base={folder / "log"}', 'build', *bases]
    done = subprocess.run(
        [*colcon, f'--paths={ROOT}'], capture_output=True, text=True, timeout=300, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    setup = shlex.quote(str(folder / 'install' / 'local_setup.bash'))

    def start(*command: str, **environment: str) -> subprocess.Popen[str]:
        script = f'source {setup} && exec {shlex.join(command)}'
        return subprocess.Popen(
            ['bash', '-c', script],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**os.environ, 'ROS_LOG_DIR': str(folder / 'log'), **environment},
            start_new_session=True,
        )

    return start

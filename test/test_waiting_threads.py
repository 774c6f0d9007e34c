"""Threads of torch do not spin while they wait, because the package says so before torch comes."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize('set_by_user', ['', 'ACTIVE'])
def test_openmp_is_told_how_to_wait(set_by_user: str) -> None:
    """OpenMP prints what it has understood; what the user has set stays."""
    environment = {name: text for name, text in os.environ.items() if name != 'OMP_WAIT_POLICY'}
    if set_by_user:
        environment['OMP_WAIT_POLICY'] = set_by_user
    done = subprocess.run(
        [sys.executable, '-c', 'import mono_depth_ros, torch'],
        env=environment | {'OMP_DISPLAY_ENV': 'TRUE'},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    policy = set_by_user or 'PASSIVE'
    assert f"OMP_WAIT_POLICY = '{policy}'" in done.stdout + done.stderr

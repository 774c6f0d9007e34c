"""Hypothesis against messages, parameters and files, in processes with bounded memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('hypothesis')
HERE = Path(__file__).resolve().parent
LIMIT_BYTES = 2 * 1024**3
RUN = f"""
import resource, sys
import cv2, pytest, torch, hypothesis  # what they map is not of the cases
pages = int(open('/proc/self/statm').read().split()[0])
limit = pages * resource.getpagesize() + {LIMIT_BYTES}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(pytest.main(sys.argv[1:]))
"""


@pytest.mark.parametrize('kind', ['messages', 'files'])
def test_bad_input_costs_itself_only(kind: str) -> None:
    if not Path('/proc/self/statm').exists():
        pytest.skip('needs /proc to see how much memory there is before')
    options = ['-q', '--durations=10', '-p', 'no:cacheprovider']
    command = [sys.executable, '-c', RUN, str(HERE / f'fuzz_{kind}.py'), *options]
    # The domain of this run is taken; the process takes one of its own.
    environment = {name: value for name, value in os.environ.items() if name != 'ROS_DOMAIN_ID'}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]

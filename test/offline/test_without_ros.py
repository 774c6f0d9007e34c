"""A machine without ROS: whatever of it is asked for is missing, and bags work all the same."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from recordings import camera_bag

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'

WITHOUT_ROS = """
import sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        top = name.split('.')[0]
        if top.startswith(('rcl', 'ros', 'ament', 'rmw')) and top != 'rosbags':
            raise ModuleNotFoundError(name)
        if top.endswith(('_msgs', '_srvs', '_interfaces')):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoRos())
from mono_depth_ros.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(
    not WEIGHTS.is_file(), reason='needs the weights of encoder tiny in the package'
)
def test_a_bag_becomes_a_bag_without_ros(tmp_path: Path) -> None:
    bag, out = camera_bag(tmp_path / 'ride'), tmp_path / 'out'
    arguments = ['estimate', str(bag), '-o', str(out), '--encoder', 'tiny', '--scale', '0.5']
    run = subprocess.run(
        [sys.executable, '-c', WITHOUT_ROS, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert run.returncode == 0, run.stderr
    assert f'3 written to {out}' in run.stdout
    assert (out / 'ride_depth' / 'metadata.yaml').is_file()


def test_the_blocker_blocks() -> None:
    script = WITHOUT_ROS.replace('from mono_depth_ros.cli.main import main', 'import sensor_msgs')
    run = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, timeout=240
    )
    assert 'ModuleNotFoundError: sensor_msgs' in run.stderr

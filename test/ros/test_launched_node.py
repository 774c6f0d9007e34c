"""The node as `ros2 launch` starts it: built by colcon, in a process of its own, over DDS."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from harness import TIMEOUT_S, Graph, image, info_for, key, picture, plain_value, wait_until
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from sensor_msgs.msg import CameraInfo, Image

from mono_depth_ros.core.pipeline import Result

# `import launch` alone would find the folder launch/ of this repository.
pytest.importorskip('launch_ros.actions', reason='launch is not installed here (needs a ROS 2)')
if shutil.which('ros2') is None:
    pytest.skip('needs the command ros2, of a ROS 2 installation', allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
# A machine that trains beside this takes long to import torch.
START_S = 90.0


class Launched:
    """A running `ros2 launch` and what it printed."""

    def __init__(self, process: 'subprocess.Popen[bytes]', log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output, f'{text!r} printed', START_S)

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(TIMEOUT_S)

    def wait(self) -> int:
        return self._process.wait(START_S)


@pytest.fixture(scope='module')
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package with colcon; return the script that makes it known."""
    folder = tmp_path_factory.mktemp('workspace')
    bases = [f'--{kind}-base={folder / kind}' for kind in ('build', 'install')]
    colcon = [sys.executable, '-m', 'colcon', f'--log-base={folder / "log"}', 'build', *bases]
    done = subprocess.run(
        [*colcon, f'--paths={ROOT}'], capture_output=True, text=True, timeout=300, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / 'install' / 'local_setup.bash'


@pytest.fixture
def launch(workspace: Path, tmp_path: Path) -> Callable[..., Iterator[Launched]]:
    """Return a context manager that launches a file and leaves nothing running."""

    @contextmanager
    def start(file: str, *arguments: str) -> Iterator[Launched]:
        command = shlex.join(['ros2', 'launch', 'mono_depth_ros', file, *arguments])
        log = tmp_path / 'output.txt'
        with log.open('wb') as output:
            process = subprocess.Popen(
                ['bash', '-c', f'source {shlex.quote(str(workspace))} && exec {command}'],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=tmp_path,
                start_new_session=True,
            )
        try:
            yield Launched(process, log)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    return start


def test_launched_with_arguments_it_publishes_what_it_should(
    launch: Callable[..., Iterator[Launched]],
    graph: Graph,
    weights: Path,
    step: Callable[..., Result],
    tmp_path: Path,
) -> None:
    params = tmp_path / 'mine.yaml'
    params.write_text(
        '/**:\n  ros__parameters:\n    encoder: tiny\n    device: cpu\n    min_depth: 0.2\n'
        f'    checkpoint: {weights}\n    scale: 5.0\n'
    )
    arguments = ['namespace:=front', 'image_topic:=/eye/image_raw', 'scale:=2']
    with launch('mono.launch.py', f'params_file:={params}', *arguments) as launched:
        launched.wait_for('listening to /eye/image_raw and /eye/camera_info')

        names = GetParameters.Request(names=['scale', 'min_depth', 'encoder'])
        answer = graph.call(GetParameters, '/front/mono_depth/get_parameters', names)
        assert [plain_value(value) for value in answer.values] == [2.0, 0.2, 'tiny']
        state = graph.call(GetState, '/front/mono_depth/get_state', GetState.Request())
        assert state.current_state.label == 'active'

        depth = graph.listen('/front/mono_depth/depth/image_rect', Image)
        camera = graph.advertise('/eye/camera_info', CameraInfo)
        eye = graph.advertise('/eye/image_raw', Image)

        def answered() -> bool:
            sent = image()
            camera.publish(info_for(sent))
            eye.publish(sent)
            return bool(depth.all())

        wait_until(answered, 'depth of an image')
        got = depth.all()[0]
        assert got.header.frame_id == image().header.frame_id
        expected = step(picture(), info_for(got), scale=2.0, min_depth=0.2).depth
        values = np.frombuffer(got.data, np.float32).reshape(got.height, got.width)
        np.testing.assert_allclose(values, expected, rtol=1e-4, equal_nan=True)
        assert key(got) > (0, 0)

        assert launched.interrupt() == 0
        assert 'process has finished cleanly' in launched.output
        assert 'Traceback' not in launched.output


def test_a_parameter_that_cannot_be_ends_the_node_with_the_reason(
    launch: Callable[..., Iterator[Launched]], tmp_path: Path
) -> None:
    params = tmp_path / 'mine.yaml'
    params.write_text('/**:\n  ros__parameters:\n    autostart: false\n')
    with launch('mono.launch.py', f'params_file:={params}', 'encoder:=huge') as launched:
        launched.wait()
        assert "encoder is 'huge'; choose one of vits, vitb" in launched.output
        assert 'exit code 1' in launched.output
        assert 'Traceback' not in launched.output


def test_demo_starts_the_camera_and_the_node_on_it(
    launch: Callable[..., Iterator[Launched]],
) -> None:
    with launch('demo.launch.py', 'rviz:=false') as launched:
        launched.wait_for('loading encoder tiny')
        assert launched.interrupt() == 0
        assert launched.output.count('process has finished cleanly') == 2
        assert 'Traceback' not in launched.output

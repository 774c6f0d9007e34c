"""The real process: how it ends on signals, in every situation, and how it refuses to start."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from harness import TIMEOUT_S, Graph, image, picture, wait_until
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image

NODE = 'mono_depth_node'
CAMERA = 'simulated_stereo_camera'
# How long a signaled process may take: it waits at most one second for the frame in work.
SOON_S = 5.0


class Process:
    """A node as a process of its own, its output in a file."""

    def __init__(
        self, name: str, log: Path, args: list[str], arguments: Sequence[str] = ()
    ) -> None:
        self.log = log
        # What setuptools writes into the script of that name.
        script = (
            f'import sys; from mono_depth_ros.ros.entry_points import {name}; sys.exit({name}())'
        )
        with log.open('wb') as file:
            self.popen = subprocess.Popen(
                [sys.executable, '-c', script, *arguments, '--ros-args', *args],
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).resolve().parents[2],
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def until(self, text: str) -> None:
        """Wait until the process has said something."""
        # It imports torch and loads a network first, which other work may hold up.
        start_s = 3 * TIMEOUT_S
        wait_until(lambda: text in self.output or self.popen.poll() is not None, text, start_s)
        assert text in self.output, self.output

    def end(self, *signals: signal.Signals) -> None:
        """Send signals; the process must end at once, without complaint."""
        for number in signals:
            self.popen.send_signal(number)
        assert self.popen.wait(SOON_S) == 0, self.output
        assert 'Traceback' not in self.output
        assert 'ERROR' not in self.output
        assert 'terminate called' not in self.output


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes = []

    def started(name: str, *args: str) -> Process:
        processes.append(Process(name, tmp_path / f'{len(processes)}.log', list(args)))
        return processes[-1]

    yield started
    for process in processes:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait(TIMEOUT_S)


@pytest.fixture(scope='module')
def tiny(weights: Path) -> list[str]:
    return ['-p', 'encoder:=tiny', '-p', f"checkpoint:='{weights}'", '-p', 'scale:=1.0']


def until_gone(graph: Graph, namespace: str) -> None:
    """Wait until a node has left the graph; one that just vanished stays for 20 s."""
    nodes = graph.peer.node.get_node_names_and_namespaces
    wait_until(lambda: ('mono_depth', namespace) not in nodes(), 'left the graph', SOON_S)


def test_ctrl_c_while_active_even_twice(graph: Graph, start: Start, tiny: list[str]) -> None:
    process = start(NODE, *tiny, '-r', '__ns:=/twice')
    process.until('listening to /twice/image_raw')
    nodes = graph.peer.node.get_node_names_and_namespaces
    wait_until(lambda: ('mono_depth', '/twice') in nodes(), 'on the graph')
    process.end(signal.SIGINT, signal.SIGINT)
    until_gone(graph, '/twice')


def test_ctrl_c_while_torch_is_imported(start: Start) -> None:
    process = start(NODE)
    maps = Path(f'/proc/{process.popen.pid}/maps')
    if not maps.exists():
        pytest.skip('needs /proc to see what a process is doing')
    wait_until(lambda: 'libtorch' in maps.read_text(), 'torch imported')
    process.end(signal.SIGINT)
    assert process.output == ''


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_while_loading(start: Start, tiny: list[str], number: signal.Signals) -> None:
    # Warming up at this size takes most of a minute.
    process = start(NODE, *tiny, '-p', 'input_size:=2044')
    process.until('loading encoder tiny')
    process.end(number)
    assert 'ready on' not in process.output


def test_ctrl_c_while_a_transition_waits(graph: Graph, start: Start, tiny: list[str]) -> None:
    manual = ('-p', 'autostart:=false', '-r', '__ns:=/waiting')
    process = start(NODE, *tiny, '-p', 'input_size:=2044', *manual)
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    graph.ask(ChangeState, '/waiting/mono_depth/change_state', request)
    process.until('loading encoder tiny')
    process.end(signal.SIGINT)
    until_gone(graph, '/waiting')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_while_processing(
    graph: Graph, start: Start, tiny: list[str], number: signal.Signals
) -> None:
    namespace = f'/{number.name.lower()}'
    # A wide image takes many seconds where the one of warming up took a fraction of one.
    process = start(NODE, *tiny, '-r', f'__ns:={namespace}', '-p', 'input_size:=512')
    reports = graph.listen('/diagnostics', DiagnosticArray)
    graph.listen(f'{namespace}/mono_depth/depth/image_rect', Image)
    process.until('listening to')
    camera = graph.advertise(f'{namespace}/image_raw', Image)

    def is_at_work(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        processed = {pair.key: pair.value for pair in status.values}['frames processed']
        return namespace[1:] in status.name and (status.message, processed) == ('ok', '0')

    # Whether the node knows camera and listener already cannot be seen from outside.
    for _ in range(20):
        camera.publish(image(picture(40, 600)))
        known = len(reports.all())
        reports.wait(lambda _, known=known: len(reports.all()) > known)
        if any(map(is_at_work, reports.all())):
            break
    else:
        pytest.fail('the node does not begin to work')
    process.end(number)
    until_gone(graph, namespace)


def test_simulated_camera_ends_on_a_signal(graph: Graph, start: Start) -> None:
    images = graph.listen('/simulated/left/image_raw', Image)
    process = start(
        CAMERA, '-r', '__ns:=/simulated', '-p', 'width:=64', '-p', 'height:=48', '-p', 'seed:=4'
    )
    images.wait(lambda _: True)
    process.end(signal.SIGINT)


@pytest.mark.parametrize(
    ('args', 'reason'),
    [
        (['-p', 'max_depth:=80'], "Trying to set parameter 'max_depth' to '80' of type 'INTEGER'"),
        (['-p', 'cloud.stride:=65'], r'cloud\.stride out of range'),
        (['-p', 'encoder:=huge'], "encoder is 'huge'; choose one of"),
        (['-p', 'scale:=1.0'], r'scale is 1\.0 .* for a metric one use depth_scale'),
        (['--params-file', '/none.yaml'], 'RCLError: .*/none.yaml'),
        (['--no-such-flag'], 'UnknownROSArgsError: .*--no-such-flag'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '',
)
def test_bad_arguments_end_with_one_clear_line(
    capfd: pytest.CaptureFixture[str], args: list[str], reason: str
) -> None:
    # In this process: a new one for each would only import torch once more.
    from mono_depth_ros.ros.node import main

    assert main(['mono_depth_node', '--ros-args', *args]) == 1
    lines = capfd.readouterr().err.strip().splitlines()
    fatal = [line for line in lines if line.startswith('[FATAL]')]
    assert len(fatal) == 1
    assert re.search(reason, fatal[0])
    assert not any('Traceback' in line for line in lines)


def test_bad_argument_gives_exit_code_1(start: Start) -> None:
    process = start(NODE, '-p', 'max_depth:=80')
    assert process.popen.wait(TIMEOUT_S) == 1
    assert process.output.count('\n') == 1
    assert '[FATAL]' in process.output

"""One trial: cameras, one node or several, and a reader, for some seconds."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mono_depth_ros.ros.ros_domain import claimed_domain
from mono_depth_ros.ros.transport import PROFILE_VARIABLES

PROFILE = Path(__file__).resolve().parents[2] / 'config' / 'fastdds_large.xml'
END_S = 30.0
_TICKS = os.sysconf('SC_CLK_TCK')


@dataclass(frozen=True)
class Trial:
    """What is run.

    Attributes:
        cameras: Their names.
        size: (width, height) of their images [px].
        rate: Of each [Hz].
        output: What is read of each node: depth/image_rect or points.
        has_profile: Whether cameras and nodes have the Fast DDS profile, and whether the reader.
        is_shared: Whether one process has all nodes.
        parameters: Of the nodes.
    """

    cameras: tuple[str, ...] = ('camera',)
    size: tuple[int, int] = (640, 480)
    rate: float = 30.0
    output: str = 'depth/image_rect'
    has_profile: tuple[bool, bool] = (True, True)
    is_shared: bool = True
    parameters: tuple[str, ...] = ('encoder:=tiny', 'scale:=1.0', 'device:=cpu')


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial.

    Attributes:
        latencies_s: From stamp to receipt, by camera.
        sent: Images of each camera in that time.
        cpu_share: Of one core, all nodes together.
        memory_mb: Proportional memory of all nodes together, what they share counted once [MB].
        seconds: How long it took.
    """

    latencies_s: list[np.ndarray]
    sent: int
    cpu_share: float
    memory_mb: float
    seconds: float


def run(trial: Trial, seconds: float) -> Outcome:
    """Return what comes of a trial of so many seconds [s], after all have warmed up."""
    with claimed_domain() as domain, ExitStack() as stack:
        base = {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'OMP_NUM_THREADS': '1',
        }
        with_profile = {**base, **dict.fromkeys(PROFILE_VARIABLES, str(PROFILE))}
        environment, of_reader = (with_profile if has else base for has in trial.has_profile)
        nodes = [
            stack.enter_context(_process(command, environment)) for command in _commands(trial)
        ]
        topics = [f'{name}/mono_depth/{trial.output}' for name in trial.cameras]
        reads = ['benchmarks.latency.reader', ','.join(topics), str(seconds)]
        reader = stack.enter_context(_process(reads, of_reader))
        width, height = trial.size
        sends = [','.join(trial.cameras), f'{width}x{height}', str(trial.rate)]
        cameras = stack.enter_context(
            _process(['benchmarks.latency.cameras', *sends], environment)
        )
        if _line(reader) != 'ready\n':
            raise TimeoutError(f'no answer in {trial}')
        began_s, cpu_s = time.time(), sum(_cpu_s(node.pid) for node in nodes)
        received = json.loads(_line(reader))
        ended_s = time.time()
        cpu_s = sum(_cpu_s(node.pid) for node in nodes) - cpu_s
        memory_mb = sum(_proportional_mb(node.pid) for node in nodes)
        cameras.terminate()
        sent_s = np.array(json.loads(_line(cameras)))
    pairs = [np.array(received.get(topic, [])).reshape(-1, 2) for topic in topics]
    return Outcome(
        [pair[:, 0] - pair[:, 1] for pair in pairs],
        int(((sent_s >= began_s) & (sent_s < ended_s)).sum()),
        cpu_s / (ended_s - began_s),
        memory_mb,
        ended_s - began_s,
    )


def _commands(trial: Trial) -> Iterator[list[str]]:
    """Yield the module and arguments of each node's process."""
    parameters = [part for parameter in trial.parameters for part in ('-p', parameter)]
    if trial.is_shared:
        names = ','.join(trial.cameras)
        yield ['mono_depth_ros.ros.cameras', names, '--ros-args', *parameters]
        return
    for name in trial.cameras:
        rule = f'__ns:=/{name}'
        yield ['mono_depth_ros.ros.node', '--ros-args', '-r', rule, *parameters]


@contextmanager
def _process(
    command: Sequence[str], environment: dict[str, str]
) -> Iterator['subprocess.Popen[str]']:
    process = subprocess.Popen(
        [sys.executable, '-m', *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(END_S)


def _line(process: 'subprocess.Popen[str]') -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process [s]."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _proportional_mb(pid: int) -> float:
    """Return the memory of a process [MB]; of pages that others have, too, its share."""
    lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith('Pss:')) / 1e3

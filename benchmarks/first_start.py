"""A start of the network in PyTorch, and the first and the next one in a runtime.

`python -m benchmarks.first_start --encoder vits`: each start is a process of its own, which loads
the same random weights as the node does, self-test included; the cache is empty before the first
start of a runtime. Whole processes are timed, imports included.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file

from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.network_settings import EstimatorSettings

from .measuring import machine

VARIANT, MAX_DEPTH = 'metric_indoor', 20.0
RUNTIMES = ('onnx', 'openvino')


def start(encoder: str, checkpoint: str, backend: str) -> None:
    """Load the network as a node does.

    Raises:
        RuntimeWarning: The backend cannot be used.
    """
    warnings.simplefilter('ignore')  # of weights that seem untrained
    warnings.filterwarnings('error', 'backend .* is not used', RuntimeWarning)
    load_estimator(EstimatorSettings(encoder, VARIANT, checkpoint, device='cpu', backend=backend))


def timed_start(encoder: str, checkpoint: Path, backend: str, cache: Path) -> tuple[float, float]:
    """Return seconds by the clock and of CPU time of a start in a process of its own."""
    command = [sys.executable, '-m', __spec__.name, '--encoder', encoder]
    command += ['--start', str(checkpoint), backend]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env={**os.environ, 'XDG_CACHE_HOME': str(cache)})
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Be a start, or time all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--encoder', choices=('vits', 'vitb', 'tiny'), default='vits')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--start', nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.start:
        start(arguments.encoder, *arguments.start)
        return
    torch.manual_seed(0)
    network = build_network(arguments.encoder, VARIANT, MAX_DEPTH)
    table = Table(title=f'{arguments.encoder}, starts', caption=machine(torch.device('cpu')))
    for column in ('round', 'start', 'wall [s]', 'CPU time [s]'):
        table.add_column(column, justify='right')
    with TemporaryDirectory() as folder:
        checkpoint = Path(folder) / 'random.safetensors'
        save_file(network.state_dict(), checkpoint)
        for number in range(arguments.rounds):
            cache = Path(folder) / f'cache{number}'
            starts = {'torch': 'torch'}
            starts |= {f'{b}, {which}': b for b in RUNTIMES for which in ('first', 'next')}
            for name, backend in starts.items():
                own = cache / backend
                taken = timed_start(arguments.encoder, checkpoint, backend, own)
                table.add_row(str(number), name, *(f'{seconds:.1f}' for seconds in taken))
    Console(width=110).print(table)


if __name__ == '__main__':
    main()

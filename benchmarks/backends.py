"""Our network in PyTorch and in other runtimes: python -m benchmarks.backends --encoder vits.

Each candidate has a process of its own with the same random weights, and they take turns: the
usual eager code (see `network`), our network with OpenMP's threads waiting as by default (they
spin) and asleep, and exported in ONNX Runtime and OpenVINO. `--burners` adds processes that
compute for nothing.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from mono_depth_ros.core.devices import keep_freed_memory
from mono_depth_ros.core.network.cards.session import open_session
from mono_depth_ros.core.network.depth_anything import PRESETS
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.onnx_writer import ExportedForm, write_model

from .measuring import machine, size
from .network import TOLERANCE, made_eager

CANDIDATES = ('eager', 'spinning', 'ours', 'onnx', 'openvino')
_SPINNING = ('eager', 'spinning')
_PROVIDERS = {'onnx': 'cpu', 'openvino': 'openvino'}


def prediction_of(name: str, encoder: str, shape: tuple[int, int]) -> Callable[[], torch.Tensor]:
    """Return what a candidate does with one random image of (width, height) [px]."""
    torch.manual_seed(0)
    network = build_network(encoder, 'metric_indoor', 20.0).eval()
    if encoder == 'zipdepth':
        torch.nn.init.constant_(network.get_parameter('head.bias'), 5.0)  # above the last ReLU
    image = torch.randn((1, *shape[::-1], 3)).permute(0, 3, 1, 2)  # as the node makes it
    if name == 'eager':
        eager = made_eager(network)
        return lambda: eager(image)
    if name in _PROVIDERS:
        with TemporaryDirectory() as folder:
            path = Path(folder) / 'network.onnx'
            write_model(network, ExportedForm(), path)
            session = open_session(path, _PROVIDERS[name])
        return lambda: session.run({'image': image}, ['depth'])[0]
    ours = network.to(memory_format=torch.channels_last)
    return lambda: ours(image)


def serve(predict: Callable[[], torch.Tensor], file: str) -> None:
    """Save a prediction, then answer each line with seconds by the clock and of CPU time."""
    keep_freed_memory()  # as the node does
    with torch.inference_mode():
        np.save(file, predict().numpy())
        print('ready', flush=True)
        for line in sys.stdin:
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(int(line)):
                predict()
            print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)


@contextmanager
def process_of(name: str, options: list[str], file: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a candidate, and wait until it is ready."""
    environment = dict(os.environ)
    environment.pop('OMP_WAIT_POLICY', None)
    if name not in _SPINNING:
        environment['OMP_WAIT_POLICY'] = 'PASSIVE'
    command = [sys.executable, '-m', __spec__.name, *options, '--serve', name, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as made:
        assert made.stdout is not None
        assert made.stdin is not None
        if made.stdout.readline() != 'ready\n':
            raise RuntimeError(f'{name} did not start')
        try:
            yield made
        finally:
            made.stdin.close()


@contextmanager
def burners(count: int) -> Iterator[None]:
    """Keep cores busy."""
    made = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(count)]
    try:
        yield
    finally:
        for process in made:
            process.kill()


def turn(process: subprocess.Popen[str], repeat: int) -> list[float]:
    """Have a candidate predict; return seconds by the clock and of CPU time, of one prediction."""
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(f'{repeat}\n')
    process.stdin.flush()
    return [float(text) / repeat for text in process.stdout.readline().split()]


def main() -> int:
    """Be a candidate, or compare all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--encoder', choices=[*PRESETS, 'zipdepth', 'tiny'], default='vits')
    parser.add_argument('--size', type=size, default=(686, 518), help='of its multiple')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--repeat', type=int, default=1, help='predictions of a turn')
    parser.add_argument('--burners', type=int, default=0)
    parser.add_argument('--candidates', nargs='+', choices=CANDIDATES, default=CANDIDATES)
    parser.add_argument('--serve', nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        name, file = arguments.serve
        serve(prediction_of(name, arguments.encoder, arguments.size), file)
        return 0
    return compare(arguments)


def compare(arguments: argparse.Namespace) -> int:
    """Run all candidates; return 1 if their outputs differ."""
    width, height = arguments.size
    options = ['--encoder', arguments.encoder, '--size', f'{width}x{height}']
    names = arguments.candidates
    with TemporaryDirectory() as folder, ExitStack() as stack:
        files = {name: Path(folder) / f'{name}.npy' for name in names}
        running = {n: stack.enter_context(process_of(n, options, files[n])) for n in names}
        outputs = [np.load(file) for file in files.values()]
        times: dict[str, list[list[float]]] = {name: [] for name in names}
        with burners(arguments.burners):
            for _ in range(arguments.rounds):
                for name, process in running.items():
                    times[name].append(turn(process, arguments.repeat))
            where = machine(torch.device('cpu'))
    title = (
        f'{arguments.encoder} {width}x{height} fp32, {arguments.rounds} rounds of '
        f'{arguments.repeat} in turns, {arguments.burners} burners'
    )
    print_table(title, where, {name: np.array(pairs) for name, pairs in times.items()})
    difference = max(float((np.abs(o - outputs[0]) / outputs[0]).max()) for o in outputs)
    print(f'largest relative difference of the outputs: {difference:.1e} (<= {TOLERANCE})')
    return int(not difference <= TOLERANCE)


def print_table(title: str, where: str, times: dict[str, np.ndarray]) -> None:
    """Print medians and minima, and how many times as fast as the first each is."""
    table = Table(title=title, caption=where)
    table.add_column('network')
    for column in ('median [s]', 'least', 'CPU time, median [s]', 'least', 'times as fast'):
        table.add_column(column, justify='right')
    rows = {
        name: [np.median(t[:, 0]), t[:, 0].min(), np.median(t[:, 1]), t[:, 1].min()]
        for name, t in times.items()
    }
    first = next(iter(rows.values()))
    for name, row in rows.items():
        ratios = ' '.join(f'{a / b:.2f}' for a, b in zip(first, row, strict=True))
        table.add_row(name, *(f'{figure:.3f}' for figure in row), ratios)
    Console(width=110).print(table)


if __name__ == '__main__':
    sys.exit(main())

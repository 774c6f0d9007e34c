"""A GPU, checked and timed in one go: python -m benchmarks.gpu writes results/gpu-<card>.json.

It brings the tables of docs/speed.md up to date, too. It needs torch, NumPy, OpenCV, rich, PyYAML,
safetensors, huggingface_hub, filelock, plyfile and imagesize. What else is missing is marked "not
run": pytest (for the tests that need CUDA), ONNX Runtime, and rclpy with the message packages (for
the time from stamp to receipt). Of all these a machine with a torch of its own may lack the last
three; they are wheels that can be carried there. Weights are random, since neither speed nor the
agreement of half precision depends on them. `--device cpu` tries the script out where there is no
GPU, and writes nothing.
"""

import argparse
import datetime
import json
import platform
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from mono_depth_ros.core.devices import find_precision
from mono_depth_ros.core.network.cuda_graphs import GraphedNetwork
from mono_depth_ros.core.network.depth_anything import DepthAnything
from mono_depth_ros.core.network.families import Network, build_network

from .gpu_frames import frames, overlap, quantiles, stamp_to_receipt
from .gpu_tables import NOT_RUN, PAGE, TARGETS_MS, updated_page
from .measuring import machine

RESULTS = Path(__file__).resolve().parent / 'results'
ROOT = Path(__file__).resolve().parents[1]
SIZE = 518, 686
"""(height, width) of the input that the targets are for; ZipDepth takes multiples of 32."""
ENCODERS = ('tiny', 'zipdepth', 'vits', 'vitb', 'vitl')
BATCHES = (1, 4)
TESTS = (
    *('test/core/test_devices.py', 'test/core/camera/test_rectification.py'),
    *('test/core/network/test_estimator.py', 'test/core/network/test_cuda_graphs.py'),
    *('test/core/network/test_preprocessing.py', 'test/core/test_cpu_pixels.py'),
    *('test/core/outputs/test_voxel_thinning.py', 'test/core/test_overlap.py'),
)
TESTS_S = 150.0
AGREEMENT = 0.1
"""Most that half precision or a graph may differ, of the standard deviation of the output. On a
CPU, at 96x64 and 256x192, fp16 differs by 0.002 (tiny, zipdepth, vits) and 0.013 to 0.017 (vitb),
bf16 by 0.014 to 0.019 and 0.056 to 0.065."""


def main() -> int:
    """Check and time; return 1 if a check fails or a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--rounds', type=int, default=100)
    parser.add_argument('--encoders', default=','.join(ENCODERS))
    arguments = parser.parse_args()
    device, rounds, began_s = torch.device(arguments.device), arguments.rounds, time.monotonic()
    card = torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.machine()
    path = RESULTS / f'gpu-{re.sub("[^a-z0-9]+", "-", card.lower())}.json'
    names = arguments.encoders.split(',')
    found: dict[str, Any] = {'date': str(datetime.date.today()), 'machine': machine(device)}
    parts: dict[str, Callable[[], Any]] = {
        'tests': partial(tests, device),
        'onnx_runtime': providers,
        'network': lambda: [row for name in names for row in network(name, device, rounds)],
        'frame': lambda: [*frames(device, rounds)],
        'overlap': partial(overlap, device, rounds),
        'stamp_to_receipt': partial(stamp_to_receipt, device),
    }
    for name, part in parts.items():
        found[name] = outcome(part)
        found['seconds'] = round(time.monotonic() - began_s, 1)
        if device.type == 'cuda':  # after each part: a machine that is taken away costs one
            path.write_text(json.dumps(found, indent=1) + '\n')
            PAGE.write_text(updated_page(PAGE.read_text(), found))
    Console().print_json(json.dumps(found))
    return int(has_failed(found))


def outcome(part: Callable[[], Any]) -> Any:
    """Return what a part finds, or why it failed; the others are measured nonetheless."""
    try:
        return part()
    except Exception as error:
        return {'failed': repr(error)}


def has_failed(found: dict[str, Any]) -> bool:
    """Return whether a part failed, a check did, or a target was missed."""
    parts = [part for part in found.values() if isinstance(part, dict)]
    rows = found['network'] if isinstance(found['network'], list) else []
    is_missed = any(row.get('is_missed') or row['is_wrong'] for row in rows)
    return is_missed or any('failed' in part or part.get('status', 0) != 0 for part in parts)


def tests(device: torch.device) -> dict[str, Any]:
    """Return how the tests that need CUDA end."""
    if device.type != 'cuda':
        return {'said': NOT_RUN}
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *TESTS]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TESTS_S)
    except subprocess.TimeoutExpired:
        return {'status': 1, 'said': f'not through after {TESTS_S:.0f} s'}
    if 'No module named pytest' in done.stderr:
        return {'said': f'{NOT_RUN}: no pytest here'}
    return {'status': done.returncode, 'said': done.stdout.strip().splitlines()[-15:]}


def providers() -> Any:
    """Return what ONNX Runtime has here."""
    try:
        import onnxruntime
    except ImportError:
        return NOT_RUN
    return {'version': onnxruntime.__version__, 'providers': onnxruntime.get_available_providers()}


def random_network(name: str) -> Network:
    """Return a network with the same random weights each time, whose output is no constant."""
    torch.manual_seed(0)
    network = build_network(name).eval().requires_grad_(False)
    if isinstance(network, DepthAnything):  # whose last layer would be below 0 everywhere
        network.depth_head.scratch.output_conv2[-1].bias += 0.1
    return network


@torch.inference_mode()
def network(name: str, device: torch.device, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield the times of a network, eager and recorded, and how near half precision is."""
    precision = find_precision('auto', device)
    network = random_network(name).to(device)
    multiple = network.sampling.multiple
    size = [-(-n // multiple) * multiple for n in SIZE]
    image = torch.randn(1, 3, *size, device=device)
    exact = network(image).float()
    network.to(precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = image.to(precision)
    made = network(image)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        graphed = GraphedNetwork(network)
        recorded = graphed(image)
    differs, graph_differs = difference(made, exact), difference(recorded, made)
    for batch in BATCHES:
        inputs = image.expand(batch, -1, -1, -1).contiguous()
        row: dict[str, Any] = {
            'encoder': name,
            'input': 'x'.join(map(str, size[::-1])),
            'batch': batch,
            'precision': str(precision).removeprefix('torch.'),
            'half_precision_differs': differs,
            'graph_differs': graph_differs,
            'graph': '; '.join(str(it.message) for it in caught) or 'recorded',
            'eager_ms': quantiles(partial(network, inputs), device, rounds),
            'graph_ms': quantiles(partial(graphed, inputs), device, rounds),
        }
        if batch == 1 and name in TARGETS_MS:
            row['target_ms'] = TARGETS_MS[name]
            row['is_missed'] = device.type == 'cuda' and row['graph_ms']['p50'] > row['target_ms']
        row['is_wrong'] = not max(differs, graph_differs) <= AGREEMENT
        yield row


def difference(result: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the mean difference by the standard deviation of `expected`; NaN for constants."""
    result, expected = result.float(), expected.float()
    return float((result - expected).abs().mean() / expected.std())


if __name__ == '__main__':
    sys.exit(main())

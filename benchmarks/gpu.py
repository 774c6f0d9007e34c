"""A GPU, checked and timed in one go: python -m benchmarks.gpu writes results/gpu-<card>.json.

It needs the package's own requirements, and pytest for the tests that need CUDA; what is missing
is marked "not run". Weights are random, since neither speed nor the agreement of half precision
depends on them. `--device cpu` tries the script out where there is no GPU.
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

import numpy as np
import torch
from rich.console import Console

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.devices import find_precision
from mono_depth_ros.core.network.batching import Overlap
from mono_depth_ros.core.network.cuda_graphs import GraphedNetwork, use_graph
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.predicted_frame import Predicting
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings

from .frame import FOV_DEG, calibration_of, stages
from .measuring import machine

RESULTS = Path(__file__).resolve().parent / 'results'
ROOT = Path(__file__).resolve().parents[1]
NOT_RUN = 'not run'
SIZE = 518, 686
"""(height, width) of the input that the targets are for; ZipDepth takes multiples of 32."""
TARGETS_MS = {'vits': 2.0, 'vitb': 3.5, 'vitl': 7.0, 'zipdepth': 1.0}
"""On an H100 or H200."""
ENCODERS = ('tiny', 'zipdepth', 'vits', 'vitb', 'vitl')
OVERLAPPED = 'vits'
BATCHES = (1, 4)
IMAGES = ((640, 480), (1920, 1080))
WARM_UPS = 5
TESTS = (
    *('test/core/test_devices.py', 'test/core/camera/test_rectification.py'),
    *('test/core/network/test_estimator.py', 'test/core/network/test_cuda_graphs.py'),
    *('test/core/network/test_preprocessing.py', 'test/core/test_cpu_pixels.py'),
    *('test/core/outputs/test_voxel_thinning.py', 'test/core/test_overlap.py'),
)
TESTS_S = 180.0


def main() -> int:
    """Check and time; return 1 if a check fails or a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--rounds', type=int, default=100)
    parser.add_argument('--encoders', default=','.join(ENCODERS))
    arguments = parser.parse_args()
    device, began_s = torch.device(arguments.device), time.monotonic()
    card = torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.machine()
    console = Console()
    found: dict[str, Any] = {
        'date': str(datetime.date.today()),
        'machine': machine(device),
        'tests': tests(device),
        'onnx_runtime': providers(),
    }
    found['network'] = list(networks(arguments.encoders.split(','), device, arguments.rounds))
    found['frame'] = list(frames(device, arguments.rounds))
    found['overlap'] = overlap(device, arguments.rounds)
    found['seconds'] = round(time.monotonic() - began_s, 1)
    path = RESULTS / f'gpu-{re.sub("[^a-z0-9]+", "-", card.lower())}.json'
    if device.type == 'cuda':
        path.write_text(json.dumps(found, indent=1) + '\n')
    console.print_json(json.dumps(found))
    missed = [row for row in found['network'] if row.get('is_missed') or row.get('is_wrong')]
    return int(bool(missed) or found['tests'].get('status', 0) != 0)


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


@torch.inference_mode()
def networks(names: list[str], device: torch.device, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield the times of each network, eager and recorded, and how near half precision is."""
    precision = find_precision('auto', device)
    for name in names:
        torch.manual_seed(0)
        exact = build_network(name).eval().requires_grad_(False).to(device)
        multiple = exact.sampling.multiple
        size = [-(-n // multiple) * multiple for n in SIZE]
        image = torch.randn(1, 3, *size, device=device)
        expected = exact(image).float()
        network = exact.to(precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
        error = (network(image.to(precision)).float() - expected).abs().mean()
        share = float(error / expected.abs().mean().clamp(min=1e-6))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            graphed = GraphedNetwork(network)
            differs = float(
                (graphed(image.to(precision)) - network(image.to(precision))).abs().max()
            )
        for batch in BATCHES:
            inputs = image.to(precision).expand(batch, -1, -1, -1).contiguous()
            row: dict[str, Any] = {
                'encoder': name,
                'input': 'x'.join(map(str, size[::-1])),
                'batch': batch,
                'precision': str(precision).removeprefix('torch.'),
                'half_precision_differs': share,
                'graph_differs': differs,
                'graph': '; '.join(str(it.message) for it in caught) or 'recorded',
                'eager_ms': quantiles(partial(network, inputs), device, rounds),
                'graph_ms': quantiles(partial(graphed, inputs), device, rounds),
            }
            target = TARGETS_MS.get(name) if batch == 1 else None
            if target is not None:
                row['target_ms'] = target
                row['is_missed'] = device.type == 'cuda' and row['graph_ms']['p50'] > target
            row['is_wrong'] = share > 0.05
            yield row


def frames(device: torch.device, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield the times of what is before and after the network, and of whole steps."""
    for width, height in IMAGES:
        for stage, run in stages('tiny', width, height, device).items():
            yield {
                'image': f'{width}x{height}',
                'stage': stage,
                'ms': quantiles(run, device, max(3, rounds // 4)),
            }


def overlap(device: torch.device, rounds: int) -> dict[str, Any]:
    """Return how many frames go through in a second, each alone and each begun before the last.

    A frame is one at 640x480, depth, colored cloud and color, and a copy as their messages take.
    """
    width, height = IMAGES[0]
    network = build_network(OVERLAPPED, 'metric_indoor', 20.0)
    estimator = TorchEstimator(network, device, find_precision('auto', device))
    use_graph(estimator)
    pipeline = Pipeline(estimator, PipelineSettings())
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    calibration = calibration_of(PinholeCamera.from_fov(width, height, FOV_DEG))
    wanted = Output.DEPTH | Output.POINTS | Output.COLOR

    def frame() -> Predicting[None]:
        result = yield from pipeline.begin_step(image, calibration, wanted)
        for array in (result.depth, result.points, result.color):
            if array is not None:
                array.tobytes()

    def run(frames: Overlap, is_next_waiting: bool) -> None:
        frames.begin([frame()])
        if not is_next_waiting:
            frames.finish()

    found: dict[str, Any] = {'image': f'{width}x{height}', 'encoder': OVERLAPPED}
    for name, is_next_waiting in (('each_alone', False), ('overlapped', True)):
        frames = Overlap()
        for count in (WARM_UPS, rounds):
            began = time.perf_counter()
            for _ in range(count):
                run(frames, is_next_waiting)
            frames.finish()
            found[f'{name}_hz'] = round(count / (time.perf_counter() - began), 2)
    return found


def quantiles(run: Callable[[], object], device: torch.device, rounds: int) -> dict[str, float]:
    """Return p50 and p99 of the time of calls, each waited for [ms]."""
    taken = []
    for _ in range(WARM_UPS + rounds):
        began = time.perf_counter()
        run()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        taken.append(1e3 * (time.perf_counter() - began))
    p50, p99 = np.quantile(taken[WARM_UPS:], (0.5, 0.99))
    return {'p50': round(float(p50), 3), 'p99': round(float(p99), 3)}


if __name__ == '__main__':
    sys.exit(main())

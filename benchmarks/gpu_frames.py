"""What a GPU takes for whole frames: each step, with overlap, and from stamp to receipt."""

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.devices import find_precision
from mono_depth_ros.core.network.batching import Overlap
from mono_depth_ros.core.network.cuda_graphs import use_graph
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.predicted_frame import Predicting
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings

from .frame import FOV_DEG, calibration_of, stages
from .gpu_tables import NOT_RUN

ENCODER = 'vits'
IMAGES = ((640, 480), (1920, 1080))
WARM_UPS = 5
LATENCY_S = 10.0


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
    network = build_network(ENCODER, 'metric_indoor', 20.0)
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

    found: dict[str, Any] = {'image': f'{width}x{height}', 'encoder': ENCODER}
    for name, is_next_waiting in (('each_alone', False), ('overlapped', True)):
        frames = Overlap()
        for count in (WARM_UPS, rounds):
            began = time.perf_counter()
            for _ in range(count):
                run(frames, is_next_waiting)
            frames.finish()
            found[f'{name}_hz'] = round(count / (time.perf_counter() - began), 2)
    return found


def stamp_to_receipt(device: torch.device) -> dict[str, Any]:
    """Return what a reader in another process waits for, of a camera at 30 Hz over DDS [ms]."""
    if find_spec('rclpy') is None:
        return {'said': f'{NOT_RUN}: no rclpy here'}
    from .latency.trial import Trial, run

    with TemporaryDirectory() as folder:
        weights = Path(folder) / 'random.safetensors'
        network = build_network(ENCODER, 'metric_indoor', 20.0)
        save_file({name: it.contiguous() for name, it in network.state_dict().items()}, weights)
        which = f'encoder:={ENCODER}', 'variant:=metric_indoor', f'checkpoint:={weights}'
        outcome = run(Trial(parameters=(*which, f'device:={device}')), LATENCY_S)
    (latencies_s,) = outcome.latencies_s
    p50, p99 = (round(1e3 * float(q), 2) for q in np.quantile(latencies_s, (0.5, 0.99)))
    return {'p50': p50, 'p99': p99, 'answered': round(len(latencies_s) / outcome.sent, 3)}


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

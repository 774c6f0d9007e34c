"""One frame, stage by stage: python -m benchmarks.frame --encoder vits --size 640x480.

The weights are random, since speed does not depend on them; what follows the network works on the
depth of a made room, since a cloud's cost depends on how much of it is known.
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.devices import find_device, find_precision, keep_freed_memory, one_thread
from mono_depth_ros.core.network.checkpoints.table import ENCODERS
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.families import build_network
from mono_depth_ros.core.network.prediction import Prediction, metric_prediction
from mono_depth_ros.core.network.preprocessing import network_input
from mono_depth_ros.core.outputs.cloud import CloudSettings, pack_cloud
from mono_depth_ros.core.outputs.colormap import ColormapSettings, paint_depth
from mono_depth_ros.core.outputs.depth_frame import clip_range
from mono_depth_ros.core.outputs.edge_filter import remove_flying_pixels
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.types import PredictionKind

from .measuring import in_turns, machine, size

AFTER = 'after the network: depth, colored cloud, color, camera_info'
BEFORE = 'image prepared, prediction resized: in both below'
BUDGETS_MS = {'preprocess': 12.0, 'edge filter alone': 3.0, AFTER: 10.0}
FOV_DEG = 70.0
THIN_M = 0.041


class Room:
    """An estimator whose network has always just answered; only its answer is resized.

    Args:
        depth: (1, 1, H, W) [m], at network size.
    """

    kind = PredictionKind.DEPTH
    needs_camera = False

    def __init__(self, depth: torch.Tensor) -> None:
        self.device = depth.device
        self._depth = depth

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the depth."""
        return self._depth.shape[2], self._depth.shape[3]

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        """Return the depth, resized as `TorchEstimator` does."""
        return [metric_prediction(resized_back(self._depth, size), 20.0) for _ in images]


def room_depth(camera: PinholeCamera, rng: np.random.Generator) -> torch.Tensor:
    """Return (H, W) [m]: floor 1 m below, wall 6 m ahead, a box 2 m ahead, noise of 0.2 %."""
    x, y = camera.rays().numpy()
    depth = np.minimum(np.where(y > 0, 1 / np.maximum(y, 1e-6), np.inf), 6)
    depth[(abs(x - 0.2) < 0.15) & (y > -0.1) & (y < 0.5)] = 2
    noisy = depth * rng.normal(1, 0.002, depth.shape)
    return torch.from_numpy(noisy.astype(np.float32))


def resized_back(prediction: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return (*size) of (1, 1, H, W)."""
    return F.interpolate(prediction, size, mode='bilinear', align_corners=True)[0, 0]


def calibration_of(camera: PinholeCamera) -> CameraCalibration:
    """Return the calibration of an image that needs no rectification."""
    k = ((camera.fx, 0, camera.cx), (0, camera.fy, camera.cy), (0, 0, 1))
    p = tuple((*row, 0) for row in k)
    identity = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    return CameraCalibration(camera.width, camera.height, k, (), 'plumb_bob', identity, p)


def stages(
    encoder: str, width: int, height: int, device: torch.device
) -> dict[str, Callable[[], object]]:
    """Return what a frame of that size goes through, in its order; then the same in one step."""
    precision = find_precision('auto', device)
    network = build_network(encoder, 'metric_indoor', 20.0)
    estimator = TorchEstimator(network, device, precision)
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (height, width, 3), np.uint8)
    rgb = torch.from_numpy(frame).to(device)
    at = estimator.network_size(height, width)
    image = network_input(rgb, at, estimator.sampling)

    camera = PinholeCamera.from_fov(width, height, FOV_DEG)
    prediction = room_depth(camera.resized(at[1], at[0]), rng)[None, None].to(device)
    depth = resized_back(prediction, (height, width))
    settings = PipelineSettings()
    inverse_depth = depth.reciprocal()

    def edges_and_gate() -> torch.Tensor:
        clean = remove_flying_pixels(inverse_depth, settings.edge_filter)
        return clip_range(clean, settings.min_depth, settings.max_depth)

    clean = edges_and_gate()
    rays = camera.rays(device)
    after = Pipeline(Room(prediction), settings)
    calibration = calibration_of(camera)
    wanted = Output.DEPTH | Output.POINTS | Output.COLOR

    thin = {
        keep: CloudSettings(voxel_size=THIN_M, voxel_keep=keep) for keep in ('nearest', 'centroid')
    }
    after_thin = Pipeline(Room(prediction), PipelineSettings(cloud=thin['nearest']))
    return {
        'preprocess': lambda: network_input(rgb, at, estimator.sampling),
        f'network ({encoder}, {at[1]}x{at[0]}, {precision})': lambda: estimator.network(
            image.to(precision)
        ),
        'resize back': lambda: resized_back(prediction, (height, width)),
        'edge filter alone': lambda: remove_flying_pixels(inverse_depth, settings.edge_filter),
        'edge filter and gate': edges_and_gate,
        'cloud, colored': lambda: pack_cloud(clean, rays, rgb, settings.cloud),
        'cloud, nearest point in 4.1 cm': lambda: pack_cloud(clean, rays, rgb, thin['nearest']),
        'cloud, centroid in 4.1 cm': lambda: pack_cloud(clean, rays, rgb, thin['centroid']),
        'color map': lambda: paint_depth(clean, ColormapSettings()),
        BEFORE: lambda: after.predict(frame, calibration, 0),
        AFTER: lambda: after.step(frame, calibration, wanted),
        f'{AFTER}, thinned to {_size(after_thin, frame, calibration)} points': lambda: (
            after_thin.step(frame, calibration, wanted)
        ),
    }


def _size(pipeline: Pipeline, frame: np.ndarray, calibration: CameraCalibration) -> int:
    points = pipeline.step(frame, calibration, Output.POINTS).points
    return 0 if points is None else len(points)


def alone(stage: Callable[[], object]) -> Callable[[], object]:
    """Return the stage held to one thread."""

    def run() -> object:
        with one_thread():
            return stage()

    return run


def main() -> None:
    """Measure every stage in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--encoder', choices=ENCODERS, default='vits')
    parser.add_argument('--size', type=size, default=(640, 480), help='of the image')
    parser.add_argument('--frames', type=int, default=15)
    parser.add_argument('--device', default='auto')
    arguments = parser.parse_args()
    device = find_device(arguments.device)
    keep_freed_memory()
    with torch.inference_mode():
        torch.manual_seed(0)
        made = stages(arguments.encoder, *arguments.size, device)
        by_all = in_turns(made, arguments.frames, device)
        by_one = in_turns({name: alone(made[name]) for name in made}, arguments.frames, device)

    width, height = arguments.size
    table = Table(title=f'{width}x{height}, {arguments.frames} frames', caption=machine(device))
    table.add_column('stage')
    for column in (
        'all threads\nmedian',
        'p90',
        'one thread\nmedian',
        'p90',
        'least CPU time',
        'budget',
    ):
        table.add_column(f'{column} [ms]', justify='right')
    for name in made:
        cells = [
            f'{1000 * quantile:.2f}'
            for times in (by_all[name], by_one[name])
            for quantile in np.quantile(times.wall, (0.5, 0.9))
        ]
        budget = next((ms for start, ms in BUDGETS_MS.items() if name.startswith(start)), None)
        cpu = f'{1000 * by_one[name].cpu.min():.2f}'
        table.add_row(name, *cells, cpu, f'{budget:.0f}' if budget else '')
    Console(width=120).print(table)


if __name__ == '__main__':
    main()

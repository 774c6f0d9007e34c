"""False obstacles on an empty floor, and what dropping specks costs in rooms with chairs.

python -m benchmarks.empty_floor [--frames N] [--min-cell-points 0 3 6] [--max-new-cells 4 30]

A camera of 320x240 px (75 degrees) drives in a circle through rooms with nothing in them, and
through others with chairs and tables, at 5 images a second. Depth is that of the embedded network,
by stereo (12 cm, uncertainty_limit 0.05) or with no sensor but the height of the camera. What
`points_nonground` marks by the rules of config/nav2_voxel_layer.yaml is compared with the truth:
cells more than 0.1 m from a true surface are false; they appear if none was marked beside them one
image before.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.evaluation.costmap import Cells, VoxelLayer, near_cells
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.outputs.ground_plane import GroundFinder, GroundPlane
from mono_depth_ros.core.outputs.output_settings import GroundSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.simulation.builder import Builder
from mono_depth_ros.simulation.furniture import chair, table
from mono_depth_ros.simulation.plan import lamp_color
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.rig import StereoRig
from mono_depth_ros.simulation.scene import Scene

from .alignment.table import table as text_table
from .measuring import machine

RATE_HZ, SPEED_M_S, RADIUS_M = 5.0, 0.5, 1.2
HEIGHTS_M = (0.3, 0.5, 0.8, 0.4)
"""Of the camera, one for each room."""
FIRST_SEED = 2**41
RIG = StereoRig(PinholeCamera.from_fov(320, 240, 75.0), 0.12)
MARKED = Output.POINTS_NONGROUND


def main() -> None:
    """Print what is marked, by room, sensor and number of points."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=int, default=25, help='of each room (default: 25)')
    parser.add_argument('--min-cell-points', type=int, nargs='+', default=[0, 3, 6])
    parser.add_argument('--max-new-cells', type=int, nargs='+', default=[4, 30])
    arguments = parser.parse_args()
    grounds = [GroundSettings(min_cell_points=n) for n in arguments.min_cell_points]
    grounds += [GroundSettings(max_new_cells=n) for n in arguments.max_new_cells]
    counts: dict[tuple[str, str, GroundSettings], Counter[str]] = {}
    for kind, first_seed in (('empty', 0), ('chairs', 100)):
        for k, height_m in enumerate(HEIGHTS_M):
            scene = room(first_seed + k, is_empty=kind == 'empty')
            for sensor in ('disparity', 'ground'):
                for ground, found in drive(
                    scene, height_m, sensor, arguments.frames, grounds
                ).items():
                    counts.setdefault((kind, sensor, ground), Counter()).update(found)
    print(f'{machine(torch.device("cpu"))}\n')
    print(text_table(['rooms', 'sensor', *SETTINGS, *NUMBERS], _rows(counts)))


def room(seed: int, is_empty: bool) -> Scene:
    """Return a room of 6 to 9 m; chairs and tables, if any, stand in a circle."""
    b = Builder(FIRST_SEED + seed)
    rng = b.random
    wide, long, high = rng.uniform(6, 9), rng.uniform(6, 9), rng.uniform(2.4, 3.2)
    low, top = (-wide / 2, -long / 2, 0.0), (wide / 2, long / 2, high)
    b.room(low, top, b.material('wall'), b.material('floor'), b.material('ceiling'))
    # A lamp, since a scene has at least one solid.
    b.at(0, 0, high - 0.2).box((0, 0, 0.1), (0.5, 0.5, 0.1), b.material('plain'))
    for k in range(0 if is_empty else 6):
        angle, away = 2 * math.pi * k / 6, rng.uniform(2.3, 2.8)
        spot = b.at(away * math.cos(angle), away * math.sin(angle), 0, rng.uniform(0, 6))
        (chair if k % 2 else table)(spot)
    for _ in range(2):
        place = (rng.uniform(-0.3, 0.3) * wide, rng.uniform(-0.3, 0.3) * long, high - 0.2)
        b.light(place, lamp_color(b, min(high**2 * rng.uniform(0.5, 1.2) * 3.0, 40.0)))
    level = rng.uniform(0.2, 0.6)
    return b.scene(((0.6 * level,) * 3, (level,) * 3), 0.5, 2)


def poses(height_m: float, frames: int) -> Iterator[Pose]:
    """Yield the camera's poses on its circle, a little nodding and turning."""
    for k in range(frames):
        a = SPEED_M_S * k / RATE_HZ / RADIUS_M
        place = (RADIUS_M * math.cos(a), RADIUS_M * math.sin(a), height_m)
        yaw = a + math.pi / 2 - 0.15 + 0.3 * math.sin(3 * a)
        yield Pose.looking(place, yaw, 0.12 + 0.02 * math.sin(5 * a))


def drive(
    scene: Scene, height_m: float, sensor: str, frames: int, grounds: list[GroundSettings]
) -> dict[GroundSettings, Counter[str]]:
    """Return what was counted, by the settings that say what specks are."""
    calibration = CameraCalibration.of_pinhole(RIG.camera)
    estimator = load_estimator(EstimatorSettings('tiny', device='cpu'))
    pipelines = {n: Pipeline(estimator, _settings(sensor, height_m, n)) for n in grounds}
    counts: dict[GroundSettings, Counter[str]] = {ground: Counter() for ground in grounds}
    before: dict[GroundSettings, Cells | None] = dict.fromkeys(grounds)
    for k, pose in enumerate(poses(height_m, frames)):
        frame = RIG.capture(scene, pose, seed=k)
        x, y, z = (-pose.rotation[2]).tolist()
        place = RigidTransform.of_matrix(pose.matrix[:3, 3].numpy(), pose.matrix[:3, :3].numpy())
        plane = GroundPlane((x, y, z), height_m, 'tf')
        measured: Any = Tilt.of_down(plane.down)
        if sensor == 'disparity':
            disparity = match_disparity(frame.left, frame.right)
            measured = measure_disparity(disparity, RIG.camera.fx, RIG.baseline_m)
        rgb, stamp_ns = frame.left.numpy(), round((k + 1) / RATE_HZ * 1e9)
        lookup = partial(_given, {sensor: measured})
        ground = GroundFinder(partial(_given, plane), partial(_given, place))
        camera = PosedCamera(RIG.camera, pose.matrix)
        for n, pipeline in pipelines.items():
            result = pipeline.step(rgb, calibration, MARKED, stamp_ns, lookup, ground)
            cloud = result.points_nonground
            points = np.zeros((0, 3)) if cloud is None else cloud[:, :3].copy()
            in_map = camera.in_map(torch.from_numpy(points)).numpy()
            before[n] = _count(counts[n], in_map, frame.depth, camera, before[n])
    return counts


def _given(value: Any) -> Any:
    return value


def _settings(sensor: str, height_m: float, ground: GroundSettings) -> PipelineSettings:
    alignment = AlignmentSettings(source=sensor, camera_height=height_m)
    limit = 0.05 if sensor == 'disparity' else 0.0
    return PipelineSettings(alignment=alignment, uncertainty_limit=limit, ground=ground)


def _count(
    counts: Counter[str],
    points: np.ndarray,
    true_depth: torch.Tensor,
    camera: PosedCamera,
    before: Cells | None,
) -> Cells:
    """Count the cells of a frame; return those that were marked."""
    layer, truth = VoxelLayer(), VoxelLayer()
    origin = camera.position.numpy()
    layer.mark(points, origin)
    true_points = camera.map_points(true_depth).numpy().reshape(-1, 3)
    truth.mark(true_points, origin)
    surface = truth.cells_of(true_points[truth.is_obstacle(true_points)])
    lethal, resolution = layer.lethal, layer.settings.resolution
    false = lethal & ~near_cells(surface, resolution)
    counts['frames'] += 1
    counts['lethal'] += int(lethal.sum())
    counts['false'] += int(false.sum())
    counts['true'] += int(truth.lethal.sum())
    counts['found'] += int((truth.lethal & near_cells(lethal, resolution)).sum())
    if before is not None:
        beside = cv2.dilate(before.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        counts['pairs'] += 1
        counts['appeared'] += int((false & ~beside).sum())
    return lethal


SETTINGS = ('min_cell_points', 'max_new_cells')
NUMBERS = ('false cells a frame', 'appear in a minute', 'lethal cells right', 'true cells found')


def _rows(counts: dict[tuple[str, str, GroundSettings], Counter[str]]) -> list[list[str]]:
    rows = []
    for (kind, sensor, ground), n in counts.items():
        appear = n['appeared'] / max(n['pairs'], 1) * RATE_HZ * 60
        right, found = 1 - n['false'] / max(n['lethal'], 1), n['found'] / max(n['true'], 1)
        false = f'{n["false"] / n["frames"]:.1f}'
        numbers = (false, f'{appear:.0f}', f'{right:.0%}', f'{found:.1%}')
        values = (str(getattr(ground, name)) for name in SETTINGS)
        rows.append([kind, sensor, *values, *numbers])
    return rows


if __name__ == '__main__':
    main()

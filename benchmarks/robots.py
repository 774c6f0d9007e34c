"""Robots of docs/robots.md in simulated rooms: depth and costmap against the truth.

python -m benchmarks.robots [--robots turtlebot] [--drives N] [--first-drive SEED] [--frames N]
    [--uncertainty-limit 0 0.1] [--obstacle-max-range 2 3.5] [--min-obstacle-height 0.15]

Each robot has its file of config/ and the embedded network, and measures every image with its own
sensor. Both clouds come from the step of the node, and mark and clear a map by the rules and the
numbers of config/nav2_voxel_layer.yaml, unless others are given.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.evaluation.costmap import CostmapSettings
from mono_depth_ros.core.evaluation.costmap_agreement import CostmapAgreement, CostmapComparison
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.pipeline import CLOUDS, Output, Pipeline
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.core.settings import updated
from mono_depth_ros.offline.parameter_files import OfflineSettings, read_parameters
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.ros.robot_recipes import RECIPES
from mono_depth_ros.ros.simulated_sensors import LASER, LASER_MOUNT, LIDAR_MOUNT
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.landmarks import LandmarkMap
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.renderer import render
from mono_depth_ros.simulation.rig import SensorNoise
from mono_depth_ros.simulation.robots import ROBOTS

from .alignment.table import percent, table
from .measuring import machine

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
FIRST_DRIVE = 40
"""Drives that no constant was chosen by."""
TRUTH = 'true depth'
NEAR_M = 3.5


@dataclass
class Found:
    """What came out with an `uncertainty_limit`, of all drives."""

    errors: list[tuple[float, float, float]] = field(default_factory=list)
    """AbsRel, that of what is nearer than 3.5 m, and the share of known pixels, of each frame."""
    agreements: list[list[CostmapAgreement]] = field(default_factory=list)
    """Of each drive, by rule."""


def main() -> None:
    """Print the table of each robot."""
    arguments = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rules = [
        replace(CostmapSettings(), obstacle_max_range=most, min_obstacle_height=least)
        for most in arguments.obstacle_max_range
        for least in arguments.min_obstacle_height
    ]
    print(f'{machine(torch.device("cpu"))}\n')
    last = arguments.first_drive + arguments.drives - 1
    print(f'Drives {arguments.first_drive} to {last}, {arguments.frames} frames each, 320x240.\n')
    for name in arguments.robots:
        found: dict[str, Found] = {}
        for seed in range(arguments.first_drive, last + 1):
            _drive(name, Drive(seed), arguments, rules, found)
        print(f'{name}\n\n{_table(found, rules)}')


def _arguments() -> argparse.Namespace:
    usual = CostmapSettings()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--robots', nargs='+', choices=RECIPES, default=list(RECIPES))
    parser.add_argument('--first-drive', type=int, default=FIRST_DRIVE)
    parser.add_argument('--drives', type=int, default=4)
    parser.add_argument('--frames', type=int, default=12, help='of each drive (default: 12)')
    parser.add_argument('--beams', type=int, default=16, help='of the LiDAR (default: 16)')
    parser.add_argument('--uncertainty-limit', nargs='+', type=float, help='default: as in config')
    for name in ('obstacle_max_range', 'min_obstacle_height'):
        flag = f'--{name.replace("_", "-")}'
        parser.add_argument(flag, nargs='+', type=float, default=[getattr(usual, name)])
    return parser.parse_args()


def _drive(
    name: str,
    drive: Drive,
    arguments: argparse.Namespace,
    rules: list[CostmapSettings],
    found: dict[str, Found],
) -> None:
    """Add what one round of a robot gives."""
    frames, robot = arguments.frames, ROBOTS[name]
    times_s = [k * drive.period_s / frames for k in range(frames)]
    cameras = [PosedCamera(CAMERA, robot.camera_at(drive, t_s).matrix) for t_s in times_s]
    pipelines = _pipelines(name, arguments.uncertainty_limit)
    maps = {
        key: [CostmapComparison(cameras, rule) for rule in rules] for key in (TRUTH, *pipelines)
    }
    calibration = CameraCalibration.of_pinhole(CAMERA)
    views = _views(name, drive, times_s, arguments.beams)
    for t_s, camera, (image, truth, measured) in zip(times_s, cameras, views, strict=True):
        for comparison in maps[TRUTH]:
            comparison.add_depth(truth, truth, camera)
        for key, pipeline in pipelines.items():
            wanted, stamp = CLOUDS | Output.DEPTH, round(t_s * 1e9) + 1
            evidence = {pipeline.settings.alignment.source: measured}
            result = pipeline.step(image, calibration, wanted, stamp, lambda e=evidence: e)
            clouds = [
                torch.zeros(0, 3) if cloud is None else torch.from_numpy(cloud[:, :3])
                for cloud in (result.points, result.points_clearing)
            ]
            for comparison in maps[key]:
                comparison.add(*clouds, truth, camera)
            depth = torch.full_like(truth, torch.nan) if result.depth is None else result.depth
            found.setdefault(key, Found()).errors.append(_errors(torch.as_tensor(depth), truth))
    for key, comparisons in maps.items():
        agreements = [comparison.agreement() for comparison in comparisons]
        found.setdefault(key, Found()).agreements.append(agreements)


def _pipelines(name: str, limits: list[float] | None) -> dict[str, Pipeline]:
    """Return the step of the node with the robot's parameters, by `uncertainty_limit`."""
    parameters = read_parameters(share_directory() / 'config' / f'{name}.yaml')
    parameters |= {'encoder': 'tiny', 'variant': 'auto', 'device': 'cpu'}
    # Its sensor alone; a floor beside it would need the height of each drive's camera.
    parameters['alignment.source'] = parameters['alignment.source'].partition(',')[0]
    settings = updated(OfflineSettings(), parameters)
    limits = [settings.pipeline.uncertainty_limit] if limits is None else limits
    estimator = load_estimator(EstimatorSettings('tiny', device='cpu'))
    return {
        f'{limit:g}': Pipeline(estimator, replace(settings.pipeline, uncertainty_limit=limit))
        for limit in limits
    }


def _views(
    name: str, drive: Drive, times_s: list[float], beams: int
) -> Iterator[tuple[np.ndarray, torch.Tensor, DepthMeasurement]]:
    """Yield each image, its true depth and what the robot's sensor says about it."""
    robot, noise = ROBOTS[name], SensorNoise()
    landmarks = LandmarkMap(drive, robot, CAMERA) if name == 'drone' else None
    for k, t_s in enumerate(times_s):
        pose = robot.camera_at(drive, t_s)
        view = render(drive.scene, CAMERA, pose)
        image = noise.apply(view.rgb, torch.Generator().manual_seed(k)).numpy()
        if landmarks is not None:
            places, _ = landmarks.seen(pose, t_s)
            points = (places - pose.position.numpy()) @ pose.rotation.numpy()
            yield image, view.depth, measure_points(points, RigidTransform.identity(), CAMERA)
        elif name == 'turtlebot':
            yield image, view.depth, _scanned(drive, pose, robot.mounted(LASER_MOUNT), k)
        else:
            mount = robot.mounted(LIDAR_MOUNT)
            points = SpinningLidar.of_beams(beams).scan(drive.scene, pose, mount, k)
            yield image, view.depth, measure_points(points, mount, CAMERA)


def _scanned(drive: Drive, pose: Pose, mount: RigidTransform, seed: int) -> DepthMeasurement:
    """Return what a scan says, as the source `scan` does."""
    points = LASER.scan(drive.scene, pose, mount, seed)
    axis = mount.rotation[:, 2]
    seen_from = mount.position - (mount.position @ axis) * axis
    return measure_points(points, mount, CAMERA, seen_from)


def _errors(depth: torch.Tensor, truth: torch.Tensor) -> tuple[float, float, float]:
    error = ((depth - truth) / truth).abs()
    known = error.isfinite()
    near = known & (truth < NEAR_M)
    return float(error[known].mean()), float(error[near].mean()), float(known.float().mean())


def _table(found: dict[str, Found], rules: list[CostmapSettings]) -> str:
    """Return the shares over the cells of all drives together."""
    rows = []
    for key, part in found.items():
        measures = np.nanmean(part.errors, axis=0) if part.errors else ()
        depth = [percent(value) for value in measures] or [''] * 3
        for i, rule in enumerate(rules):
            drives = [agreements[i] for agreements in part.agreements]
            lethal, true = (sum(getattr(d, count) for d in drives) for count in ('lethal', 'true'))
            right = sum((d.precision or 0) * d.lethal for d in drives) / max(lethal, 1)
            recalled = sum((d.recall or 0) * d.true for d in drives) / max(true, 1)
            limits = f'{rule.obstacle_max_range:g} m', f'{rule.min_obstacle_height:g} m'
            shares = f'{right:.0%}', f'{recalled:.0%}', str(lethal), str(true)
            rows.append([key, *limits, *depth, *shares])
    head = ['`uncertainty_limit`', 'up to', 'from', 'AbsRel', 'nearer than 3.5 m', 'known']
    return table([*head, 'cells right', 'found', 'lethal', 'true'], rows)


if __name__ == '__main__':
    main()

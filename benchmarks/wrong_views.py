"""What ends as depth although it was measured of another view: wrong cameras, poses and images.

python -m benchmarks.wrong_views [--drives N] [--first-drive SEED] [--frames N]

Rounds in simulated rooms with the embedded network; each fault has the fit of its own. Printed are
in how many rounds it was found out over views, after how many images, and the mean error of depth
that was published before. The rows without a fault must never be refused.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import cv2
import numpy as np
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.pipeline import Pipeline, PipelineSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement, measure_depth
from mono_depth_ros.core.scale.points_source import measure_points
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.ros.simulated_sensors import LASER, LASER_MOUNT, LIDAR_MOUNT
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.landmarks import LandmarkMap
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.renderer import render
from mono_depth_ros.simulation.rig import SensorNoise
from mono_depth_ros.simulation.robots import ROBOTS

from .alignment.table import percent, table
from .measuring import machine

CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
FIRST_DRIVE = 44
"""Drives that no constant was chosen by."""
RANGE = (0.1, 80.0)
_SHARE = 0.72  # of the view of a depth camera that a color camera beside it has
Measure = Callable[[], DepthMeasurement]
Case = tuple[str, np.ndarray, torch.Tensor, Measure]
"""What is wrong, the image (H, W, 3) that the network sees, what is true of its pixels (H, W) [m],
and what is measured of it."""


@dataclass
class Outcome:
    """What came of a fault.

    Attributes:
        found_after: Images, of each round in which it was found out.
        rounds: How many there were.
        errors: AbsRel of each image that had depth.
    """

    found_after: list[int] = field(default_factory=list)
    rounds: int = 0
    errors: list[float] = field(default_factory=list)


def main() -> str | int:
    """Print the table; return what is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--first-drive', type=int, default=FIRST_DRIVE)
    parser.add_argument('--drives', type=int, default=4)
    parser.add_argument('--frames', type=int, default=24, help='of each round (default: 24)')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = AlignmentSettings(source='points', sensor_pose='0 0 0 0 0 0 1')
    estimator = load_estimator(EstimatorSettings('tiny', device='cpu'))
    pipeline = Pipeline(estimator, PipelineSettings(alignment=settings))
    outcomes: dict[str, Outcome] = {}
    last = arguments.first_drive + arguments.drives - 1
    for seed in range(arguments.first_drive, last + 1):
        for cases in (_lidar_cases, _laser_cases, _landmark_cases, _depth_image_cases):
            _round(cases(Drive(seed), arguments.frames), pipeline, settings, outcomes)
    print(f'{machine(torch.device("cpu"))}\n')
    print(f'Drives {arguments.first_drive} to {last}, {arguments.frames} images each, 320x240.\n')
    head = ['measured', 'rounds found out', 'after images, median', 'AbsRel of published depth']
    print(table(head, [[name, *_row(outcome)] for name, outcome in outcomes.items()]))
    refused = [name for name, o in outcomes.items() if 'right' in name and o.found_after]
    return f'refused although right: {refused}' if refused else 0


def _row(outcome: Outcome) -> list[str]:
    after = f'{np.median(outcome.found_after):.0f}' if outcome.found_after else ''
    error = percent(float(np.mean(outcome.errors))) if outcome.errors else ''
    return [f'{len(outcome.found_after)} of {outcome.rounds}', after, error]


def _round(
    views: Iterator[list[Case]],
    pipeline: Pipeline,
    settings: AlignmentSettings,
    outcomes: dict[str, Outcome],
) -> None:
    """Show one round to a fit of each fault."""
    fits: dict[str, ScaleEstimator] = {}
    found: set[str] = set()
    calibration = CameraCalibration.of_pinhole(CAMERA)
    for number, cases in enumerate(views, start=1):
        predictions: dict[int, PredictedFrame] = {}
        for name, image, truth, measure in cases:
            if id(image) not in predictions:
                shown = np.ascontiguousarray(image)
                predictions[id(image)] = pipeline.predict(shown, calibration, 1, None)
            predicted, kind = predictions[id(image)], pipeline.estimator.kind
            fit = fits.setdefault(name, ScaleEstimator(ScaleSettings(alignment=settings), kind))
            evidence: DepthMeasurement | MonoDepthError
            try:
                evidence = measure()
            except MonoDepthError as error:
                evidence = error
            scale = fit.update(
                number * 1_000_000_000, predicted, RANGE, lambda e=evidence: {'points': e}
            )
            outcome = outcomes.setdefault(name, Outcome())
            outcome.rounds += number == 1
            said = scale.reason_unknown
            if name not in found and ('different views' in said or 'camera has stopped' in said):
                found.add(name)
                outcome.found_after.append(number)
            if scale.applied is not None:
                depth = 1 / scale.metric(predicted, RANGE).inverse_depth
                error = ((depth - truth) / truth).abs()
                outcome.errors.append(float(error[(depth > 0) & depth.isfinite()].mean()))


def _seen(robot: str, drive: Drive, frames: int) -> Iterator[tuple[int, torch.Tensor, np.ndarray]]:
    """Yield the number, the true depth (H, W) [m] and the noisy image (H, W, 3) of a round."""
    for k in range(frames):
        view = render(drive.scene, CAMERA, ROBOTS[robot].camera_at(drive, _time(drive, k, frames)))
        yield (
            k,
            view.depth,
            SensorNoise().apply(view.rgb, torch.Generator().manual_seed(k)).numpy(),
        )


def _time(drive: Drive, k: int, frames: int) -> float:
    return k * drive.period_s / frames


def _lidar_cases(drive: Drive, frames: int) -> Iterator[list[Case]]:
    lidar = SpinningLidar.of_beams(16)
    yield from _mounted_cases(
        'LiDAR of 16 beams', 'outdoor_lidar', LIDAR_MOUNT, lidar, drive, frames
    )


def _laser_cases(drive: Drive, frames: int) -> Iterator[list[Case]]:
    yield from _mounted_cases('laser', 'turtlebot', LASER_MOUNT, LASER, drive, frames)


def _mounted_cases(
    name: str,
    robot: str,
    mount_at: RigidTransform,
    sensor: SpinningLidar,
    drive: Drive,
    frames: int,
) -> Iterator[list[Case]]:
    """Yield what a spinning sensor of a robot measures, by what is wrong with it."""
    mount, first = ROBOTS[robot].mounted(mount_at), None
    for k, truth, image in _seen(robot, drive, frames):
        first = image if first is None else first
        pose = ROBOTS[robot].camera_at(drive, _time(drive, k, frames))
        points = sensor.scan(drive.scene, pose, mount, k)

        def of(pose: RigidTransform, factor: float = 1.0, points: np.ndarray = points) -> Measure:
            return lambda: measure_points(points, pose, _with_focal_length(factor))

        cases: list[Case] = [
            (f'{name}, right', image, truth, of(mount)),
            (f'{name}, the camera repeats its first image', first, truth, of(mount)),
            (f'{name}, mirrored', image, truth, of(mount, points=points * (1, -1, 1))),
        ]
        for factor in (0.5, 0.7, 1.25, 1.5, 2.0):
            wrong = f'{name}, focal length times {factor:g}'
            cases.append((wrong, image, truth, of(mount, factor)))
        for yaw_deg in (5, 10, 20, 90, 180):
            wrong = f'{name}, yaw wrong by {yaw_deg} degrees'
            cases.append((wrong, image, truth, of(_turned(mount, yaw_deg))))
        yield cases


def _landmark_cases(drive: Drive, frames: int) -> Iterator[list[Case]]:
    robot = ROBOTS['drone']
    landmarks = LandmarkMap(drive, robot, CAMERA)
    for k, truth, image in _seen('drone', drive, frames):
        t_s = _time(drive, k, frames)

        def seen_at(t_s: float, factor: float = 1.0) -> Measure:
            pose = robot.camera_at(drive, t_s)
            places, _ = landmarks.seen(pose, t_s)
            points = (places - pose.position.numpy()) @ pose.rotation.numpy()
            here = RigidTransform.identity()
            return lambda: measure_points(points, here, _with_focal_length(factor))

        yield [
            ('landmarks, right', image, truth, seen_at(t_s)),
            ('landmarks, those of a second ago', image, truth, seen_at(t_s - 1)),
            ('landmarks, focal length times 0.7', image, truth, seen_at(t_s, 0.7)),
            ('landmarks, focal length times 1.5', image, truth, seen_at(t_s, 1.5)),
        ]


def _depth_image_cases(drive: Drive, frames: int) -> Iterator[list[Case]]:
    for _, truth, image in _seen('rig', drive, frames):
        measured = partial(measure_depth, truth)
        wide, true = _middle(image, cv2.INTER_LINEAR), _middle(truth.numpy(), cv2.INTER_NEAREST)
        upside_down, mirrored = image[::-1, ::-1], image[:, ::-1]
        yield [
            ('depth image, right', image, truth, measured),
            ('depth image, right, blur', cv2.GaussianBlur(image, (0, 0), 5), truth, measured),
            ('depth image, an eighth of the light', image // 8, truth, measured),
            ('depth image of a lens 1.4 times as wide', wide, torch.from_numpy(true), measured),
            ('depth image, the image mirrored', mirrored, truth.flip(1), measured),
            ('depth image, the image upside down', upside_down, truth.flip(0, 1), measured),
        ]


def _with_focal_length(factor: float) -> PinholeCamera:
    return replace(CAMERA, fx=factor * CAMERA.fx, fy=factor * CAMERA.fy)


def _turned(mount: RigidTransform, yaw_deg: float) -> RigidTransform:
    half = math.radians(yaw_deg) / 2
    return mount @ RigidTransform.of((0, 0, 0), (0, 0, math.sin(half), math.cos(half)))


def _middle(values: np.ndarray, interpolation: int) -> np.ndarray:
    """Return the middle of an image (H, W[, 3]), as large as all of it."""
    height, width = values.shape[:2]
    rows, columns = round(_SHARE * height), round(_SHARE * width)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = np.ascontiguousarray(values[top : top + rows, left : left + columns])
    return cv2.resize(part, (width, height), interpolation=interpolation)


if __name__ == '__main__':
    sys.exit(main())

"""The costmap that a robot makes on a simulated drive, by the example for Nav2, against the truth.

python -m benchmarks.costmap [--models global local] [--drives N] [--frames N] [--size 320x240]
    [--uncertainty-limit 0 0.02] [--obstacle-max-range 2.5 3.5] [--first-drive SEED]
    [--marks points points_nonground] [--min-cell-points N]

A stereo rig drives through rooms. Semi-global matching of each pair is what the embedded network
is aligned to; both clouds come from the step of the node at its default settings, and mark and
clear a map by the rules and the numbers of config/nav2_voxel_layer.yaml; the true ground plane
cuts points_nonground. Beside them: the clouds of the true depth, and those of the matcher's own
disparity, which are known only where it matched.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.costmap import CostmapSettings
from mono_depth_ros.core.evaluation.costmap_agreement import CostmapAgreement, CostmapComparison
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.outputs.ground_plane import GroundFinder, GroundPlane
from mono_depth_ros.core.outputs.output_settings import GroundSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.core.settings import described
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

from .alignment.table import table
from .measuring import machine, size

FIRST_DRIVE = 40
"""Drives that no constant was chosen by."""
BASELINE_M = 0.12
FOV_DEG = 75.0
TRUTH, MEASURED = 'true depth', 'disparity alone'
LIMITS = (0.0, 0.02)
"""Of the node by default, and as docs/nav2.md sets it."""

MARKS = {'points': Output.POINTS, 'points_nonground': Output.POINTS_NONGROUND}

Row = tuple[str, float]
"""What marks, and up to which distance [m]."""


def main() -> None:
    """Print the shares of each model."""
    torch.set_num_threads(1)
    arguments = _arguments()
    rules = [
        replace(CostmapSettings(), obstacle_max_range=most)
        for most in arguments.obstacle_max_range
    ]
    camera = PinholeCamera.from_fov(*arguments.size, FOV_DEG)
    rig = StereoRig(camera, BASELINE_M)
    found: dict[Row, list[CostmapAgreement]] = {}
    for seed in range(arguments.first_drive, arguments.first_drive + arguments.drives):
        pipelines = {
            f'{marks}, {model}, uncertainty_limit {limit:g}': (
                MARKS[marks],
                _pipeline(model, limit, arguments.min_cell_points),
            )
            for marks in arguments.marks
            for model in arguments.models
            for limit in arguments.uncertainty_limit
        }
        agreements = drive_agreements(Drive(seed), rig, arguments.frames, pipelines, rules)
        for row, agreement in agreements.items():
            found.setdefault(row, []).append(agreement)
    frames = f'{arguments.drives} drives of {arguments.frames} frames, {camera.width}x'
    print(f'{machine(torch.device("cpu"))}\n\n{frames}{camera.height}, tiny\n')
    print(
        table(
            ['marks by', 'up to', 'lethal cells right', 'true cells found', 'lethal', 'true'],
            _rows(found),
        )
    )


def _arguments() -> argparse.Namespace:
    models = {name: info.choices for name, info, _ in described(AlignmentSettings())}['model']
    usual = CostmapSettings()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--models', nargs='+', choices=models, default=models, metavar='MODEL')
    parser.add_argument('--first-drive', type=int, default=FIRST_DRIVE)
    parser.add_argument('--drives', type=int, default=4)
    parser.add_argument('--frames', type=int, default=40, help='of each drive (default: 40)')
    parser.add_argument('--size', type=size, default=(320, 240))
    parser.add_argument('--uncertainty-limit', nargs='+', type=float, default=LIMITS)
    parser.add_argument(
        '--obstacle-max-range', nargs='+', type=float, default=[usual.obstacle_max_range]
    )
    parser.add_argument('--marks', nargs='+', choices=MARKS, default=['points'])
    parser.add_argument(
        '--min-cell-points', type=int, default=GroundSettings().min_cell_points, metavar='N'
    )
    return parser.parse_args()


def drive_agreements(
    drive: Drive,
    rig: StereoRig,
    frames: int,
    pipelines: dict[str, tuple[Output, Pipeline]],
    rules: list[CostmapSettings],
) -> dict[Row, CostmapAgreement]:
    """Return the agreement after one round, also of the truth and the disparity."""
    cameras = [
        PosedCamera(rig.camera, drive.pose_at(k * drive.period_s / frames).matrix)
        for k in range(frames)
    ]
    maps = {
        name: [CostmapComparison(cameras, rule) for rule in rules]
        for name in (*pipelines, TRUTH, MEASURED)
    }
    calibration = CameraCalibration.of_pinhole(rig.camera)
    views = zip(cameras, _frames(drive, rig, frames), strict=True)
    for k, (camera, (frame, measured)) in enumerate(views):
        stamp = round(k * drive.period_s / frames * 1e9) + 1
        for comparison in maps[TRUTH]:
            comparison.add_depth(frame.depth, frame.depth, camera)
        for comparison in maps[MEASURED]:
            comparison.add_depth(measured.inverse_depth.reciprocal(), frame.depth, camera)
        x, y, z = (-camera.pose[2, :3]).tolist()
        plane = GroundPlane((x, y, z), float(camera.position[2]), 'tf')
        for name, (marks, pipeline) in pipelines.items():
            result = pipeline.step(
                frame.left.numpy(),
                calibration,
                marks | Output.POINTS_CLEARING,
                stamp,
                lambda m=measured: {'disparity': m},
                GroundFinder(lambda p=plane: p),
            )
            for comparison in maps[name]:
                comparison.add(*_clouds(result), frame.depth, camera)
    return {
        (name, comparison.layer.settings.obstacle_max_range): comparison.agreement()
        for name, comparisons in maps.items()
        for comparison in comparisons
    }


def _clouds(result: Result) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both clouds, empty without a scale: there is a truth all the same."""
    marking = result.points_nonground if result.points is None else result.points
    points, clearing = (
        torch.zeros(0, 3) if cloud is None else torch.from_numpy(cloud[:, :3])
        for cloud in (marking, result.points_clearing)
    )
    return points, clearing


def _pipeline(model: str, uncertainty_limit: float, min_cell_points: int) -> Pipeline:
    alignment = AlignmentSettings(source='disparity', model=model)
    settings = PipelineSettings(
        alignment=alignment,
        uncertainty_limit=uncertainty_limit,
        ground=GroundSettings(min_cell_points=min_cell_points),
    )
    return Pipeline(load_estimator(EstimatorSettings('tiny', device='cpu')), settings)


def _frames(
    drive: Drive, rig: StereoRig, frames: int
) -> Iterator[tuple[StereoFrame, DepthMeasurement]]:
    """Yield the pairs of a round with what their disparity says."""
    for k in range(frames):
        frame = rig.capture(drive.scene, drive.pose_at(k * drive.period_s / frames), seed=k)
        disparity = match_disparity(frame.left, frame.right)
        yield frame, measure_disparity(disparity, rig.camera.fx, rig.baseline_m)


def _rows(found: dict[Row, list[CostmapAgreement]]) -> list[list[str]]:
    """Return the shares over the cells of all drives together."""
    rows = []
    for (name, farthest), drives in found.items():
        lethal, true = (sum(getattr(d, count) for d in drives) for count in ('lethal', 'true'))
        right = sum((d.precision or 0) * d.lethal for d in drives) / max(lethal, 1)
        recalled = sum((d.recall or 0) * d.true for d in drives) / max(true, 1)
        rows.append(
            [name, f'{farthest:g} m', f'{right:.0%}', f'{recalled:.0%}', str(lethal), str(true)]
        )
    return rows


if __name__ == '__main__':
    main()

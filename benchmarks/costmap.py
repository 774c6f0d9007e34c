"""The costmap that a robot makes on a simulated drive, by the example for Nav2, against the truth.

python -m benchmarks.costmap [--models global local] [--drives N] [--frames N] [--size 320x240]
    [--uncertainty-limit SHARE] [--obstacle-max-range M]

A stereo rig drives through rooms. Semi-global matching of each pair is what the embedded network
is aligned to; both clouds come from the step of the node at its default settings, and mark and
clear a map by the rules and the numbers of config/nav2_voxel_layer.yaml. Beside them: the clouds
of the true depth, and those of the matcher's own disparity, which are known only where it matched.
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
from mono_depth_ros.core.pipeline import CLOUDS, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement, measure_disparity
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


def main() -> None:
    """Print the shares of each model."""
    models = {name: info.choices for name, info, _ in described(AlignmentSettings())}['model']
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--models', nargs='+', choices=models, default=models, metavar='MODEL')
    parser.add_argument('--drives', type=int, default=4)
    parser.add_argument('--frames', type=int, default=40, help='of each drive (default: 40)')
    parser.add_argument('--size', type=size, default=(320, 240))
    parser.add_argument('--first-drive', type=int, default=FIRST_DRIVE)
    parser.add_argument('--uncertainty-limit', type=float, default=0.0)
    usual = CostmapSettings()
    parser.add_argument('--obstacle-max-range', type=float, default=usual.obstacle_max_range)
    arguments = parser.parse_args()
    rules = replace(usual, obstacle_max_range=arguments.obstacle_max_range)
    camera = PinholeCamera.from_fov(*arguments.size, FOV_DEG)
    rig = StereoRig(camera, BASELINE_M)
    found: dict[str, list[CostmapAgreement]] = {}
    for seed in range(arguments.first_drive, arguments.first_drive + arguments.drives):
        pipelines = {
            model: _pipeline(model, arguments.uncertainty_limit) for model in arguments.models
        }
        for name, agreement in drive_agreements(
            Drive(seed), rig, arguments.frames, pipelines, rules
        ).items():
            found.setdefault(name, []).append(agreement)
    print(
        f'{machine(torch.device("cpu"))}\n\n{arguments.drives} drives of {arguments.frames} '
        f'frames, {camera.width}x{camera.height}, tiny; uncertainty_limit '
        f'{arguments.uncertainty_limit:g}, obstacle_max_range {rules.obstacle_max_range:g} m\n'
    )
    print(
        table(
            ['marks by', 'lethal cells right', 'true cells found', 'lethal', 'true'], _rows(found)
        )
    )


def drive_agreements(
    drive: Drive,
    rig: StereoRig,
    frames: int,
    pipelines: dict[str, Pipeline],
    rules: CostmapSettings,
) -> dict[str, CostmapAgreement]:
    """Return the agreement after one round, by model, and that of the truth and the disparity."""
    cameras = [
        PosedCamera(rig.camera, drive.pose_at(k * drive.period_s / frames).matrix)
        for k in range(frames)
    ]
    names = (*pipelines, TRUTH, MEASURED)
    maps = {name: CostmapComparison(cameras, rules) for name in names}
    calibration = CameraCalibration.of_pinhole(rig.camera)
    views = zip(cameras, _frames(drive, rig, frames), strict=True)
    for k, (camera, (frame, measured)) in enumerate(views):
        maps[TRUTH].add_depth(frame.depth, frame.depth, camera)
        maps[MEASURED].add_depth(measured.inverse_depth.reciprocal(), frame.depth, camera)
        for model, pipeline in pipelines.items():
            stamp = round(k * drive.period_s / frames * 1e9) + 1
            result = pipeline.step(
                frame.left.numpy(), calibration, CLOUDS, stamp, lambda m=measured: m
            )
            # Without a scale there are no clouds, but there is a truth.
            clouds = (
                torch.zeros(0, 3) if cloud is None else torch.from_numpy(cloud[:, :3])
                for cloud in (result.points, result.points_clearing)
            )
            maps[model].add(*clouds, frame.depth, camera)
    return {name: comparison.agreement() for name, comparison in maps.items()}


def _pipeline(model: str, uncertainty_limit: float) -> Pipeline:
    alignment = AlignmentSettings(source='disparity', model=model)
    settings = PipelineSettings(alignment=alignment, uncertainty_limit=uncertainty_limit)
    return Pipeline(load_estimator(EstimatorSettings('tiny', device='cpu')), settings)


def _frames(
    drive: Drive, rig: StereoRig, frames: int
) -> Iterator[tuple[StereoFrame, DepthMeasurement]]:
    """Yield the pairs of a round with what their disparity says."""
    for k in range(frames):
        frame = rig.capture(drive.scene, drive.pose_at(k * drive.period_s / frames), seed=k)
        disparity = match_disparity(frame.left, frame.right)
        yield frame, measure_disparity(disparity, rig.camera.fx, rig.baseline_m)


def _rows(found: dict[str, list[CostmapAgreement]]) -> list[list[str]]:
    """Return the shares over the cells of all drives together."""
    rows = []
    for name, drives in found.items():
        lethal, true = (sum(getattr(d, count) for d in drives) for count in ('lethal', 'true'))
        right = sum((d.precision or 0) * d.lethal for d in drives) / max(lethal, 1)
        recalled = sum((d.recall or 0) * d.true for d in drives) / max(true, 1)
        rows.append([name, f'{right:.0%}', f'{recalled:.0%}', str(lethal), str(true)])
    return rows


if __name__ == '__main__':
    main()

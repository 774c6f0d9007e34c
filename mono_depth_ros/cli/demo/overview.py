"""The picture of the README: stereo alone, beside what the node makes of stereo and of a LiDAR."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...core.camera.pinhole import PinholeCamera
from ...core.evaluation.metrics import depth_metrics
from ...core.outputs.cloud import pack_cloud
from ...core.outputs.output_settings import CloudSettings, ColormapSettings
from ...core.scale.stereo_matching import match_disparity
from ...mono_depth import MonoDepth
from ...offline.cloud_renderer import Points, cloud_picture, view_from_the_right
from ...offline.figures import Cell, Column, depth_palette, draw_rows
from ...ros.simulated_camera import SimulatedCameraSettings, matching_for
from ...simulation.drive import Drive
from ...simulation.rig import StereoFrame, StereoRig
from ...simulation.robots import ROBOTS
from .recorder import Depth, Sample

OVERVIEW = 'overview.jpg'
_TITLE = 'a room that the network has never seen; embedded network (6 MB), 320x240 px, on a CPU'
_COLUMNS = (
    'image, and true cloud',
    'stereo alone',
    'stereo + network',
    '16 LiDAR beams + network',
)


def draw_overview(
    path: Path,
    samples: Sequence[Sample],
    camera: SimulatedCameraSettings,
    lens: PinholeCamera,
    checkpoint: str = '',
) -> None:
    """Write one of the samples that the node made by the LiDAR, see `typical_view`.

    Nothing is written if none has depth. Stereo is that of the very view, without the delay of the
    demo.
    """
    known = [sample for sample in samples if np.isfinite(sample.depth).any()]
    if not known:
        return
    sample = typical_view(known)
    rig = StereoRig(lens, camera.baseline)
    frame = frame_of(sample.truth, camera, lens)
    disparity = match_disparity(frame.left, frame.right, matching_for(lens.width))
    alone: Depth = (lens.fx * rig.baseline_m / disparity).numpy()
    mono = MonoDepth(encoder='tiny', checkpoint=checkpoint)
    fused = mono(frame.left, camera=lens, disparity=disparity, baseline_m=rig.baseline_m)
    depths = (alone, fused.depth, sample.depth)
    true_cloud = _cloud(sample.truth, sample, lens)
    eye = view_from_the_right(true_cloud)
    clouds = [cloud_picture(_cloud(depth, sample, lens), lens, eye) for depth in depths]
    palette = depth_palette(ColormapSettings.near, ColormapSettings.far)
    rows = [
        [Cell(sample.color), *(Cell(depth, _caption(depth, sample.truth)) for depth in depths)],
        [Cell(cloud_picture(true_cloud, lens, eye)), *map(Cell, clouds)],
    ]
    image, *others = _COLUMNS
    draw_rows(path, _TITLE, [Column(image), *(Column(name, palette) for name in others)], rows)


def typical_view(samples: Sequence[Sample]) -> Sample:
    """Return the sample with the most edges of depth, of the half whose errors are ordinary."""
    by_error = sorted(samples, key=lambda sample: _error(sample.depth, sample.truth))
    quarter = len(by_error) // 4
    ordinary = by_error[quarter : len(by_error) - quarter]
    return max(ordinary, key=lambda sample: _edges(sample.truth))


def frame_of(truth: Depth, camera: SimulatedCameraSettings, lens: PinholeCamera) -> StereoFrame:
    """Return the frame of the drive with that true depth (H, W) [m], to the last bit.

    Raises:
        ValueError: There is none among the views of the drive.
    """
    drive, rig = Drive(camera.seed, camera.speed), StereoRig(lens, camera.baseline)
    robot = ROBOTS[camera.robot]
    for number in range(camera.views):
        pose = robot.camera_at(drive, number / camera.rate)
        frame = rig.capture(drive.scene, pose, number)
        if np.array_equal(frame.depth.numpy(), truth):
            return frame
    raise ValueError(f'none of {camera.views} views of drive {camera.seed} has this depth')


def _cloud(depth: Depth, sample: Sample, lens: PinholeCamera) -> Points:
    rgb = torch.from_numpy(sample.color.copy())
    points: Points = pack_cloud(torch.from_numpy(depth), lens.rays(), rgb, CloudSettings()).numpy()
    return points


def _caption(depth: Depth, truth: Depth) -> str:
    return f'AbsRel {_error(depth, truth):.3f} on {np.isfinite(depth).mean():.0%} of the pixels'


def _error(depth: Depth, truth: Depth) -> float:
    return depth_metrics(torch.from_numpy(depth), torch.from_numpy(truth)).abs_rel


def _edges(truth: Depth) -> float:
    """Return the share of neighbors in a row of which one is a tenth farther than the other."""
    return float((np.abs(np.diff(np.log(truth), axis=1)) > np.log(1.1)).mean())

"""The picture of the README: stereo alone, beside what the node makes of stereo and of a LiDAR."""

from pathlib import Path

import numpy as np

from ...core.camera.pinhole import PinholeCamera
from ...core.scale.stereo_matching import match_disparity
from ...mono_depth import MonoDepth
from ...offline.cloud_renderer import cloud_picture, view_from_the_right
from ...offline.figures import Cell, Column, draw_rows
from ...ros.simulated_camera import SimulatedCameraSettings, drive_for, matching_for
from ...simulation.raycast import cast
from ...simulation.rig import StereoFrame, StereoRig
from ...simulation.robots import ROBOTS
from .drive_pictures import caption, cloud, palette_of
from .recorder import Depth, Sample

OVERVIEW = 'overview.jpg'
_TITLE = 'a room that the network has never seen; embedded network (6 MB), {}x{} px, on a CPU'
_COLUMNS = (
    'image, and true cloud',
    'stereo alone',
    'stereo + network',
    '16 LiDAR beams + network',
)


def draw_overview(
    path: Path,
    sample: Sample,
    camera: SimulatedCameraSettings,
    lens: PinholeCamera,
    checkpoint: str = '',
) -> None:
    """Write a sample that the node made by the LiDAR.

    Stereo is that of the very view, without the delay of the demo.
    """
    rig = StereoRig(lens, camera.baseline)
    frame = frame_of(sample.truth, camera, lens)
    disparity = match_disparity(frame.left, frame.right, matching_for(lens.width))
    alone: Depth = (lens.fx * rig.baseline_m / disparity).numpy()
    mono = MonoDepth(encoder='tiny', checkpoint=checkpoint)
    fused = mono(frame.left, camera=lens, disparity=disparity, baseline_m=rig.baseline_m)
    depths = (alone, fused.depth, sample.depth)
    true_points = cloud(sample.truth, sample, lens)
    eye = view_from_the_right(true_points)
    clouds = [cloud_picture(cloud(depth, sample, lens), lens, eye) for depth in depths]
    palette = palette_of([sample])
    rows = [
        [Cell(sample.color), *(Cell(depth, caption(depth, sample.truth)) for depth in depths)],
        [Cell(cloud_picture(true_points, lens, eye)), *map(Cell, clouds)],
    ]
    image, *others = _COLUMNS
    title = _TITLE.format(lens.width, lens.height)
    draw_rows(path, title, [Column(image), *(Column(name, palette) for name in others)], rows)


def frame_of(truth: Depth, camera: SimulatedCameraSettings, lens: PinholeCamera) -> StereoFrame:
    """Return the frame of the drive with that true depth (H, W) [m], to the last bit.

    Raises:
        ValueError: There is none among the views of the drive.
    """
    drive, rig = drive_for(camera), StereoRig(lens, camera.baseline)
    robot = ROBOTS[camera.robot]
    for number in range(camera.views):
        pose = robot.camera_at(drive, number / camera.rate)
        if np.array_equal(cast(drive.scene, lens, pose).depth.numpy(), truth):
            return rig.capture(drive.scene, pose, number)
    raise ValueError(f'none of {camera.views} views of the drive has this depth')

"""Images with their true depth, and what networks say of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoRig
from mono_depth_ros.simulation.views import render_sample
from training.real_frames import SHARED, real_frames

from ..alignment.real_stereo import matched
from ..distortions import filled, load_scenes

SIZE = (320, 240)
RIG = StereoRig(PinholeCamera.from_fov(*SIZE, 75.0), 0.12)
JUDGED_VIEWS = range(91000, 91012)
JUDGED_DRIVES, PAIRS_PER_DRIVE = range(60, 66), 4
CHOSEN_REAL, CHOSEN_VIEWS = slice(1, None, 3), range(90000, 90016, 3)
"""The constants were chosen on every third of the real frames and of views 90000 to 90015."""
CONES_M = 55.0  # times 1 / disparity: the scene then spans 1 to 10 m, as in distortions.py
TINY, DISTORTED = 'tiny', 'distorted truth'
DISTORTION = 0.08
BLUR_PX, BLUR_AT_WIDTH = 1.5, 640


@dataclass(frozen=True, eq=False)
class Scene:
    """An image, the truth, and predictions.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        truth: (H, W) float32, inverse depth [1/m], NaN unknown.
        predictions: (H, W) float32 of each network, by its name.
        stereo: What matching with a second image measured, if there is one.
        camera: Of simulated pairs, with its place.
    """

    color: torch.Tensor
    truth: torch.Tensor
    predictions: dict[str, torch.Tensor]
    stereo: DepthMeasurement | None = None
    camera: PosedCamera | None = None


def real_scenes(estimator: Estimator) -> list[Scene]:
    """Return the real frames, at most 320 px wide; none where ../shared is missing."""
    if not SHARED.is_dir():
        return []
    scenes = []
    for k, (name, color, depth) in enumerate(real_frames()):
        known = (CONES_M if name == 'cones' else 1) * depth
        truth = torch.where(known > 0, known.reciprocal(), torch.nan)
        scale = SIZE[0] / color.shape[1]
        size = SIZE[0], round(scale * color.shape[0])
        small = cv2.resize(color.numpy(), size, interpolation=cv2.INTER_AREA)
        sampled = cv2.resize(truth.numpy(), size, interpolation=cv2.INTER_NEAREST)
        scenes.append(_scene(estimator, torch.from_numpy(small), torch.from_numpy(sampled), k))
    return scenes


def simulated_views(estimator: Estimator, seeds: range) -> list[Scene]:
    """Return views of simulated rooms."""
    views = ((seed, render_sample(seed, *SIZE)) for seed in seeds)
    return [_scene(estimator, view.rgb, view.depth.reciprocal(), seed) for seed, view in views]


def real_pairs(estimator: Estimator) -> Iterator[Scene]:
    """Yield the real stereo pairs at full size, matched; none where ../shared is missing."""
    if SHARED.is_dir():
        for k, pair in enumerate(load_scenes(SHARED / 'stereo')):
            yield _scene(estimator, pair.left, pair.inverse_depth, k, matched(pair))


def simulated_pairs(estimator: Estimator, seeds: range, count: int) -> Iterator[Scene]:
    """Yield so many matched pairs of each drive, evenly spread over one round."""
    for seed in seeds:
        drive = Drive(seed)
        times = (k / count * drive.period_s for k in range(count))
        yield from drive_scenes(estimator, drive, times)


def drive_scenes(estimator: Estimator, drive: Drive, times: Iterator[float]) -> Iterator[Scene]:
    """Yield matched pairs of a drive at these times [s]."""
    for k, time_s in enumerate(times):
        pose = drive.pose_at(time_s)
        frame = RIG.capture(drive.scene, pose, seed=k)
        disparity = match_disparity(frame.left, frame.right)
        measured = measure_disparity(disparity, RIG.camera.fx, RIG.baseline_m)
        camera = PosedCamera(RIG.camera, pose.matrix)
        yield _scene(estimator, frame.left, frame.depth.reciprocal(), k, measured, camera)


def _scene(
    estimator: Estimator,
    color: torch.Tensor,
    truth: torch.Tensor,
    seed: int,
    stereo: DepthMeasurement | None = None,
    camera: PosedCamera | None = None,
) -> Scene:
    predictions = {
        TINY: estimator.predict([color], (truth.shape[0], truth.shape[1]), [None])[0].values,
        DISTORTED: _distorted(truth, seed),
    }
    return Scene(color, truth, predictions, stereo, camera)


def _distorted(truth: torch.Tensor, seed: int) -> torch.Tensor:
    """Return (H, W) the truth times a smooth field, with blurred edges, scaled and shifted."""
    rng = np.random.default_rng(seed)
    known = filled(truth.numpy())
    height, width = known.shape
    nodes = rng.standard_normal((3, 4)).astype(np.float32)
    field = cv2.resize(nodes, (width, height), interpolation=cv2.INTER_CUBIC)
    wrong = (known * (1 + DISTORTION * field / field.std())).astype(np.float32)
    blurred = cv2.GaussianBlur(wrong, (0, 0), BLUR_PX * width / BLUR_AT_WIDTH)
    gain, offset = rng.uniform(1, 20), rng.uniform(0, 5)
    return torch.from_numpy((gain * blurred / known.max() + offset).astype(np.float32))

"""A drive seen by a network whose scale drifts and jumps, and by a stereo matcher that is late."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.raycast import cast

SEEDS = range(20)
DRIVES = 4
RATE_HZ = 15
FRAMES = 450
DISPARITY_EVERY = 5
LATE_FRAMES = 5
WALL = range(120, 165)
WALL_DEPTH_M = 1.2
WALL_TILT = 0.04
JUMP_AT = 270
JUMP_FACTOR = 1.5
JUMP_SHIFT = 0.1
DRIFT_S = 10.0
DRIFT_SCALE = 0.15
DRIFT_SHIFT = 0.03
FLICKER = 0.01
BIAS = 0.05
BIAS_S = 1.0
BIAS_CELLS = (3, 4)
FOCAL_TIMES_BASELINE = 50.0
MATCHING_ERROR_PX = 0.25
MATCHING_NOISE_PX = 0.5
MISSING = 0.15
OUTLIERS = 0.05
SIZE = (96, 72)
FOV_DEG = 75


@dataclass(frozen=True, eq=False)
class Sequence:
    """What arrives frame by frame; lengths in frames of 1 / RATE_HZ s.

    Attributes:
        truth: Inverse depth (H, W) [1/m] of each frame.
        prediction: Of each frame, (H, W) float32.
        observation: Of every frame that was matched, by its number.
    """

    truth: list[torch.Tensor]
    prediction: list[torch.Tensor]
    observation: dict[int, DepthMeasurement]


def draw_sequence(seed: int) -> Sequence:
    """Return 30 s at 15 Hz: a wall fills the view at 8..11 s, the network jumps at 18 s."""
    rng = np.random.default_rng(seed)
    truths = _drive(seed % DRIVES)
    scale = np.exp(_wander(rng, DRIFT_SCALE, DRIFT_S) + FLICKER * rng.standard_normal(FRAMES))
    shift = _wander(rng, DRIFT_SHIFT, DRIFT_S)
    scale[JUMP_AT:] *= JUMP_FACTOR
    shift[JUMP_AT:] += JUMP_SHIFT
    cells = np.stack(
        [_wander(rng, BIAS, BIAS_S) for _ in range(BIAS_CELLS[0] * BIAS_CELLS[1])], axis=1
    )
    predictions, observations = [], {}
    for k, truth in enumerate(truths):
        grid = cells[k].reshape(BIAS_CELLS).astype(np.float32)
        bias = cv2.resize(grid, SIZE, interpolation=cv2.INTER_CUBIC)
        predicted = (truth * (1 + bias) - shift[k]) / scale[k]
        predictions.append(torch.from_numpy(predicted.astype(np.float32)))
        if k % DISPARITY_EVERY == 0:
            observations[k] = _matched(truth, rng)
    return Sequence([torch.from_numpy(truth) for truth in truths], predictions, observations)


@lru_cache
def _drive(seed: int) -> list[np.ndarray]:
    """Return true inverse depth (H, W) of every frame."""
    drive = Drive(seed)
    camera = PinholeCamera.from_fov(*SIZE, FOV_DEG)
    truths = [
        1 / cast(drive.scene, camera, drive.pose_at(k / RATE_HZ)).depth.numpy()
        for k in range(FRAMES)
    ]
    u = np.linspace(-0.5, 0.5, SIZE[0], dtype=np.float32)
    wall = np.broadcast_to((1 + WALL_TILT * u) / WALL_DEPTH_M, SIZE[::-1]).copy()
    for k in WALL:
        truths[k] = wall
    return truths


def _wander(rng: np.random.Generator, deviation: float, constant_s: float) -> np.ndarray:
    """Return (FRAMES,) of a first-order process around 0 (Ornstein and Uhlenbeck)."""
    memory = np.exp(-1 / (RATE_HZ * constant_s))
    values = np.empty(FRAMES)
    value = deviation * rng.standard_normal()
    for k in range(FRAMES):
        values[k] = value
        value = memory * value + deviation * np.sqrt(1 - memory**2) * rng.standard_normal()
    return values


def _matched(truth: np.ndarray, rng: np.random.Generator) -> DepthMeasurement:
    """Return what a matcher makes of a frame: noise, gross errors, holes."""
    noisy = truth + MATCHING_ERROR_PX / FOCAL_TIMES_BASELINE * rng.standard_normal(truth.shape)
    wild = rng.random(truth.shape) < OUTLIERS
    noisy = np.where(wild, rng.uniform(0, 1.5 * truth.max(), truth.shape), noisy)
    noisy = np.where((rng.random(truth.shape) < MISSING) | (noisy <= 0), np.nan, noisy)
    return DepthMeasurement(
        torch.from_numpy(noisy.astype(np.float32)), MATCHING_NOISE_PX / FOCAL_TIMES_BASELINE
    )

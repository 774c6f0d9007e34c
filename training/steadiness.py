"""How sharp a network's edges are, and how steady its scale is from frame to frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.renderer import render

from .exam import ExamView, Predictor

DRIVES = range(40, 44)
"""Drives through simulated rooms that nothing was trained on or chosen by."""
RATE_HZ, FRAMES = 15.0, 30
CAMERA = PinholeCamera.from_fov(320, 240, 75.0)


@dataclass(frozen=True, eq=False)
class DriveFrame:
    """One image of a drive.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 [m].
    """

    rgb: torch.Tensor
    depth: torch.Tensor


def drive_frames(seed: int) -> list[DriveFrame]:
    """Return the first frames of a drive, at `RATE_HZ`."""
    drive = Drive(seed)
    views = (render(drive.scene, CAMERA, drive.pose_at(k / RATE_HZ)) for k in range(FRAMES))
    return [DriveFrame(view.rgb, view.depth) for view in views]


def boundary_f1(predictor: Predictor, views: Sequence[ExamView]) -> float:
    """Return the mean `edge_f_score` after the best affine fit, of views that have edges."""
    scores = [evaluate_best_fit(predictor(view.rgb), view.depth).edge_f for view in views]
    return fmean(score for score in scores if not math.isnan(score))


def bias_change(predictor: Predictor, frames: Sequence[DriveFrame]) -> float:
    """Return the mean change, from frame to frame, of the median of ln depth over the truth.

    One scale and shift is fitted to the whole drive, as to a camera that was calibrated once.
    """
    predictions = torch.stack([predictor(frame.rgb) for frame in frames])
    truth = torch.stack([frame.depth for frame in frames])
    fitted = evaluate_best_fit(predictions.flatten(0, 1), truth.flatten(0, 1))
    known = torch.where(truth.isfinite() & (truth > 0), truth, torch.nan)
    bias = (fitted.depth.view_as(truth) / known).log().flatten(1).nanmedian(dim=1).values
    return float(bias.diff().abs().mean())

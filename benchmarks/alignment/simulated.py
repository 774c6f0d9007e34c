"""The simulated world: real predictions of tiny, aligned to matched disparity and to the floor."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.core.evaluation.metrics import align_affine
from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator
from mono_depth_ros.core.scale.alignment_filter import AlignmentFilter, AlignmentSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.disparity_measurement import measure_disparity
from mono_depth_ros.core.scale.ground_source import measure_ground
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.core.types import PredictionKind
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

from .table import percent, table

DRIVES = range(20, 26)
PER_DRIVE = 5
CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
BASELINE_M = 0.12
NEAR_FAR = (0.1, 80.0)
TRUE_SCALE, TRUE_SHIFT = 0.3, -0.2


@dataclass(frozen=True, eq=False)
class View:
    """One frame of a drive.

    Attributes:
        frame: The pair and the truth.
        prediction: Of the network.
        height_m: Of the camera [m].
        pitch_rad: Of the camera, positive = looking down [rad].
    """

    frame: StereoFrame
    prediction: torch.Tensor
    height_m: float
    pitch_rad: float


def report(checkpoint: str) -> str:
    """Return the tables of the sources and models."""
    head = '\n## Simulated world\n\n'
    try:
        views = _views(checkpoint)
    except MonoDepthError as error:
        return f'{head}Not measured: {error}\n'
    weights = f'tiny ({Path(checkpoint).name})' if checkpoint else 'the embedded tiny'
    return head + _disparity(views, weights) + _floor(views)


def _views(checkpoint: str) -> list[View]:
    estimator = load_estimator(EstimatorSettings('tiny', 'relative', checkpoint, device='cpu'))
    rig = StereoRig(CAMERA, BASELINE_M)
    views = []
    for seed in DRIVES:
        drive = Drive(seed)
        for k in range(PER_DRIVE):
            pose = drive.pose_at(k / PER_DRIVE * drive.period_s)
            frame = rig.capture(drive.scene, pose, seed=k)
            size = (CAMERA.height, CAMERA.width)
            prediction = estimator.predict([frame.left], size, [None])[0].values
            pitch = -math.asin(float(pose.rotation[2, 2]))
            views.append(View(frame, prediction, drive.height_m, pitch))
    return views


def _disparity(views: list[View], weights: str) -> str:
    settings = {
        name: AlignmentSettings(source='disparity', max_residual=10.0, method=method, model=model)
        for name, method, model in (
            ('min_max', 'min_max', 'global'),
            ('least_squares', 'least_squares', 'global'),
            ('robust', 'robust', 'global'),
            ('robust + local', 'robust', 'local'),
        )
    }
    observations = [
        measure_disparity(
            match_disparity(view.frame.left, view.frame.right), CAMERA.fx, BASELINE_M
        )
        for view in views
    ]
    errors = {
        name: np.array(
            [
                _error(view, view.prediction, observation, setting)
                for view, observation in zip(views, observations, strict=True)
            ]
        )
        for name, setting in settings.items()
    }
    errors['least squares to the truth'] = np.array([_best_line(view) for view in views])
    known = np.isfinite(errors['robust'])
    ratio = (errors['robust + local'] / errors['robust'])[known]
    return (
        f'AbsRel of {weights} on {len(views)} frames of {len(DRIVES)} drives, 320x240, '
        f'f t = {CAMERA.fx * BASELINE_M:.0f} px m, aligned to SGBM.\n\n'
        + _summary(errors)
        + f'\nLocal correction changed the error in {np.mean(ratio != 1):.0%} of the frames; its '
        f'worst effect on one frame: {ratio.max() - 1:+.1%} of the error of `robust` alone.\n'
    )


def _floor(views: list[View]) -> str:
    errors = {}
    for name in ('truth, scaled and shifted', 'tiny'):
        values = []
        for view in views:
            prediction = view.prediction
            if name != 'tiny':
                prediction = (view.frame.depth.reciprocal() - TRUE_SHIFT) / TRUE_SCALE
            observation = measure_ground(CAMERA, view.height_m, Tilt(view.pitch_rad))
            settings = AlignmentSettings(
                source='ground', model='global', camera_height=view.height_m
            )
            values.append(_error(view, prediction, observation, settings))
        errors[name] = np.array(values)
    return '\nThe same frames, aligned to the floor only:\n\n' + _summary(errors)


def _error(
    view: View,
    prediction: torch.Tensor,
    observation: DepthMeasurement,
    settings: AlignmentSettings,
) -> float:
    """Return AbsRel, or NaN where the fit is refused."""
    aligner = AlignmentFilter(settings, PredictionKind.INVERSE_DEPTH)
    image = view.frame.left if settings.source == 'disparity' else None
    aligner.observe(0, prediction, {settings.source: observation}, NEAR_FAR, image)
    alignment, _ = aligner.current(0)
    if alignment is None:
        return math.nan
    inverse_depth = alignment.scale * prediction + alignment.shift
    correction = aligner.correction(0)
    if correction is not None:
        inverse_depth = inverse_depth * correction.factor(tuple(prediction.shape))
    return _abs_rel(view, inverse_depth)


def _best_line(view: View) -> float:
    truth = view.frame.depth.reciprocal()
    alignment = align_affine(view.prediction, truth, torch.ones_like(truth, dtype=torch.bool))
    return _abs_rel(view, alignment.scale * view.prediction + alignment.shift)


def _abs_rel(view: View, inverse_depth: torch.Tensor) -> float:
    truth = view.frame.depth.reciprocal()
    return float((truth / inverse_depth.clamp(min=float(truth.min())) - 1).abs().mean())


def _summary(errors: dict[str, np.ndarray]) -> str:
    rows = [
        [
            name,
            *(percent(f(values)) for f in (np.nanmean, np.nanmedian, np.nanmax)),
            f'{np.isnan(values).mean():.0%}',
        ]
        for name, values in errors.items()
    ]
    return table(['AbsRel', 'mean', 'median', 'worst', 'refused'], rows)
